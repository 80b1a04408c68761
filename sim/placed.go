package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/task"
)

// placed is a task as its agent knows it: what the real step decides on.
type placed struct {
	a     *agent
	local *task.Local // on the agent's disk
	truth *truth

	said      string // the last report that was acknowledged
	reporting bool
	done      bool // its end was acknowledged
	wakes     time.Time
}

func newPlaced(a *agent, o *task.Order) *placed {
	return &placed{a: a, local: task.NewLocal(o), truth: a.truthOf(o)}
}

func (p *placed) arn() string { return p.local.Order.ARN }

// never is a task that was to stop before it ever came here: there is nothing
// to give back.
func (p *placed) never() {
	for i := range p.local.Containers {
		p.local.Containers[i].Phase = task.PhaseExited
	}
	p.local.Cleaned = task.WorkDone
}

func (p *placed) wantStop() { p.local.StopWanted = true }

// adopt corrects what the agent wrote down by what it finds after a restart.
func (p *placed) adopt() {
	p.reporting, p.wakes = false, time.Time{}
	l := p.local
	if l.Prepared == task.WorkUnderway {
		l.Prepared = task.WorkNone
	}
	if l.Cleaned == task.WorkUnderway {
		l.Cleaned = task.WorkNone
	}
	for i := range l.Containers {
		c := &l.Containers[i]
		switch {
		case c.Phase == task.PhasePulling:
			c.Phase = task.PhaseWaiting
		case c.Phase == task.PhaseExited || c.Phase < task.PhaseStarting:
		case p.truth.running[i]:
			p.noteStarted(i)
		case p.truth.started[i] > 0:
			p.noteStarted(i)
			p.noteExit(i)
		default:
			c.Phase = task.PhasePulled
		}
	}
	p.advance()
}

// advance does what the step says, until there is nothing to do but wait.
func (p *placed) advance() {
	if p.done || !p.a.up {
		return
	}
	d := task.Next(p.local, p.a.clock())
	for again := len(d.Actions) > 0; again; {
		again = false
		for _, act := range d.Actions {
			again = p.do(act) || again
		}
		d = task.Next(p.local, p.a.clock())
	}
	p.report(d.Status)
	if !d.Wake.IsZero() && !d.Wake.Equal(p.wakes) {
		p.wakes = d.Wake
		p.a.later(d.Wake.Sub(p.a.clock()), p.advance)
	}
}

// do begins an action. It is true when the action is done at once.
func (p *placed) do(act task.Action) (done bool) {
	i, l, w := act.Container, p.local, p.a.w
	switch act.Verb {
	case task.Fail:
		l.StopWanted, l.StopCode, l.StopReason = true, act.Code, act.Reason
		return true
	case task.Abandon:
		l.Containers[i].Phase = task.PhaseExited
		return true
	case task.Prepare:
		l.Prepared = task.WorkUnderway
		p.truth.ready = true
		p.finish(5*time.Millisecond, func() {
			l.Prepared = task.WorkDone
			if w.chance(w.faults.prepare) {
				l.Prepared, l.StopReason = task.WorkFailed, "ResourceInitializationError: simulated"
			}
		})
	case task.Pull:
		l.Containers[i].Phase = task.PhasePulling
		p.finish(2*time.Second, func() {
			if l.Containers[i].Phase != task.PhasePulling {
				return
			}
			l.Containers[i].Phase = task.PhasePulled
			if w.chance(w.faults.pull) || w.user.kind(l.Order.Family).missing {
				l.Containers[i].Phase, l.Containers[i].Failure = task.PhaseExited, "CannotPullContainerError: simulated"
			}
		})
	case task.Start, task.Restart:
		l.Containers[i].Phase = task.PhaseStarting
		p.a.later(w.between(time.Millisecond, 50*time.Millisecond), func() {
			p.truth.run(i)
			// Between the start and the note of it, the agent may die.
			p.finish(20*time.Millisecond, func() { p.noteStarted(i) })
		})
	case task.Stop:
		l.Containers[i].Phase = task.PhaseStopping
		p.a.later(w.between(time.Millisecond, 3*time.Second), func() { p.truth.exit(i, 137) })
	case task.Clean:
		l.Cleaned = task.WorkUnderway
		p.finish(20*time.Millisecond, func() {
			p.truth.ready = false
			l.Cleaned = task.WorkDone
		})
	}
	return false
}

// finish notes an outcome some time within a duration, and goes on.
func (p *placed) finish(within time.Duration, note func()) {
	p.a.later(p.a.w.between(time.Millisecond, within), func() {
		note()
		p.advance()
	})
}

// notice that a container ended.
func (p *placed) notice(i int) {
	if p.local.Containers[i].Phase >= task.PhaseRunning {
		p.noteExit(i)
		p.advance()
	}
}

func (p *placed) noteStarted(i int) {
	c := &p.local.Containers[i]
	c.Phase = task.PhaseRunning // a stop that an earlier life began is begun again
	if c.StartedAt.IsZero() {
		c.StartedAt = p.a.clock()
	}
	if !p.truth.running[i] {
		p.noteExit(i) // it ended before it was noted to run
	}
}

func (p *placed) noteExit(i int) {
	c := &p.local.Containers[i]
	c.Phase, c.ExitedAt, c.ExitCode = task.PhaseExited, p.a.clock(), p.truth.exits[i]
}

// report tells the server what changed, one report at a time, until it hears.
func (p *placed) report(status task.Status) {
	in := &ecs.SubmitTaskStateChangeRequest{Cluster: &p.local.Order.ClusterARN, Task: new(p.arn()), Status: new(status.String())}
	if r := p.local.StopReason; r != "" && status == task.Stopped {
		in.Reason = &r
	}
	var words strings.Builder
	fmt.Fprint(&words, status)
	for i := range p.local.Containers {
		c := ecs.ContainerStateChange{ContainerName: &p.local.Order.Containers[i].Name, Status: new(p.shown(i))}
		if code := p.local.Containers[i].ExitCode; code != nil {
			c.ExitCode = new(int32(*code))
		}
		in.Containers = append(in.Containers, c)
		fmt.Fprint(&words, " ", *c.Status)
	}
	if p.reporting || words.String() == p.said || !p.changed(status) {
		return
	}
	p.reporting = true
	p.a.w.request(p.a.caller(), "SubmitTaskStateChange", in, func(_ any, err error) {
		p.reporting = false
		if err != nil && transient(err) {
			p.a.later(p.a.w.between(200*time.Millisecond, 5*time.Second), p.advance)
			return
		}
		if err != nil {
			p.a.unexpected("report of "+p.a.w.rename(p.arn()), err)
		}
		p.said = words.String()
		p.done = status == task.Stopped
		p.advance()
	})
}

// changed tells whether there is anything yet to say: the first word is that a
// container is there.
func (p *placed) changed(status task.Status) bool {
	for i := range p.local.Containers {
		if p.shown(i) != "PENDING" {
			return true
		}
	}
	return status > task.Pending
}

func (p *placed) shown(i int) string {
	switch p.local.Containers[i].Phase {
	case task.PhaseRunning, task.PhaseStopping:
		return "RUNNING"
	case task.PhaseExited:
		return "STOPPED"
	}
	return "PENDING"
}
