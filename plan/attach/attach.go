// Package attach looks after what tasks are given beside their place: their network
// interfaces, and their registration with load balancers and Cloud Map. A task is
// registered when it has come to run, and stops when its last requests are over. The
// address of one is given back only when the agent has
// said that the task is gone, and then rests in quarantine before anyone else gets
// it.
package attach

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// Options of the planner.
type Options struct {
	// NewID gives 32 random hex digits for events of services.
	NewID func() string
	// Quarantine is how long an address rests; 0 for two minutes: the minute
	// that DNS answers live, and one more.
	Quarantine time.Duration
	// Unconfirmed is how long an address is kept whose agent will never
	// confirm, because its instance is gone; 0 for an hour. A machine that was
	// only cut off may still be using it.
	Unconfirmed time.Duration
}

const (
	defaultQuarantine  = 2 * time.Minute
	defaultUnconfirmed = time.Hour
	// maxChanges bounds one look.
	maxChanges = 500
)

// Planner makes the planner.
func Planner(o Options) plan.Planner {
	o.Quarantine = cmp.Or(o.Quarantine, defaultQuarantine)
	o.Unconfirmed = cmp.Or(o.Unconfirmed, defaultUnconfirmed)
	return plan.Planner{
		Name:  "attach",
		Wakes: []store.Descriptor{store.Tasks, store.Interfaces, store.Targets, store.TargetHealth, store.TargetGroups},
		Look: func(v *store.View, now time.Time) plan.Decision {
			l := &look{Options: o, view: v, now: now}
			l.join()
			l.nurse()
			l.part()
			l.drain()
			l.detach()
			l.free()
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

func (l *look) add(subject, says string, apply func(*store.Tx) error) {
	l.out.Changes = append(l.out.Changes, plan.Change{Subject: subject, Says: says, Apply: apply})
}

// putDeleted stores the task with all its attachments deleted.
func putDeleted(tx *store.Tx, t *task.Task) {
	next := *t
	next.Attachments = slices.Clone(t.Attachments)
	for i := range next.Attachments {
		next.Attachments[i].Status = task.AttachmentDeleted
	}
	next.Version++
	store.Tasks.Put(tx, &next)
}

// detach releases the interfaces of stopped tasks.
func (l *look) detach() {
	for t := range store.Tasks.By(l.view, store.TasksToDetach, store.Held) {
		if !l.more() {
			return
		}
		due := l.now
		if t.Assignment != nil && t.Observed.Status != task.Stopped {
			due = store.StoppedAt(t).Add(l.Unconfirmed)
		}
		if due.After(l.now) {
			l.out.Again = plan.Earliest(l.out.Again, due)
			continue
		}
		l.add(t.ARN, "interface released", l.detached(t))
	}
}

func (l *look) detached(t *task.Task) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		have, ok := store.Tasks.Get(tx, t.ARN)
		if !ok || have.LastStatus() != task.Stopped {
			return plan.ErrStale
		}
		putDeleted(tx, have)
		for i := range store.Interfaces.By(tx, store.InterfacesByTask, t.ARN) {
			if i.ReleasedAt.IsZero() {
				released := *i
				released.ReleasedAt, released.PublicIP = l.now, netip.Addr{}
				store.Interfaces.Put(tx, &released)
			}
		}
		return nil
	}
}

// free ends the quarantine of addresses.
func (l *look) free() {
	for i := range store.Interfaces.By(l.view, store.InterfacesReleased, store.Quarantined) {
		if due := i.ReleasedAt.Add(l.Quarantine); due.After(l.now) {
			l.out.Again = plan.Earliest(l.out.Again, due)
			return // the others were released later
		}
		if !l.more() {
			return
		}
		key := network.Key(i.Scope, i.ID)
		l.add(key, "address "+i.PrivateIP.String()+" is free again", func(tx *store.Tx) error {
			if have, ok := store.Interfaces.Get(tx, key); !ok || have.ReleasedAt.IsZero() {
				return plan.ErrStale
			}
			store.Interfaces.Delete(tx, key)
			return nil
		})
	}
}
