// Package bus carries events to the targets of rules: what changes in the store,
// what PutEvents brings and what schedules make. It answers for EventBridge's data
// plane, beside the API that keeps the rules.
//
// What is promised. A moment of a schedule is claimed in a transaction of the
// store, so that it fires once, whoever else looks; its targets are served after a
// crash too, and a target that runs tasks runs them once. A state change is
// delivered at least once as the latest state: who is slow, or away for a restart,
// misses states in between, never the last one; after a restart what changed since
// a while before is sent again, under the ids it had. Events of PutEvents wait in
// memory and are lost with the process.
//
// A target is served in order, but for what failed and waits to be tried again,
// until its retry policy ends. What waits is bounded by number and bytes; what
// finds no room is dropped, counted and logged.
//
// Without rules there is nothing but a watch of the table of rules.
package bus

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// Source makes events of one type of what changes in one table of the store.
type Source struct {
	Table      store.Descriptor
	Name, Type string // source and detail-type of the events
	// Events makes the events of a change, read in a view that has it.
	Events func(v *store.View, change store.Event, now time.Time) []event.Event
	// Since makes the events of the present state of what changed after a moment,
	// to send again after a restart; nil where that cannot be told.
	Since func(v *store.View, since time.Time) []event.Event
}

// Logs keeps the events of log group targets. Its errors are faults.
type Logs interface {
	CreateStream(scope arn.Scope, group, name string) error
	Put(scope arn.Scope, group, stream string, events []telemetry.Event, source *telemetry.Source) (telemetry.Rejection, error)
}

// Tasks runs the tasks of ECS targets. Its errors are faults.
type Tasks interface {
	// Launch runs tasks; failures are those that found no place.
	Launch(ctx context.Context, l event.Launch) (failures []event.LaunchFailure, err error)
	// Stop asks a task of a cluster to stop.
	Stop(ctx context.Context, scope arn.Scope, cluster, task, reason string) error
}

// Config is what a Bus is built from.
type Config struct {
	Store   store.Store
	Sources []Source
	Logs    Logs
	Tasks   Tasks
	// Reach are the addresses that HTTP endpoints may have; nil means loopback
	// alone. Beyond it are other people's networks and, in many places, a cloud's
	// metadata: the operator opens them.
	Reach []netip.Prefix
	Log   *slog.Logger     // nil for none
	Now   func() time.Time // nil for the clock
}

// Stats counts deliveries since the start.
type Stats struct {
	Delivered int64
	Failed    int64 // given up
	Dropped   int64 // found no room to wait
}

// Bus carries events. Run it once.
type Bus struct {
	Config
	client *http.Client
	stop   context.CancelFunc
	ctx    context.Context // ends with Run: what lanes deliver under
	serves sync.WaitGroup

	delivered, failed, dropped atomic.Int64

	mu       sync.Mutex // guards what follows
	lanes    map[string]*lane
	bytes    int // of the events that wait
	patterns map[string]*event.Pattern
	saidDrop time.Time

	// Run owns these.
	watch   *store.Watcher // of the sources' tables; nil while no rule listens
	resumed bool           // what changed before the start was sent
	unsaved bool           // events were handed on since the cursor was stored
	savedAt time.Time
}

// New makes a Bus.
func New(c Config) *Bus {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Reach == nil {
		c.Reach = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	b := &Bus{Config: c, lanes: map[string]*lane{}, patterns: map[string]*event.Pattern{}}
	b.client = newClient(c.Reach)
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b
}

// Stats counts what became of deliveries.
func (b *Bus) Stats() Stats {
	return Stats{Delivered: b.delivered.Load(), Failed: b.failed.Load(), Dropped: b.dropped.Load()}
}

// Run watches and delivers until ctx ends.
func (b *Bus) Run(ctx context.Context) error {
	defer b.end()
	v, rules := b.Store.Watch(store.Rules.Topic())
	defer rules.Close()
	defer b.quiet()
	b.resumeFirings(v)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		b.attend(ctx)
		again := b.fire(ctx)
		if b.unsaved {
			again = plan.Earliest(again, b.savedAt.Add(saveEvery))
		}
		timer.Stop()
		if !again.IsZero() {
			timer.Reset(min(again.Sub(b.Now()), longestNap))
		}
		select {
		case <-ctx.Done():
			b.save(context.WithoutCancel(ctx))
			return ctx.Err()
		case <-rules.Ready():
			rules.Take()
		case <-b.changes():
			b.carry(b.watch.Take())
		case <-timer.C:
		}
		if b.unsaved && b.Now().Sub(b.savedAt) >= saveEvery {
			b.save(ctx)
		}
	}
}

// end waits for the deliveries under way. Nothing is added any more.
func (b *Bus) end() {
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	b.serves.Wait()
}

// longestNap bounds a sleep until a schedule's moment, so that a clock that was set
// meanwhile costs no more.
const longestNap = 10 * time.Second

// Publish hands an event to the rules that listen for it. It never waits.
func (b *Bus) Publish(e event.Event) { b.publish(b.Store.View(), &e, b.Now()) }

func (b *Bus) publish(v *store.View, e *event.Event, now time.Time) {
	var decoded any // when the first rule asks
	for r := range store.Rules.By(v, store.RulesListening, store.Listening) {
		if r.Scope != e.Scope || r.Bus != e.Bus {
			continue
		}
		if decoded == nil {
			decoded, _ = event.Decode(e.JSON()) // our own JSON
		}
		if p := b.pattern(r.Pattern); p == nil || !p.Matches(decoded) {
			continue
		}
		for i := range r.Targets {
			b.add(&delivery{rule: r, target: r.Targets[i].ID, event: e, received: now})
		}
	}
}

// keptPatterns bounds the patterns that are kept read.
const keptPatterns = 1000

// pattern reads a rule's pattern, once; nil for one that cannot be read any more.
func (b *Bus) pattern(text string) *event.Pattern {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.patterns[text]; ok {
		return p
	}
	if len(b.patterns) >= keptPatterns {
		clear(b.patterns)
	}
	p, err := event.ParsePattern(text)
	if err != nil {
		b.Log.Error("a rule's pattern cannot be read", "err", err)
	}
	b.patterns[text] = p
	return p
}
