package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// changeFor is how long targets change; a soak does it longer.
func changeFor() time.Duration {
	if os.Getenv("BERTH_SOAK") != "" {
		return 10 * time.Minute
	}
	return 20 * time.Second
}

// mover changes the targets that something leads to: a balancer, of one kind or the
// other.
type mover struct {
	listen func() (net.Listener, error) // where targets serve
	apply  func(live []balancer.PoolTarget, leaves *balancer.PoolTarget)
	busy   func(balancer.PoolTarget) bool // whether something is under way to it
	live   []*moved
	gone   sync.WaitGroup
}

// moved is a target of a short life.
type moved struct {
	balancer.PoolTarget
	server *http.Server
}

// changing measures budget 16: each second a target comes and the oldest leaves; it
// ends once nothing is under way to it. So it is with the targets of an Application
// balancer and of a Network one at once.
func changing(ctx context.Context, b *bench) (result, error) {
	dir, err := os.MkdirTemp(b.dir, "change-")
	if err != nil {
		return result{}, err
	}
	front, err := startFront(dir)
	if err != nil {
		return result{}, err
	}
	defer front.close()
	network, err := b.startNetwork()
	if err != nil {
		return result{}, err
	}
	defer network.close()
	return change(ctx, []*mover{front.mover(), network.mover()}, append(front.users(), network.users()...))
}

func change(ctx context.Context, movers []*mover, users []*user) (result, error) {
	for _, m := range movers {
		if err := m.begin(); err != nil {
			return result{}, err
		}
	}
	var over atomic.Bool
	var asking, moving sync.WaitGroup
	for _, u := range users {
		for range 2 {
			asking.Go(func() { u.until(ctx, &over) })
		}
	}
	errs := make([]error, len(movers))
	for i, m := range movers {
		moving.Go(func() { errs[i] = m.move(ctx) })
	}
	moving.Wait()
	over.Store(true)
	asking.Wait()
	for _, m := range movers {
		m.end()
	}
	r := result{Note: "targets changed each second for " + changeFor().String() + "; no peer: it is judged by itself"}
	for _, u := range users {
		r.Figures = append(r.Figures,
			figure{Name: u.name + " failed", Value: float64(u.failed.Load()), Unit: fmt.Sprintf("of %d (budget 0)", u.made.Load())})
		if first, ok := u.first.Load().(string); ok {
			r.Note += "; " + u.name + ": " + first
		}
	}
	return r, firstOf(errs...)
}

// begin leads to two targets.
func (m *mover) begin() error {
	for range 2 {
		if err := m.join(); err != nil {
			return err
		}
	}
	m.lead(nil)
	return nil
}

func (m *mover) move(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for end := time.Now().Add(changeFor()); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := m.join(); err != nil {
			return err
		}
		leaves := m.live[0]
		m.live = m.live[1:]
		m.lead(leaves)
		m.gone.Go(func() { m.stop(leaves) })
	}
	return nil
}

// join adds a target that serves already, whatever it is asked.
func (m *mover) join() error {
	l, err := m.listen()
	if err != nil {
		return err
	}
	s := &http.Server{Handler: answers(), Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(l)
	m.live = append(m.live, &moved{frontTarget(l.Addr().String()), s})
	return nil
}

// lead leads to those that live; one drains.
func (m *mover) lead(leaves *moved) {
	var all []balancer.PoolTarget
	for _, t := range m.live {
		all = append(all, t.PoolTarget)
	}
	if leaves == nil {
		m.apply(all, nil)
		return
	}
	draining := leaves.PoolTarget
	draining.Draining = true
	m.apply(all, &draining)
}

// stop closes a target once it is idle, as a drained task is stopped.
func (m *mover) stop(t *moved) {
	for m.busy(t.PoolTarget) {
		time.Sleep(10 * time.Millisecond)
	}
	t.server.Close()
}

// end waits for those that leave, and closes the others.
func (m *mover) end() {
	m.gone.Wait()
	for _, t := range m.live {
		t.server.Close()
	}
}

// user asks in one way, again and again.
type user struct {
	name         string
	ask          func(ctx context.Context) error
	made, failed atomic.Int64
	first        atomic.Value // text of a failure
}

func (u *user) until(ctx context.Context, over *atomic.Bool) {
	for !over.Load() && ctx.Err() == nil {
		u.made.Add(1)
		if err := u.ask(ctx); err != nil {
			u.failed.Add(1)
			u.first.Store(err.Error())
		}
	}
}
