package rollout

import (
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
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
// one, that goes first, as far as the minimum allows.
func (l *look) daemon(c *crew) {
	wanted := l.eligible()
	moves := service.Roll(l.bounds(), c.tally, l.others(), true)
	var strays, replaced []member
	occupied := map[string]bool{}
	for _, crew := range l.crews {
		for _, m := range crew.members {
			switch _, ok := wanted[m.instance]; {
			case !ok || m.leaving || m.condition == unhealthy && crew == c:
				strays = append(strays, m)
			case crew == c && occupied[m.instance]:
				strays = append(strays, m)
			case crew == c:
				occupied[m.instance] = true
			default:
				replaced = append(replaced, m)
			}
		}
	}
	for _, m := range replaced {
		occupied[m.instance] = true // its place is free once it has stopped
	}
	reason := service.ReasonScaling(c.deployment.ID)
	spare := l.toSpare(c, l.others())
	l.stop(strays, len(strays), reason)
	if c.deployment.State != service.Failed {
		l.spare = spare - healthyOf(strays)
		l.stop(replaced, moves.StopOld, reason)
		l.fill(c, wanted, occupied)
	}
}

func healthyOf(members []member) (n int) {
	for i := range members {
		if members[i].condition == healthy {
			n++
		}
	}
	return n
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
