// Package pulse finds out how healthy the instances of Cloud Map's services are that
// have a health check of Route 53's kind. What the server cannot reach is ill.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
package pulse

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/store"
)

// interval is Route 53's between two checks.
const interval = 30 * time.Second

// maxAtOnce bounds the checks under way.
const maxAtOnce = 32

// Pulse checks the instances in a store.
type Pulse struct {
	Store store.Store
	Log   *slog.Logger

	mu      sync.Mutex
	streaks map[string]streak // by the key of the instance
}

// streak is how often in a row an instance was found to be the same.
type streak struct {
	well bool
	long int
}

// Run checks until ctx ends.
func (p *Pulse) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.Look(ctx)
		}
	}
}

// Look checks every instance once and notes those whose health changed.
func (p *Pulse) Look(ctx context.Context) {
	v := p.Store.View()
	before := p.streaks
	p.streaks = map[string]streak{}
	slots := make(chan struct{}, maxAtOnce)
	var running sync.WaitGroup
	for s := range store.Discoveries.All(v) {
		if s.Health == nil {
			continue
		}
		for i := range store.DiscoveryInstances.Prefix(v, store.DiscoveryInstanceKey(s.Scope, s.ID, "")) {
			slots <- struct{}{}
			running.Go(func() {
				p.examine(ctx, s, i, before)
				<-slots
			})
		}
	}
	running.Wait()
}

func (p *Pulse) examine(ctx context.Context, s *discovery.Service, i *discovery.Instance, before map[string]streak) {
	err := check(ctx, s.Health, i)
	if ctx.Err() != nil {
		return
	}
	key := store.DiscoveryInstanceKey(i.Scope, i.ServiceID, i.ID)
	now := streak{well: err == nil, long: 1}
	if have := before[key]; have.well == now.well {
		now.long = have.long + 1
	}
	p.mu.Lock()
	p.streaks[key] = now
	p.mu.Unlock()
	if now.long < s.Health.Threshold || now.well == !i.Unhealthy {
		return
	}
	p.Log.Info("health of an instance changed", "service", s.ID, "instance", i.ID, "healthy", now.well, "why", err)
	if err := p.note(ctx, key, !now.well); err != nil {
		p.Log.Error("health of an instance is not noted", "service", s.ID, "instance", i.ID, "err", err)
	}
}

func (p *Pulse) note(ctx context.Context, key string, ill bool) error {
	_, err := p.Store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.DiscoveryInstances.Get(tx, key)
		if !ok {
			return nil
		}
		i := *have
		i.Unhealthy = ill
		store.DiscoveryInstances.Put(tx, &i)
		return nil
	})
	return err
}
