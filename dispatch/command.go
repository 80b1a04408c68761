package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

var (
	errReplaced   = errors.New("replaced by a newer session of the instance")
	errRestarting = errors.New("the server is restarting")
	errSilent     = errors.New("the agent does not answer heartbeats")
	errGone       = errors.New("the instance was deregistered")
)

// denied ends a session whose agent may not have one any more. When it comes back,
// the refusal says all of it.
type denied struct{ why error }

func (e denied) Error() string { return e.why.Error() }

// session is one ACS websocket. Its goroutine owns it.
type session struct {
	d        *Dispatcher
	ws       *websocket.Conn
	instance string
	peer     string
	cluster  string
	ec2ID    string
	ours     bool // the agent reads "berth" fields
	line     *line

	told    map[string]task.Status // the desired status the agent was told, by task ARN
	unheard int                    // heartbeats without an answer
	roads   roads
	names   names
	meshes  meshes
	shown   *string // id of the key the agent was told to show, empty for none; nil before it was told
}

// command serves an ACS session until either side ends it.
func (d *Dispatcher) command(ctx context.Context, l *line, inst *cluster.Instance, ws *websocket.Conn, r *http.Request) {
	q, peer := r.URL.Query(), r.RemoteAddr
	s := &session{
		d: d, ws: ws, instance: inst.ARN, cluster: inst.ClusterARN, ec2ID: inst.EC2ID, peer: peer, line: l,
		ours: hasAttribute(inst, acs.BerthCapability), told: map[string]task.Status{},
		roads:  roads{told: map[string]*network.State{}, touched: map[string]bool{}, rest: time.NewTimer(0)},
		names:  names{told: map[string]*discovery.Zone{}, rest: time.NewTimer(0)},
		meshes: meshes{rest: time.NewTimer(0)},
	}
	defer s.roads.rest.Stop()
	defer s.names.rest.Stop()
	defer s.meshes.rest.Stop()
	if !d.enter(s) {
		hangUp(ws, errReplaced)
		return
	}
	// An instance that is not known to be connected gets no tasks: without the
	// note there is no session, and the agent comes back.
	err := d.noteConnected(ctx, inst.ARN, cluster.AgentVersion{
		Version: q.Get("agentVersion"), Hash: q.Get("agentHash"), DockerVersion: q.Get("dockerVersion"),
	})
	switch {
	case err == nil:
		d.Log.Info("agent connected", "instance", inst.ARN, "peer", peer)
		err = s.run(ctx)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	if d.leave(s) {
		// The session is over; what it has to say is not.
		after, done := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
		if err := d.noteConnected(after, inst.ARN, cluster.AgentVersion{}); err != nil {
			d.Log.Error("session", "err", err)
		}
		done()
	}
	d.Log.Info("agent disconnected", "instance", inst.ARN, "peer", peer, "why", err)
	hangUp(ws, err)
}

// maxReason bounds the reason in a close frame (RFC 6455: 123 bytes).
const maxReason = 120

// hangUp closes a websocket so that the agent knows how soon to come back: at
// once; after a pause when everybody else comes as well; and after a pause when
// another session took its place, lest the two chase each other.
func hangUp(ws *websocket.Conn, why error) {
	code := websocket.StatusNormalClosure
	switch {
	case errors.Is(why, errRestarting):
		code = websocket.StatusTryAgainLater
	case errors.Is(why, errReplaced), errors.As(why, new(denied)):
		code = websocket.StatusPolicyViolation
	}
	reason := why.Error()
	_ = ws.Close(code, reason[:min(len(reason), maxReason)]) // a peer that is gone hears nothing
}

func (s *session) run(ctx context.Context) error {
	v, watch := s.d.Store.Watch(s.topics()...)
	defer watch.Close()
	frames := make(chan acs.Frame)
	go s.read(ctx, frames)
	if err := s.greet(ctx, v); err != nil {
		return err
	}
	heartbeat := time.NewTicker(s.d.Heartbeat)
	defer heartbeat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case f := <-frames:
			err = s.hear(ctx, f)
		case <-watch.Ready():
			err = s.changed(ctx, watch.Take())
		case <-s.roads.rest.C:
			s.roads.resting = false
			err = s.pave(ctx)
		case <-s.names.rest.C:
			s.names.resting = false
			err = s.spell(ctx)
		case <-s.meshes.rest.C:
			s.meshes.resting = false
			err = s.connect(ctx, false)
		case <-heartbeat.C:
			err = s.beat(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// read hands frames to the session's goroutine until the socket ends. The end of
// ctx must not interrupt it: that would cut the connection before the close frame.
func (s *session) read(ctx context.Context, frames chan<- acs.Frame) {
	for {
		_, data, err := s.ws.Read(context.WithoutCancel(ctx))
		if err != nil {
			s.line.end(err)
			return
		}
		f, err := acs.Decode(data)
		if err != nil {
			s.d.Log.Warn("unreadable frame", "instance", s.instance, "err", err)
			continue
		}
		select {
		case frames <- f:
		case <-ctx.Done():
			return
		}
	}
}

// greet tells a fresh session everything: all tasks the agent should know, then
// the list of those that shall run, against which it checks itself.
func (s *session) greet(ctx context.Context, v *store.View) error {
	if err := s.survey(ctx, v); err != nil {
		return err
	}
	if err := s.spellAll(ctx, v); err != nil {
		return err
	}
	if err := s.connectAll(ctx, v); err != nil {
		return err
	}
	var all []*task.Task
	for t := range store.Tasks.By(v, store.TasksByInstance, s.instance) {
		if t.LastStatus() == task.Stopped {
			break // those come last
		}
		all = append(all, t)
	}
	if err := s.tell(ctx, all); err != nil {
		return err
	}
	m := acs.Manifest{
		MessageID: newID(), ClusterARN: s.cluster, ContainerInstanceARN: s.instance,
		GeneratedAt: s.d.Now().UnixMilli(), Timeline: s.d.next(s.instance), Tasks: []acs.TaskIdentity{},
	}
	v = s.d.Store.View() // telling may have given a task up
	for _, t := range all {
		if now, ok := store.Tasks.Get(v, t.ARN); ok {
			t = now
		}
		m.Tasks = append(m.Tasks, acs.TaskIdentity{TaskARN: t.ARN, TaskClusterARN: t.Spec.ClusterARN, DesiredStatus: t.Ordered().String()})
	}
	if err := s.send(ctx, acs.TypeManifest, m); err != nil {
		return err
	}
	return s.instanceKeys(ctx)
}

func (s *session) changed(ctx context.Context, delta store.Delta) error {
	var news []*task.Task
	for _, e := range delta.Events {
		s.touch(e)
		s.noteNames(e)
		s.noteCalls(e)
		if _, i, ok := store.Instances.Of(e); ok {
			if i != nil && i.ARN == s.instance && i.Status == cluster.InstanceInactive {
				return errGone
			}
			continue
		}
		_, t, ok := store.Tasks.Of(e)
		switch {
		case !ok:
		case t == nil || t.LastStatus() == task.Stopped:
			delete(s.told, e.Key)
		case t.Observed.Status < task.Stopped && s.told[t.ARN] < t.Ordered():
			news = append(news, t)
		}
	}
	if err := s.pave(ctx); err != nil { // before the tasks that live there
		return err
	}
	if err := s.spell(ctx); err != nil {
		return err
	}
	if err := s.connect(ctx, len(news) > 0); err != nil {
		return err
	}
	return s.tell(ctx, news)
}

func (s *session) beat(ctx context.Context) error {
	if s.unheard >= missedHeartbeats {
		return errSilent
	}
	s.unheard++
	if err := s.line.may(); err != nil {
		return denied{err}
	}
	s.touchAll()
	if err := s.pave(ctx); err != nil {
		return err
	}
	if err := s.refresh(ctx); err != nil {
		return err
	}
	if err := s.instanceKeys(ctx); err != nil {
		return err
	}
	return s.send(ctx, acs.TypeHeartbeat, acs.Heartbeat{MessageID: newID(), Healthy: true})
}

// hear handles a message of the agent. Acknowledgements need no action: a session
// that breaks before one tells everything again.
func (s *session) hear(ctx context.Context, f acs.Frame) error {
	s.unheard = 0
	switch f.Type {
	case acs.TypeStopVerification:
		var m acs.StopVerification
		if err := json.Unmarshal(f.Message, &m); err != nil {
			s.d.Log.Warn("unreadable message", "type", f.Type, "instance", s.instance, "err", err)
			return nil
		}
		return s.verifyStops(ctx, &m)
	case acs.TypeNack:
		s.d.Log.Warn("agent refused a message", "instance", s.instance, "message", string(f.Message))
	}
	return nil
}

// verifyStops confirms those candidates that really shall not run here. A task
// we do not know was deleted long ago, or belongs to a state that was restored.
func (s *session) verifyStops(ctx context.Context, m *acs.StopVerification) error {
	v := s.d.Store.View()
	ack := acs.StopVerificationAck{MessageID: m.MessageID, GeneratedAt: s.d.Now().UnixMilli(), StopTasks: []acs.TaskIdentity{}}
	for _, c := range m.StopCandidates {
		t, ok := store.Tasks.Get(v, c.TaskARN)
		if ok && t.Assignment != nil && t.Assignment.InstanceARN == s.instance && t.Ordered() == task.Running {
			continue
		}
		c.DesiredStatus = task.Stopped.String()
		ack.StopTasks = append(ack.StopTasks, c)
	}
	return s.send(ctx, acs.TypeStopVerificationAck, ack)
}

func (s *session) send(ctx context.Context, kind string, message any) error {
	return send(ctx, s.ws, kind, message)
}

func send(ctx context.Context, ws *websocket.Conn, kind string, message any) error {
	data, err := acs.Encode(kind, message)
	if err != nil {
		return err
	}
	// The end of ctx must not interrupt it either.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return ws.Write(ctx, websocket.MessageText, data)
}
