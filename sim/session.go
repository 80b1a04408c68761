package sim

import (
	"slices"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// session is the server's end of an agent's session. It follows the rules of
// package dispatch: greet with everything, then tell what is new; a connection
// that breaks makes up for whatever was lost.
type session struct {
	s        *server
	life     int
	agent    *agent
	instance string
	stream   *stream
	watch    *store.Watcher
	told     map[string]task.Status
}

// accept opens a session for an instance, in the place of the one before.
func (s *server) accept(a *agent, st *stream) {
	if i, ok := store.Instances.Get(s.leader.View(), a.instance); !ok || !i.DeregisteredAt.IsZero() {
		st.breakUp(latencyMax)
		return
	}
	x := &session{s: s, life: s.life, agent: a, instance: a.instance, stream: st, told: map[string]task.Status{}}
	st.serverLost = func() { x.end() }
	st.upOK = func() bool { return s.up && s.life == x.life && slices.Contains(s.sessions, x) }
	for _, old := range slices.Clone(s.sessions) {
		if old.instance == x.instance {
			s.sessions = slices.DeleteFunc(s.sessions, func(y *session) bool { return y == old })
			old.watch.Close()
			old.stream.breakUp(latencyMax)
		}
	}
	s.sessions = append(s.sessions, x)
	if !x.connected(true) {
		return
	}
	var v *store.View
	v, x.watch = s.leader.Watch(store.Tasks.TopicBy(store.TasksByInstance, x.instance))
	x.greet(v)
	s.stir()
}

// connected notes whether the instance has a session, as the dispatcher does. When
// that fails there is none, and the agent comes back.
func (x *session) connected(is bool) bool {
	_, err := x.s.leader.Update(x.s.background, func(tx *store.Tx) error {
		have, ok := store.Instances.Get(tx, x.instance)
		if !ok {
			return nil
		}
		i := *have
		i.Connected = is
		if is {
			i.ConnectedAt = x.s.now()
		} else {
			i.DisconnectedAt = x.s.now()
		}
		i.Version++
		store.Instances.Put(tx, &i)
		return nil
	})
	if err != nil {
		x.s.sessions = slices.DeleteFunc(x.s.sessions, func(y *session) bool { return y == x })
		x.stream.breakUp(latencyMax)
		return false
	}
	return true
}

// end forgets the session when its connection is lost.
func (x *session) end() {
	if !x.s.up || x.s.life != x.life || !slices.Contains(x.s.sessions, x) {
		return
	}
	x.s.sessions = slices.DeleteFunc(x.s.sessions, func(y *session) bool { return y == x })
	x.watch.Close()
	x.connected(false)
	x.s.stir()
}

func (x *session) greet(v *store.View) {
	var all []*task.Task
	for t := range store.Tasks.By(v, store.TasksByInstance, x.instance) {
		if t.LastStatus() == task.Stopped {
			break
		}
		all = append(all, t)
	}
	x.stream.toAgent(func() { x.agent.welcome(x.stream) })
	x.tell(v, all)
	wanted := map[string]task.Status{}
	for _, t := range all {
		wanted[t.ARN] = t.DesiredStatus()
	}
	x.stream.toAgent(func() { x.agent.compare(wanted, x) })
}

func (x *session) pump() {
	delta := x.watch.Take()
	var news []*task.Task
	for _, e := range delta.Events {
		_, t, _ := store.Tasks.Of(e)
		switch {
		case t == nil || t.LastStatus() == task.Stopped:
			delete(x.told, e.Key)
		case t.Assignment != nil && t.Assignment.InstanceARN == x.instance && t.Observed.Status < task.Stopped && x.told[t.ARN] < t.DesiredStatus():
			news = append(news, t)
		}
	}
	if len(news) > 0 {
		x.tell(delta.View, news)
	}
}

func (x *session) tell(v *store.View, tasks []*task.Task) {
	var orders []*task.Order
	for _, t := range tasks {
		def, _ := store.TaskDefinitions.Get(v, t.Spec.DefinitionARN)
		var around task.Surroundings
		if i, ok := store.Interfaces.Get(v, network.Key(t.Scope, t.Assignment.InterfaceID)); ok {
			subnet, _ := store.Subnets.Get(v, network.Key(t.Scope, i.SubnetID))
			vpc, _ := store.VPCs.Get(v, network.Key(t.Scope, i.VPCID))
			around.Interface = task.NewInterface(i, subnet, vpc, nil)
		}
		orders = append(orders, task.NewOrder(t, def, around))
		x.told[t.ARN] = t.DesiredStatus()
	}
	if len(orders) > 0 {
		x.stream.toAgent(func() { x.agent.receive(orders) })
	}
}

// verify answers which of an agent's candidates shall stop.
func (x *session) verify(candidates []string) {
	v := x.s.leader.View()
	var stop []string
	for _, arn := range candidates {
		t, ok := store.Tasks.Get(v, arn)
		if ok && t.Assignment != nil && t.Assignment.InstanceARN == x.instance && t.DesiredStatus() == task.Running {
			continue
		}
		stop = append(stop, arn)
	}
	x.stream.toAgent(func() { x.agent.stopStrays(stop) })
}
