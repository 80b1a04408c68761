package logs

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
)

func (a *API) createLogStream(_ context.Context, call *gateway.Call, in *logs.CreateLogStreamRequest) (*wire.Empty, error) {
	return &wire.Empty{}, a.archive.CreateStream(call.Scope, member.Value(in.LogGroupName), member.Value(in.LogStreamName))
}

func (a *API) deleteLogStream(_ context.Context, call *gateway.Call, in *logs.DeleteLogStreamRequest) (*wire.Empty, error) {
	return &wire.Empty{}, a.archive.DeleteStream(call.Scope, member.Value(in.LogGroupName), member.Value(in.LogStreamName))
}

// streamCursor is where a page of streams ended.
type streamCursor struct {
	Name      string `json:"s"`
	LastEvent int64  `json:"t"`
}

func (a *API) describeLogStreams(_ context.Context, call *gateway.Call, in *logs.DescribeLogStreamsRequest) (*logs.DescribeLogStreamsResponse, error) {
	group, err := groupOf(call.Scope, in.LogGroupName, in.LogGroupIdentifier, "logGroupIdentifier")
	if err != nil {
		return nil, err
	}
	q := telemetry.StreamQuery{
		Prefix: member.Value(in.LogStreamNamePrefix), ByTime: in.OrderBy == logs.OrderByLastEventTime,
		Descending: member.Value(in.Descending), Limit: pageSize(in.Limit),
	}
	if q.ByTime && in.LogStreamNamePrefix != nil {
		return nil, fault.New(fault.InvalidParameter, "Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	if in.NextToken != nil {
		var after streamCursor
		if err := openPage(*in.NextToken, &after); err != nil {
			return nil, err
		}
		q.After = &telemetry.StreamCursor{Name: after.Name, LastEvent: after.LastEvent}
	}
	list, next, err := a.archive.Streams(call.Scope, group, q)
	if err != nil {
		return nil, err
	}
	out := &logs.DescribeLogStreamsResponse{LogStreams: []logs.LogStream{}}
	for _, s := range list {
		out.LogStreams = append(out.LogStreams, streamShape(call.Scope, group, s))
	}
	if next != nil {
		out.NextToken = sealPage(streamCursor{Name: next.Name, LastEvent: next.LastEvent})
	}
	return out, nil
}

func streamShape(scope arn.Scope, group string, s telemetry.Stream) logs.LogStream {
	shape := logs.LogStream{
		LogStreamName: &s.Name,
		CreationTime:  &s.Created,
		Arn:           new(telemetry.StreamARN(scope, group, s.Name)),
		StoredBytes:   new(int64), // zero at AWS too, since 2019
	}
	if s.LastIngested != 0 {
		shape.FirstEventTimestamp, shape.LastEventTimestamp, shape.LastIngestionTime = &s.FirstEvent, &s.LastEvent, &s.LastIngested
		shape.UploadSequenceToken = new(telemetry.Position{Timestamp: s.LastIngested}.String())
	}
	return shape
}
