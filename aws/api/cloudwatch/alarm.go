package cloudwatch

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// putMetricAlarm makes an alarm, or gives one another definition: its state and its
// tags stay as they are.
func (a *API) putMetricAlarm(ctx context.Context, call *gateway.Call, in *cloudwatch.PutMetricAlarmInput) (*wire.Empty, error) {
	d, err := readDefinition(call.Scope, in)
	if err != nil {
		return nil, err
	}
	tags := readTags(in.Tags)
	if err := alarm.CheckTags(nil, tags); err != nil {
		return nil, err
	}
	return a.update(ctx, func(tx *store.Tx) error {
		if have, ok := store.Alarms.Get(tx, alarm.Key(call.Scope, *in.AlarmName)); ok {
			next := *have
			next.Definition, next.ChangedAt = d, call.Now
			store.Alarms.Put(tx, &next)
			store.AddAlarmItem(tx, next.Updated(call.Now))
			return nil
		}
		if err := checkRoom(tx, call.Scope); err != nil {
			return err
		}
		made := alarm.New(call.Scope, *in.AlarmName, d, call.Now)
		made.Tags = tags
		store.Alarms.Put(tx, made)
		store.AddAlarmItem(tx, made.Created(call.Now))
		return nil
	})
}

func (a *API) update(ctx context.Context, change func(*store.Tx) error) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, change)
	return &wire.Empty{}, err
}

func checkRoom(r store.Reader, scope arn.Scope) error {
	n := 0
	for range store.Alarms.Prefix(r, alarm.Prefix(scope)) {
		if n++; n >= alarm.MaxAlarms {
			return fault.New(fault.AlarmLimitExceeded, "The maximum number of alarms, %d, has been reached.", alarm.MaxAlarms).
				WithHint("delete alarms that nobody needs")
		}
	}
	return nil
}

// setAlarmState holds until the evaluation comes to another state.
func (a *API) setAlarmState(ctx context.Context, call *gateway.Call, in *cloudwatch.SetAlarmStateInput) (*wire.Empty, error) {
	if err := alarm.CheckReasonData(member.Value(in.StateReasonData)); err != nil {
		return nil, err
	}
	return a.update(ctx, func(tx *store.Tx) error {
		have, ok := store.Alarms.Get(tx, alarm.Key(call.Scope, *in.AlarmName))
		if !ok {
			return alarm.NotFound(*in.AlarmName)
		}
		next := have.In(alarm.State(in.StateValue), member.Value(in.StateReason), member.Value(in.StateReasonData), call.Now)
		store.Alarms.Put(tx, next)
		if next.State != have.State {
			store.AddAlarmItem(tx, alarm.Transition(have, next))
		}
		return nil
	})
}

func (a *API) enableAlarmActions(ctx context.Context, call *gateway.Call, in *cloudwatch.EnableAlarmActionsInput) (*wire.Empty, error) {
	return a.switchActions(ctx, call, in.AlarmNames, true)
}

func (a *API) disableAlarmActions(ctx context.Context, call *gateway.Call, in *cloudwatch.DisableAlarmActionsInput) (*wire.Empty, error) {
	return a.switchActions(ctx, call, in.AlarmNames, false)
}

// switchActions passes names of alarms that are not there over, as AWS does.
func (a *API) switchActions(ctx context.Context, call *gateway.Call, names []string, enabled bool) (*wire.Empty, error) {
	return a.update(ctx, func(tx *store.Tx) error {
		for _, name := range names {
			have, ok := store.Alarms.Get(tx, alarm.Key(call.Scope, name))
			if !ok || have.Definition.ActionsEnabled == enabled {
				continue
			}
			next := *have
			next.Definition.ActionsEnabled, next.ChangedAt = enabled, call.Now
			store.Alarms.Put(tx, &next)
			store.AddAlarmItem(tx, next.Updated(call.Now))
		}
		return nil
	})
}

// deleteAlarms deletes those that are there.
func (a *API) deleteAlarms(ctx context.Context, call *gateway.Call, in *cloudwatch.DeleteAlarmsInput) (*wire.Empty, error) {
	return a.update(ctx, func(tx *store.Tx) error {
		for _, name := range in.AlarmNames {
			if have, ok := store.Alarms.Get(tx, alarm.Key(call.Scope, name)); ok {
				store.Alarms.Delete(tx, have.Key())
				store.AddAlarmItem(tx, have.Deleted(call.Now))
			}
		}
		return nil
	})
}
