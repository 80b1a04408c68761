package rollout

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// roomAgain is how long to wait before zones that could not be evened out for want
// of room are looked at again.
const roomAgain = time.Minute

// zone is how a service stands in an Availability Zone.
type zone struct {
	name    string
	tasks   int
	movable int // of these, those that are not protected
}

// uneven tells whether the zones differ by more than one task.
func uneven(zones []zone) bool {
	if len(zones) == 0 {
		return false
	}
	fewer := func(a, b zone) int { return cmp.Compare(a.tasks, b.tasks) }
	return slices.MaxFunc(zones, fewer).tasks-slices.MinFunc(zones, fewer).tasks > 1
}

// even decides where one more task makes the zones more even: in the emptiest zone
// that room accepts, for one of a zone with at least two more. It is empty when
// nothing can be gained.
func even(zones []zone, room func(zone string) bool) (to string) {
	most := 0
	for _, z := range zones {
		if z.movable > 0 {
			most = max(most, z.tasks)
		}
	}
	byTasks := slices.SortedStableFunc(slices.Values(zones), func(a, b zone) int { return cmp.Compare(a.tasks, b.tasks) })
	for _, z := range byTasks {
		if most-z.tasks < 2 {
			return ""
		}
		if room(z.name) {
			return z.name
		}
	}
	return ""
}

// fullest is the zone to take a task from, in return for the one that was started
// in a zone; empty when the zones are even enough by now.
func fullest(zones []zone, started string) (from string) {
	most := 0
	for _, z := range zones {
		if z.name == started {
			most = z.tasks
		}
	}
	for _, z := range zones {
		if z.movable > 0 && z.tasks > most {
			from, most = z.name, z.tasks
		}
	}
	return from
}

// balance begins to move a task when the service is as it is wanted, but not its
// zones, and one more task is within the maximum.
func (l *look) balance() {
	c := l.primary()
	d := c.deployment
	if d.Want < 2 || l.next.Spec.Rebalancing != service.Enabled || l.next.Spec.Scheduling == service.Daemon || d.State != service.Completed || !l.settled(c) || l.next.Moving != nil {
		return
	}
	rev, ok := l.revision(d.RevisionARN)
	if !ok || c.definition == nil {
		return
	}
	m := l.mover(c, rev)
	zones := m.zones()
	if !uneven(zones) {
		if slices.ContainsFunc(l.next.Notices, func(n service.Notice) bool { return n.Key == "zones" }) {
			l.says = append(l.says, service.Event{Message: l.next.SayEven(shown(zones)), Name: service.RebalancingDone})
			l.resolved("zones", "room")
		}
		return
	}
	if d.RetryAt.After(l.now) || c.tally.Live() >= l.bounds().Upper {
		l.wait(d.RetryAt)
		return
	}
	if to := even(zones, m.room); to != "" {
		l.starts = append(l.starts, start{m.task, m.place, m.want.Demand, to})
		l.next.Moving = &service.Moving{Task: m.task.ARN, Zone: to}
		l.notice("zones", service.Event{Message: l.next.SayUneven(shown(zones)), Name: service.RebalancingStarted})
		return
	}
	l.wait(l.now.Add(roomAgain))
	if m.refused != "" {
		l.notice("room", service.Event{Message: l.next.SayNoRoomIn(m.refused), Name: service.PlacementFailure, Reason: "RESOURCE"})
	}
}

// guests is how many tasks there are to be beyond those wanted, while one is moved.
// Once it is healthy, one of the fullest zone is stopped for it.
func (l *look) guests(c *crew) int {
	m := l.next.Moving
	if m == nil {
		return 0
	}
	i := slices.IndexFunc(c.members, func(x member) bool { return x.task.ARN == m.Task })
	switch {
	case i < 0 || c.members[i].leaving || c.members[i].condition == unhealthy || c.deployment.State != service.Completed:
		l.next.Moving = nil // it will not come to anything
		return 0
	case c.members[i].condition != healthy:
		return 1
	}
	l.next.Moving = nil
	from := fullest(l.tally(c), m.Zone)
	if from == "" || c.tally.Healthy <= c.deployment.Want {
		return 0 // it takes the place of one that was lost
	}
	l.spare = 1
	before := len(l.stops)
	l.stop(slices.DeleteFunc(staying(c), func(x member) bool { return x.zone != from }), 1, service.ReasonScaling(c.deployment.ID))
	for i := range l.stops[before:] {
		l.stops[before+i].zone = from
	}
	return 1
}

