package bus_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/bus"
	"github.com/berthhq/berth/store"
)

// details reads a member of the details of events.
func details(lines []map[string]any, member string) (out []string) {
	for _, l := range lines {
		detail, _ := l["detail"].(map[string]any)
		word, _ := detail[member].(string)
		out = append(out, word)
	}
	return out
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestStateChangesReachALogGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		b, end := h.open()
		defer func() { end() }()
		h.task("before", 1, nil)
		synctest.Wait()
		h.rule(event.Rule{Name: "stops", Pattern: `{"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"]}}`, Targets: []event.Target{toLog()}})
		h.rule(event.Rule{Name: "off", State: event.Disabled, Pattern: `{"source": ["aws.ecs"]}`, Targets: []event.Target{toLog()}})
		synctest.Wait()
		h.task("one", 1, nil)
		h.task("one", 2, stop)
		h.task("two", 1, stop)
		synctest.Wait()
		expect(t, "stopped", details(h.lines(), "taskArn"), []string{scope.Task("default", "one"), scope.Task("default", "two")})
		if s := b.Stats(); s != (bus.Stats{Delivered: 2}) {
			t.Errorf("%+v", s)
		}

		// While nobody runs, one more stops; what stopped shortly before is sent
		// again under the same id.
		end()
		time.Sleep(time.Second)
		first := h.lines()
		h.task("three", 1, stop)
		_, end = h.open()
		synctest.Wait()
		lines := h.lines()
		arns := details(lines[2:], "taskArn")
		slices.Sort(arns)
		expect(t, "after a restart", arns, []string{scope.Task("default", "one"), scope.Task("default", "three"), scope.Task("default", "two")})
		for _, l := range lines[2:] {
			if arn := details([]map[string]any{l}, "taskArn")[0]; arn == scope.Task("default", "one") && l["id"] != first[0]["id"] {
				t.Error("the same state has another id")
			}
		}

		// Long after, only what is new.
		h.task("four", 1, stop)
		time.Sleep(time.Hour)
		h.task("five", 1, stop)
		time.Sleep(20 * time.Second) // the cursor is stored
		end()
		time.Sleep(time.Hour)
		h.task("six", 1, stop)
		have := len(h.lines())
		_, end = h.open()
		synctest.Wait()
		arns = details(h.lines()[have:], "taskArn")
		slices.Sort(arns)
		expect(t, "after another restart", arns, []string{scope.Task("default", "five"), scope.Task("default", "six")})
	})
}

func TestWithoutRulesNothingIsWatchedOrStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		_, end := h.open()
		defer end()
		synctest.Wait()
		h.task("one", 1, stop)
		synctest.Wait()
		if n := store.EventCursors.Len(h.store.View()); n != 0 {
			t.Errorf("%d cursors", n)
		}
		h.rule(event.Rule{Name: "r", Pattern: `{"source": ["aws.ecs"]}`, Targets: []event.Target{toLog()}})
		synctest.Wait()
		if n := store.EventCursors.Len(h.store.View()); n != 1 || len(h.lines()) != 0 {
			t.Errorf("%d cursors, %d events of before the rule", n, len(h.lines()))
		}
		h.update(func(tx *store.Tx) { store.Rules.Delete(tx, store.RuleKey(scope, event.DefaultBus, "r")) })
		synctest.Wait()
		if n := store.EventCursors.Len(h.store.View()); n != 0 {
			t.Errorf("%d cursors without rules", n)
		}
	})
}

func TestALogLineIsTheTargetsInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		b, end := h.open()
		defer end()
		target := toLog()
		target.Transformer = &event.Transformer{Paths: map[string]string{"d": "$.detail", "at": "$.time"}, Template: `{"timestamp": <at>, "message": "<d>"}`}
		h.rule(event.Rule{Name: "r", Pattern: `{"source": ["me"]}`, Targets: []event.Target{target}})
		gone := toLog()
		gone.ARN = scope.Of("logs", "log-group:/aws/events/none")
		h.rule(event.Rule{Name: "gone", Pattern: `{"source": ["me"]}`, Targets: []event.Target{gone}})
		b.Publish(event.Event{Bus: event.DefaultBus, ID: "1", Source: "me", DetailType: "t", Scope: scope, Time: time.Now(), Detail: []byte(`{"detail": {"a": "b"}}`)})
		b.Publish(event.Event{Bus: "other", ID: "2", Source: "me", DetailType: "t", Scope: scope, Time: time.Now(), Detail: []byte(`{}`)})
		synctest.Wait()
		expect(t, "line", details(h.lines(), "a"), []string{"b"})
		if s := b.Stats(); s != (bus.Stats{Delivered: 1, Failed: 1}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestASchedulesMomentFiresOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		_, end := h.open()
		_, endOther := h.open() // a second loop over the same store
		h.rule(event.Rule{Name: "every", Schedule: "rate(1 minute)", Targets: []event.Target{toTasks("job")}})
		time.Sleep(3*time.Minute + 30*time.Second)
		run := "events-rule/every PROVISIONING"
		expect(t, "after three minutes", h.tasks(), []string{run, run, run})
		end()
		endOther()
		time.Sleep(10 * time.Minute)
		_, end = h.open()
		synctest.Wait()
		expect(t, "what was missed is one", h.tasks(), []string{run, run, run, run})
		time.Sleep(time.Minute)
		synctest.Wait()
		expect(t, "and then as before", h.tasks(), []string{run, run, run, run, run})
		if n := store.Firings.Len(h.store.View()); n != 0 {
			t.Errorf("%d firings are not concluded", n)
		}
		end()
	})
}

func TestAFiringOutlivesItsProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.rule(event.Rule{Name: "nightly", Schedule: "cron(0 3 * * ? *)", Targets: []event.Target{toTasks("job")}})
		claimed := event.Firing{RuleKey: store.RuleKey(scope, event.DefaultBus, "nightly"), At: time.Now()}
		for range 2 { // the second time as if the first had not been able to conclude it
			h.update(func(tx *store.Tx) { store.Firings.Put(tx, &claimed) })
			_, end := h.open()
			synctest.Wait()
			end()
		}
		expect(t, "tasks", h.tasks(), []string{"events-rule/nightly PROVISIONING"})
		if n := store.Firings.Len(h.store.View()); n != 0 {
			t.Errorf("%d firings are not concluded", n)
		}
	})
}

func TestConcurrency(t *testing.T) {
	const going, over = "events-rule/r PROVISIONING", "events-rule/r STOPPED"
	for policy, want := range map[event.Concurrency][]string{
		event.Allow: {going, going, going}, event.Forbid: {going}, event.Replace: {over, over, going},
	} {
		t.Run(string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				_, end := h.open()
				defer end()
				h.rule(event.Rule{Name: "r", Schedule: "rate(1 minute)", Targets: []event.Target{toTasks("job:1")}, Tags: []workload.Tag{{Key: event.ConcurrencyTag, Value: string(policy)}}})
				time.Sleep(3*time.Minute + 30*time.Second)
				expect(t, "tasks", h.tasks(), want)
				if policy != event.Forbid {
					return
				}
				for one := range store.Tasks.All(h.store.View()) {
					ended := *one
					ended.Desired = task.Desired{Status: task.Stopped, StoppingAt: time.Now()}
					h.update(func(tx *store.Tx) { store.Tasks.Put(tx, &ended) })
				}
				time.Sleep(time.Minute)
				expect(t, "when the first has ended", h.tasks(), []string{over, going})
			})
		})
	}
}

func TestReplaceWaitsForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		_, end := h.open()
		defer end()
		h.rule(event.Rule{Name: "r", Schedule: "rate(10 minutes)", Targets: []event.Target{toTasks("job")}, Tags: []workload.Tag{{Key: event.ConcurrencyTag, Value: "replace"}}})
		const id = "0123456789abcdef0123456789abcdef"
		h.task(id, 1, func(o *task.Task) {
			o.Spec.StartedBy, o.Assignment, o.Observed.Status = event.StartedBy("r"), &task.Assignment{InstanceARN: "i"}, task.Running
		})
		time.Sleep(10*time.Minute + 30*time.Second)
		expect(t, "while it stops", h.tasks(), []string{"events-rule/r STOPPING"})
		old, _ := store.Tasks.Get(h.store.View(), scope.Task("default", id))
		ended := *old
		ended.Observed.Status, ended.Assignment = task.Stopped, &task.Assignment{InstanceARN: "i", Released: true}
		h.update(func(tx *store.Tx) { store.Tasks.Put(tx, &ended) })
		time.Sleep(2 * time.Second)
		expect(t, "when it has stopped", h.tasks(), []string{"events-rule/r STOPPED", "events-rule/r PROVISIONING"})
	})
}

func TestAScheduledTaskThatFailsIsAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		b, end := h.open()
		defer end()
		h.rule(event.Rule{Name: "failures", Pattern: `{"source": ["berth.events"], "detail-type": ["Scheduled Task Failure"]}`, Targets: []event.Target{toLog()}})
		noPlace := toTasks("job")
		noPlace.ID, noPlace.ECS.LaunchType = "odd", "EC2"
		h.rule(event.Rule{Name: "every", Schedule: "rate(1 hour)", Targets: []event.Target{toTasks("missing"), noPlace}})
		time.Sleep(time.Hour + time.Second)
		lines := h.lines()
		slices.SortFunc(lines, func(a, b map[string]any) int {
			return slices.Compare(details([]map[string]any{a}, "targetId"), details([]map[string]any{b}, "targetId"))
		})
		expect(t, "targets", details(lines, "targetId"), []string{"odd", "run"})
		expect(t, "codes", details(lines, "errorCode"), []string{fault.InvalidParameter.String(), fault.Client.String()})
		if reasons := details(lines, "reason"); len(reasons) != 2 || reasons[1] != "TaskDefinition not found." {
			t.Errorf("reasons %q", reasons)
		}
		expect(t, "rule", details(lines, "ruleName"), []string{"every", "every"})
		if s := b.Stats(); s.Failed != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestOverridesOfATarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		b, end := h.open()
		defer end()
		target := toTasks("job")
		target.Transformer = &event.Transformer{Paths: map[string]string{"key": "$.detail.key"}, Template: `{"containerOverrides": [{"name": "app", "command": ["fetch", <key>]}]}`}
		target.ECS.Tags, target.ECS.ReferenceID, target.ECS.Count = []workload.Tag{{Key: "a", Value: "b"}}, "ref", 2
		h.rule(event.Rule{Name: "r", Pattern: `{"source": ["me"]}`, Targets: []event.Target{target}})
		b.Publish(event.Event{Bus: event.DefaultBus, ID: "1", Source: "me", DetailType: "t", Scope: scope, Time: time.Now(), Detail: []byte(`{"key": "k 1"}`)})
		synctest.Wait()
		n := 0
		for one := range store.Tasks.All(h.store.View()) {
			n++
			if o := one.Spec.Overrides.Containers; len(o) != 1 || !slices.Equal(o[0].Command, []string{"fetch", "k 1"}) || one.Spec.ReferenceID != "ref" || len(one.Tags) != 1 {
				t.Errorf("%+v, tags %v", one.Spec, one.Tags)
			}
		}
		if n != 2 {
			t.Errorf("%d tasks", n)
		}
	})
}
