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
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// Config is what a Dispatcher needs.
type Config struct {
	Store store.Store
	Log   *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Heartbeat is the interval of heartbeats; 0 means 25 s.
	Heartbeat time.Duration
	// Endpoint is where official agents find our APIs from inside their
	// containers' drivers (awslogs-endpoint, ECR); empty to leave it out.
	Endpoint string
	// May tells why a caller may not do an action of agents, ecs:Poll or
	// ecs:StartTelemetrySession, for an instance. nil lets everybody.
	May func(ctx context.Context, who identity.Principal, action string, i *cluster.Instance) error
	// Assume finds a role that tasks may become, on behalf of a task. The error says
	// why they may not. nil takes every role as it is named.
	Assume func(r store.Reader, roleARN, taskARN string) (*identity.Role, error)
}

// Intervals of a session.
const (
	// defaultHeartbeat stays well under the 60 seconds after which an agent
	// gives up a silent session.
	defaultHeartbeat = 25 * time.Second
	// missedHeartbeats without an answer end the session: the agent is gone.
	missedHeartbeats = 3
	writeTimeout     = 10 * time.Second
)

// Dispatcher holds the sessions of one server.
type Dispatcher struct {
	Config

	mu       sync.Mutex
	sessions map[string]*session // ACS sessions by instance ARN
	sequence map[string]int64    // last number sent, by instance ARN
	lines    map[*line]bool      // open sessions of both kinds
	opened   int64               // lines so far
	closed   bool                // no more are taken
	bucket   bucket
	zones    zones
	open     sync.WaitGroup // counts lines
}

// line is an open websocket: what ends it, and its place in the order in which
// they were opened.
type line struct {
	end    context.CancelCauseFunc
	may    func() error // whether it may go on
	number int64        // set by begin
}

// New makes a Dispatcher. Call Reset before it serves.
func New(c Config) *Dispatcher {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}
	return &Dispatcher{Config: c, sessions: map[string]*session{}, sequence: map[string]int64{}, lines: map[*line]bool{}}
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

// Close ends all sessions gently, and takes no more: agents come back after a
// pause of their own.
func (d *Dispatcher) Close() {
	d.mu.Lock()
	d.closed = true
	for l := range d.lines {
		l.end(errRestarting)
	}
	d.mu.Unlock()
	d.open.Wait()
}

// begin counts a new line in; false once the Dispatcher is closed.
func (d *Dispatcher) begin(l *line) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.opened++
	l.number = d.opened
	d.lines[l] = true
	d.open.Add(1)
	return true
}

func (d *Dispatcher) done(l *line) {
	d.mu.Lock()
	delete(d.lines, l)
	d.mu.Unlock()
	d.open.Done()
}

// enter makes s the instance's session. Two at once mean that somebody holds a
// copy of the instance's keys, or that the agent came back before we noticed it
// had gone; the one that was opened first ends either way, even if it gets here
// last. enter is false when that is s.
func (d *Dispatcher) enter(s *session) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old := d.sessions[s.instance]; old != nil {
		first, second := old, s
		if s.line.number < old.line.number {
			first, second = s, old
		}
		d.alarm(s.instance, first.peer, second.peer)
		first.line.end(errReplaced)
		if first == s {
			return false
		}
	}
	d.sessions[s.instance] = s
	return true
}

// alarm tells of two sessions at once: loudly when they come from two machines, for
// then one of them holds a copy of the instance's keys.
func (d *Dispatcher) alarm(instance, first, second string) {
	if host(first) == host(second) {
		d.Log.Warn("second session for an instance, ending the first", "instance", instance, "first", first, "second", second)
		return
	}
	d.Log.Error("ALARM: sessions for one instance from two machines, ending the first; if neither is a clone of the other, deregister the instance and let it join anew",
		"instance", instance, "first", first, "second", second)
}

func host(peer string) string {
	address, _, err := net.SplitHostPort(peer)
	if err != nil {
		return peer
	}
	return address
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

// noteConnected writes whether the instance has a session, and what its agent said
// of itself when it opened. What counts is how it is when the transaction runs: a
// session may open while the one before is still closing.
func (d *Dispatcher) noteConnected(ctx context.Context, instance string, agent cluster.AgentVersion) error {
	_, err := d.Store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Instances.Get(tx, instance)
		if !ok {
			return nil
		}
		i := *have
		if i.Connected = d.has(instance); i.Connected {
			i.ConnectedAt, i.Refused = d.Now(), ""
		} else {
			i.DisconnectedAt = d.Now()
		}
		i.Agent = updated(i.Agent, agent)
		i.Version++
		store.Instances.Put(tx, &i)
		return nil
	})
	if err != nil {
		return fmt.Errorf("note whether %s is connected: %w", instance, err)
	}
	return nil
}

// updated keeps what an agent does not say.
func updated(have, said cluster.AgentVersion) cluster.AgentVersion {
	have.Version = cmp.Or(said.Version, have.Version)
	have.Hash = cmp.Or(said.Hash, have.Hash)
	have.DockerVersion = cmp.Or(said.DockerVersion, have.DockerVersion)
	return have
}

func (d *Dispatcher) has(instance string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions[instance] != nil
}

// hasAttribute reports an attribute without value.
func hasAttribute(i *cluster.Instance, name string) bool {
	_, ok := i.Attribute(name)
	return ok
}
