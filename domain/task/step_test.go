package task

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/workload"
)

var t0 = time.Unix(1_800_000_000, 0)

func order(containers ...workload.Container) *Order {
	o := &Order{ARN: "t", Desired: Running}
	for _, c := range containers {
		o.Containers = append(o.Containers, OrderContainer{Container: c})
	}
	return o
}

func verbs(d Decision) []Verb {
	var out []Verb
	for _, a := range d.Actions {
		out = append(out, a.Verb)
	}
	return out
}

func TestDependentsWaitForTheirCondition(t *testing.T) {
	for _, c := range []struct {
		name      string
		condition workload.Condition
		dep       LocalContainer
		want      Verb // "" when it must wait
	}{
		{"start waits", workload.ConditionStart, LocalContainer{Phase: PhasePulled}, ""},
		{"started", workload.ConditionStart, LocalContainer{Phase: PhaseRunning, StartedAt: t0}, Start},
		{"complete waits", workload.ConditionComplete, LocalContainer{Phase: PhaseRunning, StartedAt: t0}, ""},
		{"complete", workload.ConditionComplete, LocalContainer{Phase: PhaseExited, StartedAt: t0, ExitCode: new(3)}, Start},
		{"success", workload.ConditionSuccess, LocalContainer{Phase: PhaseExited, StartedAt: t0, ExitCode: new(0)}, Start},
		{"no success", workload.ConditionSuccess, LocalContainer{Phase: PhaseExited, StartedAt: t0, ExitCode: new(3)}, Fail},
		{"unhealthy yet", workload.ConditionHealthy, LocalContainer{Phase: PhaseRunning, StartedAt: t0, Health: UnknownHealth}, ""},
		{"healthy", workload.ConditionHealthy, LocalContainer{Phase: PhaseRunning, StartedAt: t0, Health: Healthy}, Start},
		{"gone before healthy", workload.ConditionHealthy, LocalContainer{Phase: PhaseExited, StartedAt: t0, ExitCode: new(0)}, Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLocal(order(
				workload.Container{Name: "init"},
				workload.Container{Name: "app", Essential: true, DependsOn: []workload.Dependency{{ContainerName: "init", Condition: c.condition}}},
			))
			l.Prepared = WorkDone
			l.Containers[0], l.Containers[1].Phase = c.dep, PhasePulled
			var got Verb
			for _, a := range Next(l, t0).Actions {
				if a.Container == 1 || a.Verb == Fail {
					got = a.Verb
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestStartTimeoutOfADependency(t *testing.T) {
	l := NewLocal(order(
		workload.Container{Name: "db", StartTimeout: new(10)},
		workload.Container{Name: "app", Essential: true, DependsOn: []workload.Dependency{{ContainerName: "db", Condition: workload.ConditionHealthy}}},
	))
	l.Prepared = WorkDone
	l.Containers[0] = LocalContainer{Phase: PhaseRunning, StartedAt: t0}
	l.Containers[1].Phase = PhasePulled
	if d := Next(l, t0.Add(time.Second)); len(d.Actions) != 0 || !d.Wake.Equal(t0.Add(10*time.Second)) {
		t.Errorf("before: %+v", d)
	}
	if d := Next(l, t0.Add(10*time.Second)); len(d.Actions) != 1 || d.Actions[0].Verb != Fail {
		t.Errorf("after: %+v", d)
	}
}

func TestStopsInReverseOrder(t *testing.T) {
	l := NewLocal(order(
		workload.Container{Name: "proxy"},
		workload.Container{Name: "app", Essential: true, DependsOn: []workload.Dependency{{ContainerName: "proxy", Condition: workload.ConditionStart}}},
	))
	l.Prepared, l.StopWanted = WorkDone, true
	l.Containers[0] = LocalContainer{Phase: PhaseRunning, StartedAt: t0}
	l.Containers[1] = LocalContainer{Phase: PhaseRunning, StartedAt: t0}
	d := Next(l, t0)
	if len(d.Actions) != 1 || d.Actions[0] != (Action{Verb: Stop, Container: 1}) {
		t.Fatalf("first: %+v", d)
	}
	l.Containers[1].Phase = PhaseExited
	if d = Next(l, t0); len(d.Actions) != 1 || d.Actions[0] != (Action{Verb: Stop, Container: 0}) {
		t.Fatalf("then: %+v", d)
	}
	l.Containers[0].Phase = PhaseExited
	if d = Next(l, t0); len(d.Actions) != 1 || d.Actions[0].Verb != Clean || d.Status == Stopped {
		t.Fatalf("clean: %+v", d)
	}
	l.Cleaned = WorkDone
	if d = Next(l, t0); len(d.Actions) != 0 || d.Status != Stopped {
		t.Fatalf("end: %+v", d)
	}
}

func TestRestartPolicy(t *testing.T) {
	policy := &workload.RestartPolicy{Enabled: true, IgnoredExitCodes: []int{0}, RestartAttemptPeriod: new(60)}
	for _, c := range []struct {
		name string
		code int
		ran  time.Duration
		want Verb
	}{
		{"ran long enough", 1, time.Minute, Restart},
		{"ended too early", 1, 59 * time.Second, Fail},
		{"ignored code", 0, time.Hour, Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLocal(order(workload.Container{Name: "app", Essential: true, RestartPolicy: policy}))
			l.Prepared = WorkDone
			l.Containers[0] = LocalContainer{Phase: PhaseExited, StartedAt: t0, ExitedAt: t0.Add(c.ran), ExitCode: &c.code}
			if got := verbs(Next(l, t0.Add(c.ran))); len(got) != 1 || got[0] != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestEveryTaskEnds plays an engine that does what Next says with random
// outcomes. Whatever happens, statuses never move back, no container is stopped
// before its dependents, and once a stop is wanted the task ends clean.
func TestEveryTaskEnds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(r, "containers")
		var defs []workload.Container
		for i := range n {
			c := workload.Container{Name: string(rune('a' + i)), Essential: i == 0 || rapid.Bool().Draw(r, "essential")}
			for j := range i {
				if rapid.Bool().Draw(r, "depends") {
					cond := rapid.SampledFrom([]workload.Condition{workload.ConditionStart, workload.ConditionComplete, workload.ConditionSuccess, workload.ConditionHealthy}).Draw(r, "condition")
					c.DependsOn = append(c.DependsOn, workload.Dependency{ContainerName: string(rune('a' + j)), Condition: cond})
				}
			}
			defs = append(defs, c)
		}
		l, now, last := NewLocal(order(defs...)), t0, Status(0)
		for step := range 200 {
			if step == 100 {
				l.StopWanted = true
			}
			now = now.Add(time.Second)
			d := Next(l, now)
			if d.Status < last {
				r.Fatalf("status moved from %v back to %v", last, d.Status)
			}
			if last = d.Status; last == Stopped {
				for i := range l.Containers {
					if !l.Containers[i].ended() {
						r.Fatalf("stopped with container %d in phase %d", i, l.Containers[i].Phase)
					}
				}
				return
			}
			for _, a := range d.Actions {
				play(r, l, a, now)
			}
			for i := range l.Containers {
				if l.Containers[i].Phase == PhaseRunning && rapid.IntRange(0, 9).Draw(r, "dies") == 0 {
					l.Containers[i].Phase, l.Containers[i].ExitedAt, l.Containers[i].ExitCode = PhaseExited, now, new(rapid.IntRange(0, 1).Draw(r, "code"))
				}
			}
		}
		r.Fatalf("did not end: %+v", l)
	})
}

func play(r *rapid.T, l *Local, a Action, now time.Time) {
	switch a.Verb {
	case Prepare:
		l.Prepared = rapid.SampledFrom([]Work{WorkDone, WorkDone, WorkDone, WorkFailed}).Draw(r, "prepared")
	case Pull:
		l.Containers[a.Container].Phase = PhasePulled
	case Start, Restart:
		c := &l.Containers[a.Container]
		if rapid.IntRange(0, 9).Draw(r, "fails") == 0 {
			c.Phase, c.Failure = PhaseExited, "CannotStartContainerError: no"
			return
		}
		c.Phase, c.StartedAt = PhaseRunning, now
		c.Health = rapid.SampledFrom([]Health{Healthy, Unhealthy}).Draw(r, "health")
	case Stop:
		for j := range l.Containers {
			for _, dep := range l.Order.Containers[j].DependsOn {
				if dep.ContainerName == l.Order.Containers[a.Container].Name && l.Containers[j].Phase == PhaseRunning {
					r.Fatalf("%s stopped before its dependent %s", dep.ContainerName, l.Order.Containers[j].Name)
				}
			}
		}
		l.Containers[a.Container].Phase, l.Containers[a.Container].ExitCode = PhaseExited, new(143)
	case Abandon:
		l.Containers[a.Container].Phase = PhaseExited
	case Fail:
		l.StopWanted, l.StopCode, l.StopReason = true, a.Code, a.Reason
	case Clean:
		l.Cleaned = WorkDone
	}
}
