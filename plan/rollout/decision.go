package rollout

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// decision is what the look wants, as one change: all of a service or nothing.
func (l *look) decision() plan.Decision {
	d := plan.Decision{Again: l.again}
	if l.idle() {
		return d
	}
	d.Changes = []plan.Change{{Subject: l.was.ARN, Says: "roll", Apply: l.apply}}
	return d
}

func (l *look) idle() bool {
	return len(l.starts)+len(l.stops)+len(l.noted)+len(l.says)+len(l.revisions) == 0 &&
		reflect.DeepEqual(&l.next, l.was) && !l.rolloutChanged() && !l.setsChanged()
}

func (l *look) rolloutChanged() bool {
	if l.rollout == nil {
		return false
	}
	have, _ := store.Rollouts.Get(l.view, l.rollout.ARN)
	return !reflect.DeepEqual(have, l.rollout)
}

// apply makes the change, unless somebody changed the service meanwhile.
func (l *look) apply(tx *store.Tx) error {
	have, ok := store.Services.Get(tx, l.was.ARN)
	if !ok || have.Version != l.was.Version || l.rolloutStale(tx) {
		return plan.ErrStale
	}
	next := l.next
	next.Version++
	events := slices.Concat(l.startAll(tx, &next), l.stopAll(tx, &next), l.says)
	for _, arn := range l.noted {
		if t, ok := store.Tasks.Get(tx, arn); ok {
			noted := *t
			noted.Noted = true
			store.Tasks.Put(tx, &noted)
		}
	}
	for _, r := range l.revisions {
		store.ServiceRevisions.Put(tx, r)
	}
	if l.rolloutChanged() {
		r := *l.rollout
		r.UpdatedAt = l.now
		store.Rollouts.Put(tx, &r)
	}
	l.putSets(tx)
	l.weigh(tx)
	l.examine(tx)
	l.say(tx, &next, events)
	retire(tx, &next)
	store.Services.Put(tx, &next)
	return nil
}

// rolloutStale tells whether the rollout is no longer as it was seen.
func (l *look) rolloutStale(tx *store.Tx) bool {
	if l.rollout == nil {
		return false
	}
	saw, _ := store.Rollouts.Get(l.view, l.rollout.ARN)
	have, _ := store.Rollouts.Get(tx, l.rollout.ARN)
	return saw != have
}

// startAll makes the tasks. One whose place was taken meanwhile is left out.
func (l *look) startAll(tx *store.Tx, s *service.Service) []service.Event {
	started := roster{}
	for _, st := range l.starts {
		if st.place == nil {
			store.Tasks.Put(tx, st.task)
			l.note(started, st.task, st.zone)
			continue
		}
		err := tx.Try(func(tx *store.Tx) error {
			_, err := placement.Take(tx, st.task, st.place, st.demand, l.now)
			return err
		})
		if err == nil {
			l.note(started, st.task, st.zone)
		}
	}
	return started.tell(s.SayStarted, s.SayStartedIn)
}

// stopAll asks tasks to stop. Healthy ones are spared when others that counted have
// been lost since: the minimum is kept. So are those protected since.
func (l *look) stopAll(tx *store.Tx, s *service.Service) []service.Event {
	lost, stopped, unborn := l.lost(tx), roster{}, roster{}
	for _, st := range l.stops {
		t, ok := store.Tasks.Get(tx, st.arn)
		if !ok || t.DesiredStatus() == task.Stopped || l.shielded(t) {
			continue
		}
		if st.healthy && lost > 0 {
			lost--
			continue
		}
		next := *t
		next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopServiceSchedulerInitiated, StoppedReason: st.reason, StoppingAt: l.now}
		next.Version++
		store.Tasks.Put(tx, &next)
		if t.LastStatus() == task.Running {
			l.note(stopped, t, st.zone)
		} else {
			l.note(unborn, t, "")
		}
	}
	pending := func(set string, ids []string) string { return s.SayStoppedPending(set, len(ids)) }
	return append(unborn.tell(pending, nil), stopped.tell(s.SayStopped, s.SayStoppedIn)...)
}

// roster is ids of tasks by whom and what they are for.
type roster map[cause][]string

// namedAtOnce is how many tasks one line of the event log names, as on AWS, where
// tasks start ten at a time.
const namedAtOnce = 10

// cause is why tasks start or stop: for a task set, to even out a zone, or for the
// service as such when both are empty.
type cause struct{ set, zone string }

func (l *look) note(r roster, t *task.Task, zone string) {
	why := cause{zone: zone}
	if l.was.Spec.BySets() {
		why.set = t.Spec.StartedBy
	}
	r[why] = append(r[why], t.ID)
}

// tell makes the events of a roster.
func (r roster) tell(of, in func(name string, ids []string) string) (out []service.Event) {
	order := func(a, b cause) int { return cmp.Or(cmp.Compare(a.set, b.set), cmp.Compare(a.zone, b.zone)) }
	for _, why := range slices.SortedFunc(maps.Keys(r), order) {
		say, name := of, why.set
		if why.zone != "" {
			say, name = in, why.zone
		}
		for ids := range slices.Chunk(r[why], namedAtOnce) {
			out = append(out, service.Event{Message: say(name, ids)})
		}
	}
	return out
}

// shielded tells whether a task came under protection after it was decided to stop
// it.
func (l *look) shielded(t *task.Task) bool {
	saw, _ := store.Tasks.Get(l.view, t.ARN)
	return l.was.Status == service.Active && t.ProtectedUntil.After(l.now) && !saw.ProtectedUntil.After(l.now)
}

// lost is how many of the tasks that counted as healthy run no more.
func (l *look) lost(tx *store.Tx) int {
	if !slices.ContainsFunc(l.stops, func(s stop) bool { return s.healthy }) {
		return 0
	}
	n := 0
	for _, c := range l.crews {
		for _, m := range c.members {
			if m.condition != healthy {
				continue
			}
			t, ok := store.Tasks.Get(tx, m.task.ARN)
			if !ok || t.LastStatus() != task.Running || t.DesiredStatus() == task.Stopped || t.Health(c.definition.Essential) == task.Unhealthy {
				n++
			}
		}
	}
	return n
}

// say stores events and forgets those beyond the last hundred.
func (l *look) say(tx *store.Tx, s *service.Service, events []service.Event) {
	for _, e := range events {
		s.Sequence++
		e.ServiceARN, e.Sequence, e.ID, e.At = s.ARN, s.Sequence, l.uuid(), l.now
		store.ServiceEvents.Put(tx, &e)
	}
	for e := range store.ServiceEvents.Prefix(tx, store.ServiceEventPrefix(s.ARN)) {
		if e.Sequence > s.Sequence-keptEvents {
			break
		}
		store.ServiceEvents.Delete(tx, store.ServiceEventKey(s.ARN, e.Sequence))
	}
}
