package store

import (
	"time"

	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
)

// Alarms by alarm.Key.
var Alarms = &Table[alarm.Alarm]{
	ID: alarms, Noun: "alarm", Schema: 1,
	Primary: (*alarm.Alarm).Key,
	Indexes: []*Index[alarm.Alarm]{AlarmsByMetric},
}

// AlarmsByMetric finds the alarms on a metric, whatever its dimensions, by
// MetricKey.
var AlarmsByMetric = &Index[alarm.Alarm]{
	Key: func(a *alarm.Alarm) string { return MetricKey(a.Scope, a.Definition.Metric) },
}

// MetricKey is a key of AlarmsByMetric.
func MetricKey(s arn.Scope, m metric.Metric) string {
	return alarm.Prefix(s) + m.Namespace + "\x00" + m.Name
}

// AlarmHistory holds what happened to alarms, those deleted included, by the items'
// own keys. Add to it with AddAlarmItem.
var AlarmHistory = &Table[alarm.Item]{
	ID: alarmHistory, Noun: "alarm-history", Schema: 1,
	Primary: (*alarm.Item).Key,
	Indexes: []*Index[alarm.Item]{AlarmHistoryByAlarm, AlarmHistoryByScope},
}

// AlarmHistoryByAlarm orders the items of an alarm, by its alarm.Key, in time.
var AlarmHistoryByAlarm = &Index[alarm.Item]{
	Key:  func(i *alarm.Item) string { return alarm.Key(i.Scope, i.Name) },
	Rank: func(i *alarm.Item) int64 { return i.At.UnixNano() },
}

// AlarmHistoryByScope orders the items of an account and region, by alarm.Prefix, in
// time.
var AlarmHistoryByScope = &Index[alarm.Item]{
	Key:  func(i *alarm.Item) string { return alarm.Prefix(i.Scope) },
	Rank: func(i *alarm.Item) int64 { return i.At.UnixNano() },
}

// expiredAtOnce bounds the expired items that go when one comes.
const expiredAtOnce = 10

// AddAlarmItem adds to the history, and drops what is too old or too much.
func AddAlarmItem(tx *Tx, item *alarm.Item) {
	added := *item
	for taken(tx, &added) {
		added.At = added.At.Add(time.Nanosecond)
	}
	AlarmHistory.Put(tx, &added)
	dropExpiredItems(tx, alarm.Prefix(item.Scope), item.At.Add(-alarm.HistoryAge))
	dropSurplusItems(tx, alarm.Key(item.Scope, item.Name))
}

func taken(tx *Tx, item *alarm.Item) bool {
	_, there := AlarmHistory.Get(tx, item.Key())
	return there
}

func dropExpiredItems(tx *Tx, scope string, before time.Time) {
	n := 0
	for i := range AlarmHistory.By(tx, AlarmHistoryByScope, scope) {
		if n == expiredAtOnce || !i.At.Before(before) {
			return
		}
		AlarmHistory.Delete(tx, i.Key())
		n++
	}
}

func dropSurplusItems(tx *Tx, key string) {
	n := 0
	for i := range AlarmHistory.ByDescending(tx, AlarmHistoryByAlarm, key) {
		if n++; n > alarm.HistoryItems {
			AlarmHistory.Delete(tx, i.Key())
		}
	}
}
