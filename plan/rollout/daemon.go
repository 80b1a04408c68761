package rollout

import (
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// eligible are the instances that are to have a task of a DAEMON service: those
// that are active and meet its needs, full or not.
func (l *look) eligible() map[string]*cluster.Instance {
	out := map[string]*cluster.Instance{}
	c := l.primary()
	rev, ok := l.revision(c.deployment.RevisionARN)
	if !ok || c.definition == nil {
		return out
	}
	want := assignment.Request(l.newTask(c, rev, &rev.Template, ""), c.definition)
	for i := range store.Instances.By(l.view, store.InstancesByCluster, l.was.ClusterARN) {
		if !i.OffersEC2 || i.Status != cluster.InstanceActive {
			continue
		}
		if meets, err := placement.Meets(l.view, i, want); err == nil && meets {
			out[i.ARN] = i
		}
	}
	return out
}

// daemon gives each eligible instance its task. On an instance that has an older
// one, that goes first, as far as the minimum allows; the next comes when it has
// stopped.
func (l *look) daemon(c *crew) {
	wanted := l.eligible()
	occupied := l.ending()
	var strays, replaced, kept []member
	for _, crew := range l.crews {
		for _, m := range crew.members {
			switch _, ok := wanted[m.instance]; {
			case m.leaving && l.needed(m.instance):
				l.wait(l.now.Add(lookAgain))
			case !ok || crew == c && (m.condition == unhealthy || occupied[m.instance]):
				strays = append(strays, m)
			case crew == c:
				kept = append(kept, m)
			default:
				replaced = append(replaced, m)
			}
			occupied[m.instance] = true
		}
	}
	reason := service.ReasonScaling(c.deployment.ID)
	l.stop(strays, len(strays), reason)
	if c.deployment.State == service.Failed {
		return
	}
	fresh, old, bounds := tallyOf(kept), tallyOf(replaced), l.bounds()
	l.spare = fresh.Healthy + old.Healthy - bounds.Lower
	l.stop(replaced, service.Roll(bounds, fresh, old, true).StopOld, reason)
	l.fill(c, wanted, occupied)
}

// lookAgain is how often an instance that is being drained is looked at until its
// other tasks have gone.
const lookAgain = time.Second

// ending are the instances with a task of the service that is stopping.
func (l *look) ending() map[string]bool {
	out := map[string]bool{}
	for t := range store.Tasks.By(l.view, store.TasksOfService, store.InCluster(l.was.ClusterARN, service.Group(l.was.Name))) {
		if t.Assignment != nil && t.DesiredStatus() == task.Stopped && t.LastStatus() != task.Stopped {
			out[t.Assignment.InstanceARN] = true
		}
	}
	return out
}

// needed tells whether an instance that is being drained still has tasks of other
// services: its daemons go when those have gone.
func (l *look) needed(instance string) bool {
	for t := range store.Tasks.By(l.view, store.TasksByInstance, instance) {
		arn := service.ARNOf(t)
		if arn == "" || t.LastStatus() == task.Stopped {
			continue
		}
		if s, ok := store.Services.Get(l.view, arn); !ok || s.Spec.Scheduling != service.Daemon {
			return true
		}
	}
	return false
}

func tallyOf(members []member) service.Tally {
	var t service.Tally
	for _, m := range members {
		switch m.condition {
		case unhealthy:
			t.Unhealthy++
		case pending:
			t.Pending++
		case unproven:
			t.Unproven++
		case healthy:
			t.Healthy++
		}
	}
	return t
}

// fill starts a task on each wanted instance that has none.
func (l *look) fill(c *crew, wanted map[string]*cluster.Instance, occupied map[string]bool) {
	if retry := c.deployment.RetryAt; retry.After(l.now) {
		l.wait(retry)
		return
	}
	rev, ok := l.revision(c.deployment.RevisionARN)
	if !ok || c.definition == nil {
		return
	}
	var board *placement.Board
	for i := range store.Instances.By(l.view, store.InstancesByCluster, l.was.ClusterARN) {
		if wanted[i.ARN] == nil || occupied[i.ARN] || len(l.starts) == maxStarts {
			continue
		}
		if board == nil {
			board = placement.ClusterBoard(l.view, l.was.ClusterARN)
		}
		next := l.newTask(c, rev, &rev.Template, "")
		want := assignment.Request(next, c.definition)
		at, refusal, err := board.On(board.Index(i.ARN), want)
		switch {
		case err != nil:
			l.unplaced(nil, err.Error())
		case at == nil:
			l.unplaced([]placement.Refusal{*refusal}, "")
		default:
			l.starts = append(l.starts, start{task: next, place: i, demand: want.Demand})
		}
	}
}
