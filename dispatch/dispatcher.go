// Package dispatch is the control plane's side of agent sessions: orders go
// down, observations come up. It serves the ACS and TCS websockets to berth's own
// agent and to the official amazon-ecs-agent alike.
//
// A session is a full difference: it watches the tasks assigned to its instance
// and sends whatever the agent has not been told. Nothing about a session is
// stored but that the instance is connected, so a lost session costs a
// reconnection and no task.
package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/store"
)

// Config is what a Dispatcher needs.
type Config struct {
	Store store.Store
	Log   *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Endpoint is where official agents find our APIs from inside their
	// containers' drivers (awslogs-endpoint, ECR); empty to leave it out.
	Endpoint string
}

// Intervals of a session.
const (
	// heartbeatEvery stays well under the 60 seconds after which an agent
	// gives up a silent session.
	heartbeatEvery = 25 * time.Second
	// missedHeartbeats without an answer end the session: the agent is gone.
	missedHeartbeats = 3
	writeTimeout     = 30 * time.Second
)

// Dispatcher holds the sessions of one server.
type Dispatcher struct {
	Config

	mu       sync.Mutex
	sessions map[string]*session // ACS sessions by instance ARN
	sequence map[string]int64    // last number sent, by instance ARN
	open     sync.WaitGroup      // sessions of both kinds
}

// New makes a Dispatcher. Call Reset before it serves.
func New(c Config) *Dispatcher {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Dispatcher{Config: c, sessions: map[string]*session{}, sequence: map[string]int64{}}
}

// Reset marks every instance as disconnected: after a start nobody has a session
// yet, whatever was stored before.
func (d *Dispatcher) Reset(ctx context.Context) error {
	_, err := d.Store.Update(ctx, func(tx *store.Tx) error {
		for i := range store.Instances.All(tx) {
			if i.Connected {
				disconnected := *i
				disconnected.Connected, disconnected.DisconnectedAt = false, d.Now()
				store.Instances.Put(tx, &disconnected)
			}
		}
		return nil
	})
	return err
}

// Connected counts the instances with a session.
func (d *Dispatcher) Connected() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.sessions)
}

// Close ends all sessions gently: agents come back after a pause of their own.
func (d *Dispatcher) Close() {
	d.mu.Lock()
	for _, s := range d.sessions {
		s.end(errRestarting)
	}
	d.mu.Unlock()
	d.open.Wait()
}

// enter makes s the instance's session. Two at once mean that somebody holds a
// copy of the instance's keys, or that the agent came back before we noticed it
// had gone; the older one ends either way.
func (d *Dispatcher) enter(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old := d.sessions[s.instance]; old != nil {
		d.Log.Warn("second session for an instance, ending the first", "instance", s.instance, "first", old.peer, "second", s.peer)
		old.end(errReplaced)
	}
	d.sessions[s.instance] = s
}

// leave reports whether s was still the instance's session.
func (d *Dispatcher) leave(s *session) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions[s.instance] != s {
		return false
	}
	delete(d.sessions, s.instance)
	return true
}

// next is the instance's next sequence number: at least the time in Unix
// nanoseconds, so that a restored server is never below an agent's memory.
func (d *Dispatcher) next(instance string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := max(d.sequence[instance]+1, d.Now().UnixNano())
	d.sequence[instance] = n
	return n
}

func (d *Dispatcher) setConnected(ctx context.Context, instance string, connected bool) error {
	_, err := d.Store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Instances.Get(tx, instance)
		if !ok {
			return nil
		}
		i := *have
		i.Connected = connected
		if connected {
			i.ConnectedAt = d.Now()
		} else {
			i.DisconnectedAt = d.Now()
		}
		i.Version++
		store.Instances.Put(tx, &i)
		return nil
	})
	if err != nil {
		return fmt.Errorf("note that %s is connected (%v): %w", instance, connected, err)
	}
	return nil
}

// hasAttribute reports an attribute without value.
func hasAttribute(i *cluster.Instance, name string) bool {
	_, ok := i.Attribute(name)
	return ok
}
