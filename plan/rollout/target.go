package rollout

import (
	"strconv"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// ailment is what a target group finds wrong with a task.
type ailment struct {
	with           service.Membership
	target, reason string
}

// reached judges a running task by the health checks of its target groups: it is
// healthy when it is in all of them that something leads to. ail is nil unless it
// is unhealthy.
func (l *look) reached(t *task.Task) (at condition, ail *ailment) {
	at = healthy
	for target := range store.Targets.By(l.view, store.TargetsByTask, t.ARN) {
		if !l.checked(target) {
			continue
		}
		h, _ := store.TargetHealth.Get(l.view, target.Key())
		switch seen := balancer.Effective(h); seen.State {
		case balancer.Healthy:
		case balancer.Unhealthy:
			return unhealthy, l.ails(target, seen.Detail)
		default:
			at = unproven
		}
	}
	return at, nil
}

// ails says what is wrong with a target, as the kind of its balancer has it.
func (l *look) ails(t *balancer.Target, detail string) *ailment {
	if g, ok := store.TargetGroups.Get(l.view, t.GroupARN); ok && g.ClassicARN != "" {
		return &ailment{store.MembershipOf(l.view, t.GroupARN), "instance " + t.ID, balancer.ClassicUnhealthy}
	}
	return &ailment{store.MembershipOf(l.view, t.GroupARN), "port " + strconv.Itoa(t.Port), detail}
}

// checked tells whether an edge is to find out how the target is.
func (l *look) checked(t *balancer.Target) bool {
	g, ok := store.TargetGroups.Get(l.view, t.GroupARN)
	return ok && t.DrainingSince.IsZero() && (g.ClassicARN != "" || store.TargetGroupLed(l.view, g.ARN))
}

// linked tells whether requests come to a task by target groups.
func linked(t *task.Task) bool {
	for i := range t.Spec.Links {
		if t.Spec.Links[i].RegistryARN == "" {
			return true
		}
	}
	return false
}

// graced is unhealthy once the grace period of a task is over.
func (l *look) graced(t *task.Task) condition {
	grace := t.Observed.StartedAt.Add(time.Duration(value(l.next.Spec.HealthCheckGrace)) * time.Second)
	if l.now.Before(grace) {
		l.wait(grace)
		return unproven
	}
	return unhealthy
}

// why is the stoppedReason of an unhealthy member; what a target group found is said
// in the event log as well.
func (l *look) why(m *member) string {
	if m.ail == nil {
		return service.ReasonUnhealthy
	}
	l.says = append(l.says, service.Event{Message: l.next.SayUnhealthy(m.ail.target, m.ail.with, m.ail.reason)})
	return service.ReasonTarget(m.ail.with)
}

// examined names the service of the task whose target an edge told about.
func examined(v *store.View, target string) []string {
	t, ok := store.Targets.Get(v, target)
	if !ok || t.TaskARN == "" {
		return nil
	}
	if of, ok := store.Tasks.Get(v, t.TaskARN); ok {
		return []string{service.ARNOf(of)}
	}
	return nil
}
