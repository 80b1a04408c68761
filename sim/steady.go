package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// idle: when nothing more is to be expected, no planner has anything to do. What it
// would have to do nobody had told it of.
func (l *laws) idle(again time.Time) error {
	s := l.w.server
	if !again.After(s.looked) {
		return errors.New("a planner that changed nothing wants to look again at once")
	}
	if s.looked.Before(s.restless) || again.Sub(s.now()) <= time.Second {
		return nil // who waits for room looks again by the clock
	}
	v := s.leader.View()
	for _, p := range s.planners {
		for part, d := range looks(p, v, s.looked) {
			for _, c := range d.Changes {
				return errors.New(l.w.rename(fmt.Sprintf("%s would %s %s of %s, and was not woken", p.Name, c.Says, c.Subject, part)))
			}
		}
	}
	return nil
}

// looks are all that a planner has to say, by parts.
func looks(p plan.Planner, v *store.View, now time.Time) map[string]plan.Decision {
	if p.LookAt == nil {
		return map[string]plan.Decision{"": p.Look(v, now)}
	}
	out := map[string]plan.Decision{}
	for part := range p.Parts.All(v) {
		out[part] = p.LookAt(v, now, part)
	}
	return out
}

// steady: in a calm world, every service is as it is wanted, or has said why not.
func (l *laws) steady(v *store.View) error {
	for s := range store.Services.All(v) {
		if s.Status == service.Inactive {
			continue
		}
		if err := l.settled(v, s); err != nil {
			return fmt.Errorf("service %s %w: %+v", s.Name, err, s.Deployments)
		}
	}
	return nil
}

func (l *laws) settled(v *store.View, s *service.Service) error {
	d, k := s.Primary(), l.w.user.kindOf(v, s)
	running, others := 0, 0
	for t := range store.Tasks.By(v, store.TasksOfService, store.InCluster(s.ClusterARN, service.Group(s.Name))) {
		switch {
		case t.Spec.StartedBy != d.ID:
			others++
		case t.DesiredStatus() != task.Stopped && t.LastStatus() == task.Running:
			running++
		}
	}
	switch {
	case s.Status != service.Active:
		return fmt.Errorf("is %s", s.Status)
	case s.Spec.Scheduling == service.Daemon && s.Spec.Desired != able(v):
		return fmt.Errorf("wants %d tasks on %d instances", s.Spec.Desired, able(v))
	case s.Steady:
		if running != s.Spec.Desired || others > 0 || s.Rollout != "" || d.State != service.Completed || len(s.Deployments) != 1 {
			return fmt.Errorf("is said to be steady and has %d of %d, and %d others", running, s.Spec.Desired, others)
		}
	case d.State == service.Failed:
		if s.Rollout != "" {
			return errors.New("has a failed deployment and a rollout under way")
		}
	case k.ends() && s.Spec.Desired > 0:
		if r, ok := store.Rollouts.Get(v, s.Rollout); ok && k.missing && d.Failed >= maxScale {
			if b := r.Configuration.Breaker; b != nil && b.Enable && r.Status != service.RollbackInProgress {
				return errors.New("fails, and the circuit breaker does not open")
			}
		}
	case s.Spec.Desired*s.Spec.Configuration.MaximumPercent/100 <= (s.Spec.Desired*s.Spec.Configuration.MinimumPercent+99)/100:
		// Its bounds leave no room to move.
	case l.stuck(v, s):
	default:
		return fmt.Errorf("has %d of %d tasks, %d others, and is not steady; rollout %q", running, s.Spec.Desired, others, s.Rollout)
	}
	return nil
}

// able are the instances that are to have a task of a DAEMON service.
func able(v *store.View) int {
	n := 0
	for i := range store.Instances.All(v) {
		if i.Status == cluster.InstanceActive && i.OffersEC2 {
			n++
		}
	}
	return n
}

// stuck tells whether a service lacks capacity, and has said so.
func (l *laws) stuck(v *store.View, s *service.Service) bool {
	def, _ := store.TaskDefinitions.Get(v, s.Spec.Template.DefinitionARN)
	spec := &task.Spec{LaunchType: s.Spec.Template.LaunchType}
	if spec.LaunchType == workload.Fargate {
		return l.full(v, &task.Task{Spec: task.Spec{DefinitionARN: def.ARN}}) || l.addressless(v)
	}
	said := slices.ContainsFunc(s.Notices, func(n service.Notice) bool { return n.Key == "placement" })
	demand := task.Demand(def, spec)
	for i := range store.Instances.By(v, store.InstancesByCluster, s.ClusterARN) {
		fits := len(cluster.Lacks(&i.Registered, &i.Used, &demand)) == 0
		if placeable, _ := i.Placeable(); placeable && fits != (s.Spec.Scheduling == service.Daemon) {
			return said && !fits
		}
	}
	return said
}
