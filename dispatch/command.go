package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/cluster"
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

// session is one ACS websocket. Its goroutine owns everything but end.
type session struct {
	d        *Dispatcher
	ws       *websocket.Conn
	instance string
	peer     string
	cluster  string
	ec2ID    string
	ours     bool // the agent reads "berth" fields
	end      context.CancelCauseFunc

	told    map[string]task.Status // the desired status the agent was told, by task ARN
	unheard int                    // heartbeats without an answer
}

// command serves an ACS session until either side ends it.
func (d *Dispatcher) command(ctx context.Context, inst *cluster.Instance, ws *websocket.Conn, peer string) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &session{
		d: d, ws: ws, instance: inst.ARN, cluster: inst.ClusterARN, ec2ID: inst.EC2ID, peer: peer, end: cancel,
		ours: hasAttribute(inst, acs.BerthCapability), told: map[string]task.Status{},
	}
	d.enter(s)
	if err := d.setConnected(ctx, inst.ARN, true); err != nil {
		d.Log.Error("session", "err", err)
	}
	d.Log.Info("agent connected", "instance", inst.ARN, "peer", peer)
	err := s.run(ctx)
	if d.leave(s) {
		// The request's context may be over; what it has to say is not.
		after, done := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
		if err := d.setConnected(after, inst.ARN, false); err != nil {
			d.Log.Error("session", "err", err)
		}
		done()
	}
	d.Log.Info("agent disconnected", "instance", inst.ARN, "peer", peer, "why", err)
	_ = ws.Close(closeCode(err), err.Error())
}

// closeCode tells the agent how soon to come back: at once, or after a pause
// when everybody else does as well.
func closeCode(err error) websocket.StatusCode {
	if errors.Is(err, errRestarting) {
		return websocket.StatusTryAgainLater
	}
	return websocket.StatusNormalClosure
}

func (s *session) run(ctx context.Context) error {
	v, watch := s.d.Store.Watch(store.Tasks.TopicBy(store.TasksByInstance, s.instance), store.Instances.TopicBy(store.InstancesByEC2ID, s.ec2ID))
	defer watch.Close()
	frames := make(chan acs.Frame)
	go s.read(ctx, frames)
	if err := s.greet(ctx, v); err != nil {
		return err
	}
	heartbeat := time.NewTicker(heartbeatEvery)
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
		case <-heartbeat.C:
			err = s.beat(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// read hands frames to the session's goroutine until the socket ends.
func (s *session) read(ctx context.Context, frames chan<- acs.Frame) {
	for {
		_, data, err := s.ws.Read(ctx)
		if err != nil {
			s.end(err)
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
	for _, t := range all {
		m.Tasks = append(m.Tasks, acs.TaskIdentity{TaskARN: t.ARN, TaskClusterARN: t.Spec.ClusterARN, DesiredStatus: t.DesiredStatus().String()})
	}
	return s.send(ctx, acs.TypeManifest, m)
}

func (s *session) changed(ctx context.Context, delta store.Delta) error {
	var news []*task.Task
	for _, e := range delta.Events {
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
		case t.Observed.Status < task.Stopped && s.told[t.ARN] < t.DesiredStatus():
			news = append(news, t)
		}
	}
	return s.tell(ctx, news)
}

func (s *session) beat(ctx context.Context) error {
	if s.unheard >= missedHeartbeats {
		return errSilent
	}
	s.unheard++
	if err := s.refresh(ctx); err != nil {
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
		if ok && t.Assignment != nil && t.Assignment.InstanceARN == s.instance && t.DesiredStatus() == task.Running {
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
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return ws.Write(ctx, websocket.MessageText, data)
}
