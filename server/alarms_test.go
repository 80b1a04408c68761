package server

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/plane/metrics"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// watched is a store with one alarm on errors, two periods of ten seconds, at a
// time the test moves.
type watched struct {
	*testing.T
	alarms
	scope  arn.Scope
	errors metric.Metric
	now    time.Time
}

func watch(t *testing.T, treat alarm.Treatment) *watched {
	w := &watched{
		T: t, scope: arn.Scope{Account: "000000000000", Region: "us-east-1"}, errors: metric.Metric{Namespace: "Web", Name: "Errors"},
		now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC),
	}
	m, err := metrics.Open(t.TempDir(), metrics.Options{Now: func() time.Time { return w.now }, DiskUse: func() float64 { return 0 }})
	w.must(err)
	t.Cleanup(func() { w.must(m.Close()) })
	w.alarms = alarms{store: memory.Open(), metrics: m, log: slog.New(slog.DiscardHandler), looked: w.now}
	w.update(func(tx *store.Tx) {
		store.Alarms.Put(tx, alarm.New(w.scope, "errors", alarm.Definition{
			Metric: w.errors, Statistic: metric.Sum, Period: 10, EvaluationPeriods: 2, Operator: alarm.GreaterOrEqual, Threshold: 1, TreatMissing: treat,
		}, w.now))
	})
	return w
}

func (w *watched) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *watched) update(change func(*store.Tx)) {
	w.Helper()
	_, err := w.store.Update(context.Background(), func(tx *store.Tx) error { change(tx); return nil })
	w.must(err)
}

func (w *watched) put(v float64) {
	w.Helper()
	w.must(w.metrics.Put(w.scope, []metric.Datum{{Metric: w.errors, At: w.now, Set: metric.One(v), HighResolution: true}}))
}

// after moves the time, looks, and wants a state.
func (w *watched) after(d time.Duration, want alarm.State) {
	w.Helper()
	w.now = w.now.Add(d)
	w.must(w.look(context.Background(), w.now))
	got, _ := store.Alarms.Get(w.store.View(), alarm.Key(w.scope, "errors"))
	if got.State != want {
		w.Errorf("at %s it is %s, want %s: %s", w.now.Format("05"), got.State, want, got.Reason)
	}
}

func (w *watched) set(state alarm.State) {
	w.Helper()
	w.update(func(tx *store.Tx) {
		have, _ := store.Alarms.Get(tx, alarm.Key(w.scope, "errors"))
		store.Alarms.Put(tx, have.In(state, "set", "", w.now))
	})
}

func TestAnAlarmGoesOffAndBack(t *testing.T) {
	w := watch(t, "")
	w.put(5)
	w.after(10*time.Second, alarm.InsufficientData)
	w.put(5)
	w.after(5*time.Second, alarm.InsufficientData) // the period has not ended
	w.after(5*time.Second, alarm.InAlarm)
	w.put(0)
	w.after(10*time.Second, alarm.OK)
	w.after(40*time.Second, alarm.InsufficientData)
	var got []string
	for i := range store.AlarmHistory.By(w.store.View(), store.AlarmHistoryByAlarm, alarm.Key(w.scope, "errors")) {
		got = append(got, i.Summary)
	}
	want := []string{"Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm updated from ALARM to OK", "Alarm updated from OK to INSUFFICIENT_DATA"}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("history %q", got)
	}
}

func TestAStateSetByHandLastsUntilTheNextEvaluation(t *testing.T) {
	w := watch(t, "")
	w.after(8*time.Second, alarm.InsufficientData)
	w.set(alarm.InAlarm)
	w.after(2*time.Second, alarm.InAlarm) // set a moment ago
	w.after(10*time.Second, alarm.InsufficientData)

	ignoring := watch(t, alarm.TreatAsIgnored)
	ignoring.set(alarm.InAlarm)
	ignoring.after(time.Hour, alarm.InAlarm)

	fine := watch(t, alarm.TreatAsNotBreaching)
	fine.set(alarm.InAlarm)
	fine.after(time.Minute, alarm.OK)
}

func TestAnEvaluationDoesNotOverwriteWhatCameMeanwhile(t *testing.T) {
	w := watch(t, alarm.TreatAsBreaching)
	old, _ := store.Alarms.Get(w.store.View(), alarm.Key(w.scope, "errors"))
	w.now = w.now.Add(time.Minute)
	next := old.Evaluate(nil, w.now, w.now)
	w.set(alarm.OK)
	w.must(w.commit(context.Background(), []change{{old, next}}))
	w.update(func(tx *store.Tx) { store.Alarms.Delete(tx, old.Key()) })
	w.must(w.commit(context.Background(), []change{{old, next}}))
	for i := range store.AlarmHistory.All(w.store.View()) {
		t.Errorf("history %+v", i)
	}
}

func TestManyAlarmsChange(t *testing.T) {
	w := watch(t, alarm.TreatAsBreaching)
	one, _ := store.Alarms.Get(w.store.View(), alarm.Key(w.scope, "errors"))
	w.update(func(tx *store.Tx) {
		for n := range 2*changedAtOnce + 1 {
			next := *one
			next.Name = string(rune('A' + n))
			store.Alarms.Put(tx, &next)
		}
	})
	w.after(time.Minute, alarm.InAlarm)
	for x := range store.Alarms.All(w.store.View()) {
		if x.State != alarm.InAlarm {
			t.Errorf("%s is %s", x.Name, x.State)
		}
	}
}
