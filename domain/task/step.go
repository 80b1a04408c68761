package task

import (
	"fmt"
	"time"

	"github.com/berthhq/berth/domain/workload"
)

// Verb is what the engine shall do.
type Verb string

// Verbs of an action. Each is done once, in the background; the engine marks the
// phase or work as under way before it begins and writes the outcome in Local.
const (
	Prepare Verb = "prepare" // the task's namespaces, volumes and sandbox
	Pull    Verb = "pull"    // a container's image
	Start   Verb = "start"   // create and start a container
	Restart Verb = "restart" // a new attempt of an exited container
	Stop    Verb = "stop"    // SIGTERM, then SIGKILL after the stop timeout
	Abandon Verb = "abandon" // mark a container that never started as exited
	Fail    Verb = "fail"    // set StopWanted with Code and Reason
	Clean   Verb = "clean"   // give everything back
)

// Action is one thing to do now. Container is an index into the order's
// containers, -1 for the task as a whole.
type Action struct {
	Verb      Verb
	Container int
	Code      string // of Fail
	Reason    string // of Fail
}

// Decision is what Next says: the actions that can begin now (all of them at
// once), when to ask again if nothing happens before (zero: only on events), and
// the task's status as the agent reports it.
type Decision struct {
	Actions []Action
	Wake    time.Time
	Status  Status
}

// Next decides. It is pure: the same Local and time give the same decision.
func Next(l *Local, now time.Time) Decision {
	if l.StopWanted {
		return nextStopping(l)
	}
	if code, reason, ok := fatal(l); ok {
		return Decision{Actions: []Action{{Verb: Fail, Container: -1, Code: code, Reason: reason}}, Status: status(l)}
	}
	d := Decision{Status: status(l)}
	if l.Prepared == WorkNone {
		d.Actions = append(d.Actions, Action{Verb: Prepare, Container: -1})
	}
	for i := range l.Containers {
		d.step(l, i, now)
	}
	return d
}

func (d *Decision) step(l *Local, i int, now time.Time) {
	c := &l.Containers[i]
	switch c.Phase {
	case PhaseWaiting:
		d.Actions = append(d.Actions, Action{Verb: Pull, Container: i})
	case PhasePulled:
		d.start(l, i, now)
	case PhaseExited:
		if restartable(&l.Order.Containers[i].Container, c) {
			d.Actions = append(d.Actions, Action{Verb: Restart, Container: i})
		}
	}
}

// start begins a pulled container once its dependencies allow, or fails the task
// when they cannot or took longer than their start timeout.
func (d *Decision) start(l *Local, i int, now time.Time) {
	if l.Prepared != WorkDone {
		return
	}
	ready := true
	for _, dep := range l.Order.Containers[i].DependsOn {
		j := l.index(dep.ContainerName)
		if j < 0 {
			continue // registration refuses unknown names
		}
		switch met(dep.Condition, &l.Order.Containers[j].Container, &l.Containers[j]) {
		case never:
			d.fail(fmt.Sprintf("Dependency of container %q cannot be resolved: container %q did not reach %s",
				l.Order.Containers[i].Name, dep.ContainerName, dep.Condition))
			return
		case notYet:
			ready = false
			d.deadline(l, j, now)
		}
	}
	if ready {
		d.Actions = append(d.Actions, Action{Verb: Start, Container: i})
	}
}

// deadline applies the start timeout of container j, which others wait for.
func (d *Decision) deadline(l *Local, j int, now time.Time) {
	timeout := l.Order.Containers[j].StartTimeout
	if timeout == nil || *timeout <= 0 || !l.Containers[j].started() {
		return
	}
	at := l.Containers[j].StartedAt.Add(time.Duration(*timeout) * time.Second)
	if !now.Before(at) {
		d.fail(fmt.Sprintf("Container %q did not become ready within its start timeout of %d seconds", l.Order.Containers[j].Name, *timeout))
		return
	}
	if d.Wake.IsZero() || at.Before(d.Wake) {
		d.Wake = at
	}
}

func (d *Decision) fail(reason string) {
	d.Actions = append(d.Actions, Action{Verb: Fail, Container: -1, Code: StopTaskFailedToStart, Reason: reason})
}

type readiness int

const (
	notYet readiness = iota
	yes
	never
)

func met(condition workload.Condition, def *workload.Container, c *LocalContainer) readiness {
	ended := c.ended() && !restartable(def, c)
	failed := c.Failure != ""
	switch condition {
	case workload.ConditionComplete:
		if ended && !failed {
			return yes
		}
	case workload.ConditionSuccess:
		if ended && c.ExitCode != nil && *c.ExitCode == 0 {
			return yes
		}
	case workload.ConditionHealthy:
		if c.Phase == PhaseRunning && c.Health == Healthy {
			return yes
		}
	default: // START
		if c.started() {
			return yes
		}
	}
	if ended || failed {
		return never
	}
	return notYet
}

// fatal finds what ends a task that nobody asked to stop.
func fatal(l *Local) (code, reason string, ok bool) {
	if l.Prepared == WorkFailed {
		return StopTaskFailedToStart, l.StopReason, true
	}
	alive := false
	for i := range l.Containers {
		c, def := &l.Containers[i], &l.Order.Containers[i].Container
		switch {
		case c.Failure != "" && !c.started():
			return StopTaskFailedToStart, c.Failure, true
		case !c.ended() || restartable(def, c):
			alive = true
		case def.Essential:
			return StopEssentialContainerExited, reasonEssentialExited, true
		}
	}
	if !alive && len(l.Containers) > 0 {
		return StopEssentialContainerExited, reasonEssentialExited, true
	}
	return "", "", false
}

// nextStopping stops containers in reverse order of dependency: one is stopped
// when nothing that depends on it runs any more. Then everything is given back.
func nextStopping(l *Local) Decision {
	d := Decision{Status: status(l)}
	allEnded := true
	for i := range l.Containers {
		switch l.Containers[i].Phase {
		case PhaseExited:
			continue
		case PhaseWaiting, PhasePulled:
			d.Actions = append(d.Actions, Action{Verb: Abandon, Container: i})
		case PhaseRunning:
			if !neededByRunning(l, i) {
				d.Actions = append(d.Actions, Action{Verb: Stop, Container: i})
			}
		}
		allEnded = false
	}
	switch {
	case !allEnded || l.Prepared == WorkUnderway:
	case l.Cleaned == WorkNone:
		d.Actions = append(d.Actions, Action{Verb: Clean, Container: -1})
	case l.Cleaned == WorkDone || l.Cleaned == WorkFailed:
		d.Status = Stopped
	}
	return d
}

func neededByRunning(l *Local, i int) bool {
	name := l.Order.Containers[i].Name
	for j := range l.Containers {
		p := l.Containers[j].Phase
		if p < PhaseStarting || p == PhaseExited {
			continue
		}
		for _, dep := range l.Order.Containers[j].DependsOn {
			if dep.ContainerName == name {
				return true
			}
		}
	}
	return false
}

// status is RUNNING once every container has started at least once, else PENDING.
func status(l *Local) Status {
	for i := range l.Containers {
		if !l.Containers[i].started() {
			return Pending
		}
	}
	return Running
}
