package cloudwatch

import (
	"context"
	"iter"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/store"
)

// historyCursor is where a page of history ended.
type historyCursor struct {
	Nanos int64  `json:"t"`
	Key   string `json:"k"`
}

func (a *API) describeAlarmHistory(_ context.Context, call *gateway.Call, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	var after historyCursor
	if err := openPage(in.NextToken, &after); err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []cloudwatch.AlarmHistoryItem{}}
	if !ofMetrics(in.AlarmTypes) || in.AlarmContributorId != nil {
		return out, nil
	}
	ascending := in.ScanBy == cloudwatch.ScanByTimestampAscending
	var last historyCursor
	for i := range items(a.store.View(), call.Scope, in.AlarmName, ascending) {
		at := historyCursor{i.At.UnixNano(), i.Key()}
		if in.NextToken != nil && !follows(at, after, ascending) || !asked(i, in) {
			continue
		}
		if len(out.AlarmHistoryItems) == pageSize(in.MaxRecords) {
			out.NextToken = sealPage(last)
			break
		}
		out.AlarmHistoryItems, last = append(out.AlarmHistoryItems, itemShape(i)), at
	}
	return out, nil
}

// items are those of one alarm, or of all.
func items(r store.Reader, scope arn.Scope, name *string, ascending bool) iter.Seq[*alarm.Item] {
	index, key := store.AlarmHistoryByScope, alarm.Prefix(scope)
	if name != nil {
		index, key = store.AlarmHistoryByAlarm, alarm.Key(scope, *name)
	}
	if ascending {
		return store.AlarmHistory.By(r, index, key)
	}
	return store.AlarmHistory.ByDescending(r, index, key)
}

func follows(at, after historyCursor, ascending bool) bool {
	if !ascending {
		at, after = after, at
	}
	return at.Nanos > after.Nanos || at.Nanos == after.Nanos && at.Key > after.Key
}

func asked(i *alarm.Item, in *cloudwatch.DescribeAlarmHistoryInput) bool {
	return (in.HistoryItemType == "" || alarm.ItemType(in.HistoryItemType) == i.Type) &&
		(in.StartDate == nil || !i.At.Before(*in.StartDate)) && (in.EndDate == nil || !i.At.After(*in.EndDate))
}

func itemShape(i *alarm.Item) cloudwatch.AlarmHistoryItem {
	return cloudwatch.AlarmHistoryItem{
		AlarmName: &i.Name, AlarmType: cloudwatch.AlarmTypeMetricAlarm, Timestamp: &i.At,
		HistoryItemType: cloudwatch.HistoryItemType(i.Type), HistorySummary: &i.Summary, HistoryData: &i.Data,
	}
}
