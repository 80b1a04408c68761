// Package rollout keeps services as they are wanted: it starts and stops their
// tasks, moves them from one revision to the next, notices that a deployment fails
// and takes it back, and says what it does in the service's events.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html
//
// Each service is decided by itself, from its record, its tasks and the time. The
// arithmetic is domain/service's; placing is plan/placement's.
package rollout

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// Options of the planner.
type Options struct {
	// NewID gives 32 random hex digits for tasks and events.
	NewID func() string
	// Proof is how long a task without health checks must run before it counts
	// as healthy; 0 for five seconds. AWS waits 40.
	Proof time.Duration
	// KeepInactive is how long a deleted service is described; 0 for an hour.
	KeepInactive time.Duration
}

const (
	defaultProof        = 5 * time.Second
	defaultKeepInactive = time.Hour
	// maxStarts and maxStops bound what one look does for a service, so that the
	// first of many tasks start while the others are being decided.
	maxStarts = 200
	maxStops  = 200
	// placeAgain is how long to wait before a task that found no place is tried
	// again.
	placeAgain = time.Second
	// keptEvents is how many lines the event log of a service has.
	keptEvents = 100
	// noticeFor is how long a message is not repeated while its reason goes on.
	noticeFor = 6 * time.Hour
)

// Planner makes the planner.
func Planner(o Options) plan.Planner {
	o.Proof, o.KeepInactive = cmp.Or(o.Proof, defaultProof), cmp.Or(o.KeepInactive, defaultKeepInactive)
	return plan.Planner{
		Name: "rollout", Makes: true,
		Wakes: []store.Descriptor{store.Services, store.Rollouts, store.Tasks, store.Instances, store.Alarms, store.Secrets, store.Parameters, store.TargetHealth},
		Parts: plan.Parts{
			All: func(v *store.View) iter.Seq[string] { return store.Services.Keys(v) },
			Of:  concerns,
		},
		LookAt: func(v *store.View, now time.Time, arn string) plan.Decision {
			s, ok := store.Services.Get(v, arn)
			if !ok {
				return plan.Decision{}
			}
			return newLook(o, v, now, s).decide()
		},
	}
}

// concerns names the services that an event gives work: a task's own; for an
// instance that came, went or changed its state, those of its cluster; for an alarm,
// those whose rollouts mind it; for a secret with a new version, those that follow it.
func concerns(v *store.View, e store.Event) []string {
	if old, next, ok := store.Services.Of(e); ok {
		return []string{cmp.Or(next, old).ARN}
	}
	if old, next, ok := store.Rollouts.Of(e); ok {
		return []string{cmp.Or(next, old).ServiceARN}
	}
	if old, next, ok := store.Tasks.Of(e); ok {
		t := cmp.Or(next, old)
		if arn := service.ARNOf(t); arn != "" {
			return []string{arn}
		}
		return nil
	}
	if old, next, ok := store.Alarms.Of(e); ok {
		return alarmed(v, old, next)
	}
	if old, next, ok := store.TargetHealth.Of(e); ok {
		return examined(v, cmp.Or(next, old).Target)
	}
	if arn, ok := renewed(e); ok {
		return followers(v, arn)
	}
	old, next, ok := store.Instances.Of(e)
	if !ok || old != nil && next != nil && !changed(old, next) {
		return nil
	}
	var out []string
	for s := range store.Services.By(v, store.ServicesByCluster, cmp.Or(next, old).ClusterARN) {
		out = append(out, s.ARN)
	}
	return out
}

// changed tells whether an instance takes tasks otherwise than before. Room given
// back is left out: it changes with every task, and who waits for it looks again
// by the clock.
func changed(old, next *cluster.Instance) bool {
	return old.Status != next.Status || old.Connected != next.Connected || len(old.Attributes) != len(next.Attributes)
}

// look is one decision about one service.
type look struct {
	Options
	view *store.View
	now  time.Time

	was     *service.Service
	next    service.Service  // was, with what changes
	rollout *service.Rollout // a copy of the one under way; nil without
	expired bool             // a hook of it has in this look
	crews   []*crew          // of each deployment, in the order of next.Deployments, or of each task set
	sets    []set            // the oldest first

	starts    []start
	stops     []stop
	spare     int      // healthy tasks that may still be stopped
	noted     []string // ended tasks that were counted
	says      []service.Event
	revisions []*service.Revision // with images newly known
	again     time.Time
}

func newLook(o Options, v *store.View, now time.Time, s *service.Service) *look {
	l := &look{Options: o, view: v, now: now, was: s, next: *s, spare: math.MaxInt}
	l.next.Deployments = append([]service.Deployment(nil), s.Deployments...)
	l.next.Notices = append([]service.Notice(nil), s.Notices...)
	if r, ok := store.Rollouts.Get(v, s.Rollout); ok && !r.Status.Over() {
		next := *r
		next.Hooks = slices.Clone(r.Hooks)
		l.rollout = &next
	}
	for t := range store.TaskSets.By(v, store.TaskSetsByService, s.ARN) {
		l.sets = append(l.sets, set{was: t, next: *t})
	}
	return l
}

func (l *look) decide() plan.Decision {
	if l.was.Status == service.Inactive {
		return l.forget()
	}
	if rotated := l.rotated(); len(rotated) > 0 {
		return l.redeploy(rotated)
	}
	l.gather()
	switch {
	case l.next.Status == service.Draining:
		l.drain()
	case l.next.Spec.BySets():
		l.keepSets()
	case l.next.Primary() == nil:
	default:
		l.roll()
	}
	return l.decision()
}

// wait asks to be looked at again at a moment.
func (l *look) wait(at time.Time) { l.again = plan.Earliest(l.again, at) }

// drain stops what a deleted service still runs; then it is gone.
func (l *look) drain() {
	live := 0
	for _, c := range l.crews {
		live += c.tally.Live() + c.leaving.Live()
		c.deployment.Want = 0
		l.dismiss(c)
	}
	if live > 0 {
		return
	}
	for i := range l.sets {
		l.sets[i].gone = true
	}
	if l.rollout != nil {
		l.rollout.End(service.Stopped, "The service was deleted.", l.now)
		l.rollout.StoppedAt = l.now
		l.next.Rollout = ""
	}
	l.next.Status, l.next.EndedAt, l.next.Deployments = service.Inactive, l.now, nil
}
