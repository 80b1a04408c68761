package bus

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// unplacedError is a launch that did not place all its tasks. As with AWS it is not
// tried again: some of them may run.
type unplacedError struct{ failures []event.LaunchFailure }

func (e *unplacedError) Error() string {
	var parts []string
	for _, f := range e.failures {
		parts = append(parts, strings.TrimSpace(f.ARN+" "+f.Reason+" "+f.Detail))
	}
	return "not every task was placed: " + strings.Join(parts, "; ")
}

// run runs a target's tasks, once for each event: a token follows from the event
// and the target.
func (b *Bus) run(d *delivery, r *event.Rule, t *event.Target) error {
	l := event.Launch{
		Scope: r.Scope, Rule: r.Name, RoleARN: t.RoleARN, Cluster: t.ARN, Parameters: t.ECS, Token: tokenOf(d.event.ID, d.ruleKey(), t.ID),
	}
	if t.Input != "" || t.InputPath != "" || t.Transformer != nil {
		l.Overrides = t.Payload(r, d.event, d.received)
	}
	if ran := b.ran(&l); ran {
		return nil
	}
	if free, err := b.makeWay(r, &l); !free || err != nil {
		return err
	}
	failures, err := b.Tasks.Launch(b.ctx, l)
	if err == nil && len(failures) > 0 {
		return &unplacedError{failures}
	}
	return err
}

func tokenOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, " ")))
	return hex.EncodeToString(sum[:])
}

// ran tells whether this launch was made before.
func (b *Bus) ran(l *event.Launch) bool {
	_, ok := store.ClientTokens.Get(b.Store.View(), store.ClientTokenKey(l.Scope, "RunTask", l.Token))
	return ok
}

// errBusy says that a launch waits for the tasks it replaces to end. It is no
// failure.
var errBusy = errors.New("the tasks to replace have not stopped yet")

// busyWait is how often it is looked whether they have.
const busyWait = time.Second

// makeWay applies the rule's concurrency policy to its tasks of the same family
// that still run; false when they forbid the launch.
func (b *Bus) makeWay(r *event.Rule, l *event.Launch) (free bool, err error) {
	policy := r.Concurrency()
	if policy == event.Allow {
		return true, nil
	}
	free = true
	for t := range store.Tasks.By(b.Store.View(), store.TasksByStartedBy, store.InCluster(l.Cluster, event.StartedBy(r.Name))) {
		if t.LastStatus() == task.Stopped || store.Family(t) != familyOf(l.Parameters.TaskDefinitionARN) {
			continue
		}
		if policy == event.Forbid {
			b.Log.Info("a rule runs no task while one of its own still runs", "rule", r.Name, "task", t.ARN)
			return false, nil
		}
		free, err = false, errBusy
		if t.DesiredStatus() == task.Stopped {
			continue
		}
		if err := b.Tasks.Stop(b.ctx, l.Scope, l.Cluster, t.ARN, "Replaced by the next run of the rule "+r.Name); err != nil {
			return false, err
		}
	}
	return free, err
}

// familyOf is the family in what names a task definition.
func familyOf(definition string) string {
	family, _, _ := strings.Cut(definition[strings.LastIndexByte(definition, '/')+1:], ":")
	return family
}
