package rollout_test

import (
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

func (w *stage) alarm(name string, state alarm.State) {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		a := alarm.New(scope, name, alarm.Definition{Period: 60, EvaluationPeriods: 3}, w.now)
		store.Alarms.Put(tx, a.In(state, "", "", w.now))
	})
}

func minding(s service.Strategy, rollback bool) service.Configuration {
	return service.Configuration{Strategy: s, BakeMinutes: minutes(1), Alarms: &service.Alarms{Names: []string{"errors", "missing"}, Enable: true, Rollback: rollback}}
}

// TestAlarmsFailARollout sets an alarm off while a rollout of each strategy bakes.
func TestAlarmsFailARollout(t *testing.T) {
	for _, c := range []struct {
		of   service.Configuration
		want string
	}{
		{minding(service.Rolling, true), "ROLLBACK_SUCCESSFUL, one 1/1 0/0"},
		{minding(service.Rolling, false), "STOPPED, two 1/1 0/0"},
		{minding(service.BlueGreen, true), "ROLLBACK_SUCCESSFUL CLEAN_UP, one 1/1 100/100"},
		{minding(service.BlueGreen, false), "STOPPED BAKE_TIME, two 1/1 100/100, one 1/1 0/0"},
	} {
		w := play(t, c.of, 1)
		w.alarm("errors", alarm.OK)
		w.settle()
		w.pass(time.Hour)
		if r := w.rollout("one"); r.Status != service.Successful || r.AlarmStatus != service.MonitorComplete {
			t.Errorf("%+v", r)
		}
		w.deploy("two")
		w.settle()
		if r := w.rollout("two"); r.Status != service.RolloutInProgress || r.AlarmStatus != service.MonitorMonitoring {
			t.Errorf("%+v", r)
		}
		w.alarm("errors", alarm.InAlarm)
		w.settle()
		w.is(c.want)
		if r := w.rollout("two"); r.AlarmStatus != service.MonitorTriggered || !slices.Equal(r.Triggered, []string{"errors"}) {
			t.Errorf("%+v", r)
		}
		if !w.said("(service web) (deployment ecs-svc/two) deployment failed: alarm detected.") {
			t.Error("not said")
		}
	}
}

// TestAlarmsOffAtTheStartAreNotMinded lets a mended revision be rolled out.
func TestAlarmsOffAtTheStartAreNotMinded(t *testing.T) {
	w := play(t, minding(service.Rolling, true), 1)
	w.alarm("errors", alarm.InAlarm)
	w.settle()
	w.pass(time.Minute)
	w.is("SUCCESSFUL, one 1/1 0/0")
	if r := w.rollout("one"); r.AlarmStatus != service.MonitorDisabled {
		t.Errorf("%+v", r)
	}
}

// TestRollingBakesAsLongAsItsAlarmsNeed derives the time from the alarms.
func TestRollingBakesAsLongAsItsAlarmsNeed(t *testing.T) {
	w := play(t, minding(service.Rolling, true), 1)
	w.alarm("errors", alarm.OK)
	w.settle()
	w.pass(3*time.Minute - 1)
	w.is("IN_PROGRESS, one 1/1 0/0")
	w.pass(1)
	w.is("SUCCESSFUL, one 1/1 0/0")
}

// TestAnAlarmWakesWhoMindsIt names the services of an alarm that changed its state.
func TestAnAlarmWakesWhoMindsIt(t *testing.T) {
	w := play(t, minding(service.Rolling, true), 1)
	w.settle()
	old, next := &alarm.Alarm{Scope: scope, Name: "errors", State: alarm.OK}, &alarm.Alarm{Scope: scope, Name: "errors", State: alarm.InAlarm}
	for _, c := range []struct {
		old, next *alarm.Alarm
		want      int
	}{{old, next, 1}, {next, next, 0}, {old, &alarm.Alarm{Scope: scope, Name: "other", State: alarm.InAlarm}, 0}} {
		if got := w.concerns(store.Event{Table: store.Alarms, Key: next.Key(), Old: c.old, New: c.next}); len(got) != c.want {
			t.Errorf("%+v: %v", c.next, got)
		}
	}
}
