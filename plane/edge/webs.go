package edge

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/health"
	"github.com/berthhq/berth/plane/edge/web"
)

// Webs is the engine of Application balancers.
type Webs struct {
	engine  *web.Engine
	checker *health.Checker
	log     *slog.Logger

	mu       sync.Mutex
	carried  roster
	serving  map[net.Listener]string // what is served there: see mode
	unsealed bool                    // cookies have their key
}

// NewWebs makes one. journal is nil for no access logs.
func NewWebs(journal *Journal, log *slog.Logger) *Webs {
	w := &Webs{checker: &health.Checker{}, log: log, serving: map[net.Listener]string{}}
	o := web.Options{Log: log, Dial: w.dial, State: func(key string) balancer.State { return w.checker.Of(key).State }}
	if journal != nil {
		o.Access = func(arn, node, line string) {
			journal.Add(arn, w.address(node), []byte(strings.TrimSuffix(line, "\n")))
		}
	}
	w.engine = web.New(o)
	w.checker.Changed = w.engine.Changed
	return w
}

var _ Engine = (*Webs)(nil)

// Apply implements Engine.
func (w *Webs) Apply(s *balancer.Snapshot, nodes []Node, doors *Doors) {
	mine := rosterOf(s, nodes, balancer.Application)
	w.mu.Lock()
	w.carried = mine
	if !w.unsealed && len(s.Secret) > 0 {
		w.engine.Key(s.Secret)
		w.unsealed = true
	}
	w.mu.Unlock()
	w.checker.Watch(mine.watched(w.dial, w.asker))
	w.engine.Apply(s)
	for n := range mine.nodes {
		node := &mine.nodes[n]
		for i := range node.Front.Listeners {
			if err := w.open(node, &node.Front.Listeners[i].Listener, doors); err != nil {
				w.log.Error("a listener cannot be served", "listener", node.Front.Listeners[i].Listener.ARN, "node", node.Address, "err", err)
			}
		}
	}
}

// mode is all that a socket is served by and that cannot change while it is.
func mode(b *balancer.Balancer, l *balancer.Listener) string {
	return fmt.Sprint(l.ARN, l.Protocol, b.Attributes[balancer.HTTP2], b.Attributes[balancer.IdleTimeout])
}

// open serves a listener at a node, if it is not served yet.
func (w *Webs) open(n *Node, l *balancer.Listener, doors *Doors) error {
	socket, err := doors.Open(n.Space, n.InterfaceID, n.Address.String(), l.Port)
	if err != nil {
		return err
	}
	now := mode(&n.Front.Balancer, l)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.serving[socket] {
	case now:
		return nil
	case "":
	default: // the same port, but another listener: the next round opens it anew
		doors.Close(n.InterfaceID, l.Port)
		return nil
	}
	w.serving[socket] = now
	arn, id := l.ARN, n.InterfaceID
	go func() {
		err := w.engine.Serve(socket, arn, id)
		w.log.Debug("a listener is not served any more", "listener", arn, "why", err)
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.serving, socket)
	}()
	return nil
}

// dial connects from the network of a node.
func (w *Webs) dial(ctx context.Context, node string, to netip.AddrPort) (net.Conn, error) {
	w.mu.Lock()
	n := w.carried.find(node)
	w.mu.Unlock()
	if n == nil {
		return nil, fmt.Errorf("node %s is not carried here any more", node)
	}
	return dialFrom(ctx, n.Space, to)
}

// asker is the node that asks the targets of a group how they are.
func (w *Webs) asker(group string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.carried.askers[group]
}

func (w *Webs) address(node string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.carried.find(node); n != nil {
		return n.Address.String()
	}
	return node
}

func (w *Webs) now() roster {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.carried
}

// Report implements Engine.
func (w *Webs) Report() (seen []balancer.TargetReport, wake []string) {
	for _, t := range w.now().targets {
		r := w.checker.Of(t.Key)
		r.Idle = t.Draining && w.engine.InFlight(t.Key) == 0
		seen = append(seen, balancer.TargetReport{Target: t.Key, Report: r})
	}
	return seen, w.engine.Wakes()
}

// Counts implements Engine.
func (w *Webs) Counts(now time.Time) []balancer.Count {
	return append(w.engine.Counts(now), w.now().counts(w.checker, now)...)
}

// Drain implements Engine.
func (w *Webs) Drain(ctx context.Context) {
	w.engine.Drain(ctx)
	w.checker.Close()
}
