// Package edge is the process that carries load balancers on one host. It asks the
// control plane what it must know, keeps the last answer on disk, and goes on by it
// while nobody answers. Agents make a network namespace for each node of a balancer;
// the edge opens sockets and packet filters inside.
//
// Engines do the work: one for connections (flow), one for HTTP. A second edge with the
// same data folder takes over from the first: it gets the listening sockets, and the
// first finishes what it began.
package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/balancer"
)

// Config is what an edge is built from.
type Config struct {
	Data   string // folder of its state
	Spaces string // folder of the namespaces that the agent makes for nodes, by interface
	// Place is the control plane, with the keys of the host's agent.
	Place client.Place
	// Drain is how long connections may go on after another edge took over; 0 for
	// five minutes.
	Drain   time.Duration
	Engines []Engine
	// Journal is where engines write access logs; nil for none.
	Journal *Journal
	Log     *slog.Logger
}

// Node is a node of a balancer, or of an endpoint that leads to it, with its namespace.
type Node struct {
	Front *balancer.Front
	balancer.Node
	Link  *balancer.Link // nil for the balancer's own
	Space *space.Space
}

// Engine carries the traffic of some kinds of balancers.
type Engine interface {
	// Apply makes it serve exactly these nodes, of all kinds: it takes its own. What
	// cannot be served is logged, and tried again with the next Apply, which comes
	// within seconds.
	Apply(s *balancer.Snapshot, nodes []Node, doors *Doors)
	// Report is what is known of targets, and which sleeping groups have held requests.
	Report() (seen []balancer.TargetReport, wake []string)
	// Counts is what was measured since it was last asked.
	Counts(now time.Time) []balancer.Count
	// Drain takes nothing new and returns when what there is has ended, or ctx.
	Drain(ctx context.Context)
}

// Troubled is an engine that may be unable to carry a balancer at all.
type Troubled interface {
	// Troubles are such balancers now, by ARN, with the reason in words for their owner.
	Troubles() map[string]string
}

// Edge is a running edge.
type Edge struct {
	Config
	doors  *Doors
	spaces map[string]*space.Space // by interface
	snap   *balancer.Snapshot
	news   chan *balancer.Snapshot
	took   bool // from an edge before
}

const (
	defaultDrain = 5 * time.Minute
	stopPatience = 5 * time.Second // of who told the edge to stop
	// again is how often what is there is compared with what should be: namespaces
	// appear when the agent made them.
	again = 500 * time.Millisecond
)

// Run carries balancers until ctx ends or another edge took over.
func Run(ctx context.Context, c Config) error {
	if c.Drain == 0 {
		c.Drain = defaultDrain
	}
	e := &Edge{Config: c, doors: newDoors(c.Log), spaces: map[string]*space.Space{}, news: make(chan *balancer.Snapshot, 1)}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	predecessor, err := e.inherit()
	if err != nil {
		return fmt.Errorf("take over from the edge before: %w", err)
	}
	e.snap = e.remembered()
	e.apply()
	heir, err := e.offer(ctx)
	if err != nil {
		return err
	}
	defer heir.close()
	predecessor.release()

	var journal sync.WaitGroup
	journaling, end := context.WithCancel(context.WithoutCancel(ctx))
	defer journal.Wait()
	defer end()
	if e.Journal != nil {
		journal.Go(func() { e.Journal.Run(journaling) })
	}
	working, stop := context.WithCancel(ctx)
	go e.poll(working)
	go e.report(working)
	go e.measure(working)
	e.turn(ctx, heir)
	stop()
	e.tellLast(ctx)
	e.drain(ctx)
	e.tellLast(ctx)
	return nil
}

// turn applies what is new until somebody else does it.
func (e *Edge) turn(ctx context.Context, h *heir) {
	ticker := time.NewTicker(again)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.ready:
			e.Log.Info("another edge took over")
			return
		case c := <-h.asked:
			h.give(c, e.doors)
		case e.snap = <-e.news:
			e.apply() // first: the disk may be slow
			if err := e.remember(e.snap); err != nil {
				e.Log.Warn("the snapshot cannot be kept for the next start", "err", err)
			}
		case <-ticker.C:
			e.apply()
		}
	}
}

func (e *Edge) drain(ctx context.Context) {
	patience := e.Drain
	if ctx.Err() != nil {
		patience = min(patience, stopPatience)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	defer e.doors.close()
	var all sync.WaitGroup
	for _, x := range e.Engines {
		all.Go(func() { x.Drain(ctx) })
	}
	all.Wait()
}

// apply opens the namespaces of the snapshot's nodes and has engines serve in them.
func (e *Edge) apply() {
	var nodes []Node
	wanted := map[string]bool{}
	add := func(f *balancer.Front, l *balancer.Link, list []balancer.Node) {
		for _, n := range list {
			wanted[n.InterfaceID] = true
			if s := e.space(n.InterfaceID); s != nil {
				nodes = append(nodes, Node{Front: f, Node: n, Link: l, Space: s})
			}
		}
	}
	fronts := map[string]*balancer.Front{}
	for n := range e.snap.Fronts {
		f := &e.snap.Fronts[n]
		fronts[f.Balancer.ARN] = f
		add(f, nil, f.Nodes)
	}
	for n := range e.snap.Links {
		if l := &e.snap.Links[n]; fronts[l.BalancerARN] != nil {
			add(fronts[l.BalancerARN], l, l.Nodes)
		}
	}
	e.doors.begin()
	for _, x := range e.Engines {
		x.Apply(e.snap, nodes, e.doors)
	}
	e.doors.end()
	for id, s := range e.spaces {
		if !wanted[id] {
			s.Close()
			delete(e.spaces, id)
		}
	}
}

// space is the namespace of an interface; nil while the agent has not made it. One
// that was made anew replaces the one that was.
func (e *Edge) space(id string) *space.Space {
	path := filepath.Join(e.Spaces, id)
	have := e.spaces[id]
	if have != nil && have.Bound() {
		return have
	}
	if have != nil {
		have.Close()
		delete(e.spaces, id)
		e.doors.shut(id)
	}
	s, err := space.Open(path)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			e.Log.Warn("a node's namespace cannot be opened", "interface", id, "err", err)
		}
		return nil
	}
	e.spaces[id] = s
	return s
}