// tally counts the tasks by zone.
func (l *look) tally(c *crew) []zone {
	var out []zone
	for _, m := range staying(c) {
		if m.instance == "" {
			continue
		}
		i := slices.IndexFunc(out, func(z zone) bool { return z.name == m.zone })
		if i < 0 {
			i, out = len(out), append(out, zone{name: m.zone})
		}
		out[i].tasks++
		if !m.task.ProtectedUntil.After(l.now) {
			out[i].movable++
		}
	}
	slices.SortFunc(out, func(a, b zone) int { return cmp.Compare(a.name, b.name) })
	return out
}

func shown(zones []zone) []service.InZone {
	var out []service.InZone
	for _, z := range zones {
		out = append(out, service.InZone{Zone: z.name, Tasks: z.tasks})
	}
	return out
}

// mover looks for the place of a task in a zone.
type mover struct {
	l       *look
	crew    *crew
	task    *task.Task
	want    *placement.Request
	place   *cluster.Instance // where room found one
	refused string            // the zone in which it last did not
}

func (l *look) mover(c *crew, rev *service.Revision) *mover {
	t := l.template(c, rev)
	m := &mover{l: l, crew: c, task: l.newTask(c, rev, t, l.providers(c, t, 1)[0])}
	m.want = assignment.Request(m.task, c.definition)
	return m
}

// zones are those in which the service has tasks or could have them, full or not.
func (m *mover) zones() []zone {
	zones := m.l.tally(m.crew)
	for i := range m.capacity() {
		known := slices.ContainsFunc(zones, func(z zone) bool { return z.name == i.Zone })
		if ready, _ := i.Placeable(); !ready || known || i.Zone == "" || !m.subnetIn(i.Zone) {
			continue
		}
		if meets, err := placement.Meets(m.l.view, i, m.want); err == nil && meets {
			zones = append(zones, zone{name: i.Zone})
		}
	}
	slices.SortFunc(zones, func(a, b zone) int { return cmp.Compare(a.name, b.name) })
	return zones
}

// capacity are the machines that take such tasks.
func (m *mover) capacity() iter.Seq[*cluster.Instance] {
	v := m.l.view
	if m.want.Fargate {
		return store.Instances.By(v, store.InstancesByOffer, store.OfferFargate)
	}
	return func(yield func(*cluster.Instance) bool) {
		for i := range store.Instances.By(v, store.InstancesByCluster, m.l.was.ClusterARN) {
			if i.OffersEC2 && (m.want.Provider == "" || i.CapacityProvider == m.want.Provider) && !yield(i) {
				return
			}
		}
	}
}

// subnetIn tells whether a task with an address of its own can have one in a zone.
func (m *mover) subnetIn(zone string) bool {
	n := m.task.Spec.NetworkConfiguration
	return n == nil || slices.ContainsFunc(n.Subnets, func(id string) bool {
		s, ok := store.Subnets.Get(m.l.view, network.Key(m.l.was.Scope, id))
		return ok && s.Zone == zone
	})
}

// room finds the task a place in a zone.
func (m *mover) room(zone string) bool {
	board := placement.ClusterBoard
	if m.want.Fargate {
		board = func(r store.Reader, _ string) *placement.Board { return placement.FargateBoard(r) }
	}
	want := *m.want
	want.Constraints = append(slices.Clone(want.Constraints), workload.Constraint{Type: "memberOf", Expression: "attribute:ecs.availability-zone == " + zone})
	at, _, err := board(m.l.view, m.l.was.ClusterARN).Place(&want)
	if err != nil || at == nil {
		m.refused = zone
		return false
	}
	m.place = at.Instance
	return true
}
