// Package web carries HTTP for Application balancers: it takes requests on listening
// sockets, finds the rule that says what becomes of each, and leads them to targets.
//
// HTTP/1 is read and written by package wire, HTTP/2 by package stream. What becomes of a
// request is an exchange's doing (exchange.go), which knows its client by an interface of
// a few methods (client.go). Towards targets there are connections of our own
// (upstream1.go), or HTTP/2 where a target group says so. All that a request needs to
// know is one immutable world (world.go), made from a snapshot and swapped whole; what
// lives longer, connections and counters of targets, is kept by target (target.go).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html
package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/signin"
	"github.com/berthhq/berth/plane/edge/token"
	"github.com/berthhq/berth/plane/edge/web/stream"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// Options of an Engine.
type Options struct {
	// Dial connects to a target out of the network of a node, named by its interface.
	Dial func(ctx context.Context, node string, to netip.AddrPort) (net.Conn, error)
	// State is how a target is, by its key; nil when all are healthy.
	State func(target string) balancer.State
	// Access takes a line of a balancer's access log, and Connection one of its
	// connection log, without its end, where that is wanted; they may not keep the line.
	// nil for nobody.
	Access, Connection func(balancer, node string, line []byte)
	// Providers reaches identity providers and the keys of issuers; nil for a client
	// that refuses this machine's own addresses.
	Providers *http.Client
	Log       *slog.Logger
	Now       func() time.Time // nil for the clock's
}

// Engine carries the HTTP of all Application balancers of an edge.
type Engine struct {
	Options
	world     atomic.Pointer[world]
	targets   *targets
	counts    *tally
	held      *held
	buffers   wire.Buffers
	exchanges sync.Pool // of *exchange
	workers   *stream.Workers
	secret    []byte // of balancers that have none
	tokens    *token.Checker

	mu      sync.Mutex
	fronts  map[*front]bool
	drained bool
}

// New makes an Engine that carries nothing yet.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Providers == nil {
		o.Providers = signin.Outside(nil)
	}
	if o.State == nil {
		o.State = func(string) balancer.State { return balancer.Healthy }
	}
	e := &Engine{Options: o, counts: newTally(), held: newHeld(), fronts: map[*front]bool{}}
	e.workers = stream.NewWorkers()
	e.secret, e.tokens = ownSecret(), token.New(e.Providers, e.Now)
	e.targets = &targets{engine: e, all: map[string]*target{}}
	e.world.Store(&world{})
	return e
}

// Apply makes the snapshot what requests see from now on. Those under way end as they
// began. The same one again, which never changes, costs nothing.
func (e *Engine) Apply(s *balancer.Snapshot) {
	if e.world.Load().from == s {
		return
	}
	w := e.newWorld(s)
	e.world.Store(w)
	e.targets.keep(w)
	e.held.changed()
}

// Changed says that the health of a target changed: requests that are held look again.
func (e *Engine) Changed() { e.held.changed() }

// InFlight is how many requests a target has, by its key.
func (e *Engine) InFlight(key string) int { return e.targets.inFlight(key) }

// Wakes are the ARNs of target groups without targets for which requests are held.
func (e *Engine) Wakes() []string { return e.held.groups() }

// Counts is what was measured since it was last asked.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
func (e *Engine) Counts(now time.Time) []balancer.Count { return e.counts.take(now) }

// Drain takes no new connections and returns when the requests there are have been
// answered, or ctx ends; then it cuts them off.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	e.drained = true
	var all []*front
	for f := range e.fronts {
		all = append(all, f)
	}
	e.mu.Unlock()
	var ending sync.WaitGroup
	for _, f := range all {
		ending.Go(func() { f.drain(ctx) })
	}
	ending.Wait()
}
