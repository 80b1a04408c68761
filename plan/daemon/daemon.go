// Package daemon keeps managed daemons on the instances of their capacity
// providers: one task on each, placed before any other, replaced step by step when
// the daemon changes, and stopped last when the instance is drained.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-daemons-deployments.html
//
// A look is a full difference of one daemon; what it wants is one change, so that
// a daemon's record and its tasks never disagree.
package daemon

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// Options of the planner.
type Options struct {
	// NewID gives 32 random hex digits.
	NewID func() string
	// Proof is how long a task without a health check runs before it counts; 0 for
	// five seconds.
	Proof time.Duration
}

const (
	defaultProof = 5 * time.Second
	// firstPause and maxPause bound the waits between attempts to start tasks that
	// fail.
	firstPause = time.Second
	maxPause   = time.Minute
	// placeAgain is how long to wait before an instance without room is tried again.
	placeAgain = time.Second
)

// Planner makes the planner.
func Planner(o Options) plan.Planner {
	o.Proof = cmp.Or(o.Proof, defaultProof)
	return plan.Planner{
		Name: "daemon", Makes: true,
		Wakes: []store.Descriptor{store.Daemons, store.Tasks, store.Instances, store.Alarms},
		Parts: plan.Parts{
			All: func(v *store.View) iter.Seq[string] { return store.Daemons.Keys(v) },
			Of:  concerns,
		},
		LookAt: func(v *store.View, now time.Time, key string) plan.Decision {
			d, ok := store.Daemons.Get(v, key)
			if !ok {
				return plan.Decision{}
			}
			return newLook(o, v, now, d).decide()
		},
	}
}

// concerns names the daemons that an event gives work: a task's own, or those that
// wait for it to leave an instance; for an instance those of its cluster; for an
// alarm those it watches.
func concerns(v *store.View, e store.Event) []string {
	if old, next, ok := store.Daemons.Of(e); ok {
		return []string{cmp.Or(next, old).ARN}
	}
	if old, next, ok := store.Tasks.Of(e); ok {
		return concernsOfTask(v, cmp.Or(next, old))
	}
	if old, next, ok := store.Alarms.Of(e); ok {
		name := cmp.Or(next, old).Name
		return named(store.Daemons.All(v), func(d *daemon.Daemon) bool {
			watched, ok := store.DaemonDeployments.Get(v, d.Deployment)
			return ok && watches(watched, name)
		})
	}
	old, next, ok := store.Instances.Of(e)
	if !ok || old != nil && next != nil && !changed(old, next) {
		return nil
	}
	return named(store.Daemons.By(v, store.DaemonsByCluster, cmp.Or(next, old).ClusterARN), nil)
}

func concernsOfTask(v *store.View, t *task.Task) []string {
	if name, ok := strings.CutPrefix(t.Spec.Group, daemon.GroupPrefix); ok {
		return []string{t.Scope.Daemon(arn.NameOf(t.Spec.ClusterARN), name)}
	}
	if t.Assignment == nil {
		return nil
	}
	if i, ok := store.Instances.Get(v, t.Assignment.InstanceARN); !ok || i.Status != cluster.Draining {
		return nil
	}
	return named(store.Daemons.By(v, store.DaemonsByCluster, t.Spec.ClusterARN), nil)
}

func named(daemons iter.Seq[*daemon.Daemon], which func(*daemon.Daemon) bool) []string {
	var out []string
	for d := range daemons {
		if which == nil || which(d) {
			out = append(out, d.ARN)
		}
	}
	return out
}

func watches(d *daemon.Deployment, alarm string) bool {
	a := d.Configuration.Alarms
	return a != nil && a.Enable && !d.Status.Over() && slices.Contains(a.Names, alarm)
}

// changed tells whether an instance takes daemons otherwise than before.
func changed(old, next *cluster.Instance) bool {
	return old.Status != next.Status || old.Connected != next.Connected ||
		old.CapacityProvider != next.CapacityProvider || len(old.Attributes) != len(next.Attributes)
}

// look is one decision about one daemon.
type look struct {
	Options
	view *store.View
	now  time.Time

	was        *daemon.Daemon
	next       daemon.Daemon     // was, with what changes
	deployment daemon.Deployment // the newest, with what changes
	watched    *daemon.Deployment
	revision   *daemon.Revision // of next
	definition *workload.Definition
	images     *daemon.Revision // with images newly known; nil without

	instances []*cluster.Instance // that are to have a task
	fresh     map[string]*member  // by instance
	old       map[string]*member
	ending    map[string]bool // instances with a task that is stopping
	live      int             // tasks that have not stopped
	proven    time.Time       // start of the newest healthy task of the revision

	starts []start
	stops  []stop
	noted  []string // ended tasks that were counted
	again  time.Time
}

// member is a live task of the daemon.
type member struct {
	task    *task.Task
	healthy bool
}

type start struct {
	task   *task.Task
	place  *cluster.Instance
	demand cluster.Demand
}

type stop struct {
	arn, reason string
}

func newLook(o Options, v *store.View, now time.Time, d *daemon.Daemon) *look {
	l := &look{
		Options: o, view: v, now: now, was: d, next: *d,
		fresh: map[string]*member{}, old: map[string]*member{}, ending: map[string]bool{},
	}
	if l.watched, _ = store.DaemonDeployments.Get(v, d.Deployment); l.watched != nil {
		l.deployment = *l.watched
	}
	l.load()
	return l
}

// load finds the revision that the daemon is to have now.
func (l *look) load() {
	l.definition = nil
	if l.revision, _ = store.DaemonRevisions.Get(l.view, l.next.Revision); l.revision != nil {
		l.definition, _ = store.TaskDefinitions.Get(l.view, l.revision.Spec.DefinitionARN)
	}
}

func (l *look) decide() plan.Decision {
	l.survey()
	l.gather()
	switch {
	case l.next.Status == daemon.Deleting:
		return l.leave()
	case l.revision == nil || l.definition == nil:
		return plan.Decision{Troubles: []plan.Trouble{{Subject: l.was.ARN, Reason: "The task definition of the daemon no longer exists."}}}
	}
	l.recover()
	l.judge()
	l.move()
	return l.decision()
}

// wait asks to be looked at again at a moment.
func (l *look) wait(at time.Time) { l.again = plan.Earliest(l.again, at) }

func (l *look) underway() bool { return l.watched != nil && !l.deployment.Status.Over() }

// begun tells that the deployment has begun.
func (l *look) begun() {
	if l.deployment.Status == service.Pending {
		l.deployment.Status, l.deployment.StartedAt = service.RolloutInProgress, l.now
	}
}
