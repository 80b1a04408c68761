package spot

import (
	"slices"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
)

// Machine is one of Fargate's, as far as Spot is concerned.
type Machine struct {
	Instance *cluster.Instance
	Usage    cluster.Usage // of all its tasks, but those that are stopping
	Spot     []*task.Task  // running there on Spot, the newest first
}

// Choose decides which Spot tasks make room for the demands that fit nowhere. A
// demand that cannot be helped costs nobody anything. It uses the machines up.
func Choose(machines []*Machine, demands []cluster.Demand) []*task.Task {
	var out []*task.Task
	for _, d := range demands {
		var at *Machine
		var victims []*task.Task
		for _, m := range machines {
			if v, ok := m.victims(d); ok && (at == nil || len(v) < len(victims) || len(v) == len(victims) && newer(v, victims)) {
				at, victims = m, v
			}
		}
		if at != nil {
			at.give(d, victims)
			out = append(out, victims...)
		}
	}
	return out
}

// newer tells whether the youngest of a is younger than the youngest of b.
func newer(a, b []*task.Task) bool {
	return len(a) > 0 && a[0].CreatedAt.After(b[0].CreatedAt)
}

// victims are the tasks to interrupt so that d fits: none where there is room, one
// where one is enough, else the newest without those that turn out not to matter.
func (m *Machine) victims(d cluster.Demand) ([]*task.Task, bool) {
	if m.fits(d, nil) {
		return nil, true
	}
	for i := range m.Spot {
		if one := m.Spot[i : i+1]; m.fits(d, one) {
			return slices.Clone(one), true
		}
	}
	for n := 2; n <= len(m.Spot); n++ {
		if m.fits(d, m.Spot[:n]) {
			return m.spare(d, slices.Clone(m.Spot[:n])), true
		}
	}
	return nil, false
}

// spare drops the victims that are not needed, beginning with the oldest.
func (m *Machine) spare(d cluster.Demand, victims []*task.Task) []*task.Task {
	for i := len(victims) - 1; i >= 0; i-- {
		if without := slices.Delete(slices.Clone(victims), i, i+1); m.fits(d, without) {
			victims = without
		}
	}
	return victims
}

// fits tells whether d has room once the victims are gone.
func (m *Machine) fits(d cluster.Demand, victims []*task.Task) bool {
	usage, share := m.without(victims), m.Instance.Share(d, true)
	return len(cluster.Lacks(&m.Instance.Registered, &usage, &share)) == 0
}

func (m *Machine) without(victims []*task.Task) cluster.Usage {
	usage := m.Usage
	for _, t := range victims {
		usage = usage.Release(&t.Assignment.Held)
	}
	return usage
}

// give reserves the room for d.
func (m *Machine) give(d cluster.Demand, victims []*task.Task) {
	share := m.Instance.Share(d, true)
	m.Usage, _ = m.without(victims).Take(&m.Instance.Registered, &share)
	m.Spot = slices.DeleteFunc(m.Spot, func(t *task.Task) bool { return slices.Contains(victims, t) })
}
