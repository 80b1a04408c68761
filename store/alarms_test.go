package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

func TestTheHistoryOfAlarmsIsBounded(t *testing.T) {
	s := memory.Open()
	scope := arn.Scope{Account: "1", Region: "r"}
	start := time.Unix(1_700_000_000, 0).UTC()
	add := func(name string, at time.Time) {
		t.Helper()
		_, err := s.Update(context.Background(), func(tx *store.Tx) error {
			store.AddAlarmItem(tx, &alarm.Item{Scope: scope, Name: name, At: at})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	count := func(name string) (n int, first time.Time) {
		for i := range store.AlarmHistory.By(s.View(), store.AlarmHistoryByAlarm, alarm.Key(scope, name)) {
			if n++; n == 1 {
				first = i.At
			}
		}
		return n, first
	}
	add("old", start)
	add("old", start)
	if n, _ := count("old"); n != 2 {
		t.Errorf("%d items of one moment, want 2", n)
	}
	for n := range alarm.HistoryItems + 5 {
		add("busy", start.Add(time.Duration(n)*time.Minute))
	}
	if n, first := count("busy"); n != alarm.HistoryItems || !first.Equal(start.Add(5*time.Minute)) {
		t.Errorf("%d items from %v on", n, first)
	}
	add("young", start.Add(alarm.HistoryAge+time.Second))
	if n, _ := count("old"); n != 0 {
		t.Errorf("%d expired items are left", n)
	}
	if n, _ := count("busy"); n != alarm.HistoryItems {
		t.Errorf("%d items are left", n)
	}
}
