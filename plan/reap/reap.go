// Package reap forgets what has served: instances an hour after they were
// deregistered, keys and tokens that have ended, task definitions whose deletion
// was asked for. It also gives up the tasks of lost instances, if and only if it is
// told to. Stopped tasks are plane/history's to end.
package reap

import (
	"time"

	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// Options of the planner.
type Options struct {
	// InstanceLost is how long an instance may be without a session before its
	// tasks are given up and may run elsewhere; 0 for never. An instance that
	// was only cut off goes on running them until it is back: who sets this
	// accepts that a task may run twice.
	InstanceLost time.Duration
}

const (
	// keepDeregistered is AWS's hour.
	keepDeregistered = time.Hour
	// keepExpired lets a clock that is a little behind still find what ended.
	keepExpired = 5 * time.Minute
	// maxChanges bounds one look.
	maxChanges = 500
)

// Planner makes the planner. It wakes by the clock and, to find lost instances
// and doomed definitions soon, by changes of those.
func Planner(o Options) plan.Planner {
	return plan.Planner{
		Name:  "reap",
		Wakes: []store.Descriptor{store.Instances, store.TaskDefinitions},
		Look: func(v *store.View, now time.Time) plan.Decision {
			l := &look{Options: o, view: v, now: now}
			l.lostInstances()
			l.deregisteredInstances()
			l.definitions()
			l.expired()
			return l.out
		},
	}
}

type look struct {
	Options
	view *store.View
	now  time.Time
	out  plan.Decision
}

// more tells whether this look may do more; if not, the next one is due at once.
func (l *look) more() bool {
	if len(l.out.Changes) < maxChanges {
		return true
	}
	l.out.Again = l.now
	return false
}

// due tells whether a moment has come, and otherwise asks to look again then.
func (l *look) due(at time.Time) bool {
	if at.After(l.now) {
		l.out.Again = plan.Earliest(l.out.Again, at)
		return false
	}
	return true
}

func (l *look) add(subject, says string, apply func(*store.Tx) error) {
	l.out.Changes = append(l.out.Changes, plan.Change{Subject: subject, Says: says, Apply: apply})
}
