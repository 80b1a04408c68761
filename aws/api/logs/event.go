package logs

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/domain/telemetry/pattern"
)

func (a *API) putLogEvents(_ context.Context, call *gateway.Call, in *logs.PutLogEventsRequest) (*logs.PutLogEventsResponse, error) {
	events := make([]telemetry.Event, len(in.LogEvents))
	for i, e := range in.LogEvents {
		events[i] = telemetry.Event{Timestamp: member.Value(e.Timestamp), Message: member.Value(e.Message)}
	}
	var source *telemetry.Source
	if s, ours := telemetry.ParseSource(member.Value(in.SequenceToken)); ours {
		source = &s
	}
	rejection, err := a.archive.Put(call.Scope, member.Value(in.LogGroupName), member.Value(in.LogStreamName), events, source)
	if err != nil {
		return nil, err
	}
	return &logs.PutLogEventsResponse{
		// Old clients send it back; nobody reads it.
		NextSequenceToken:     new(telemetry.Position{Timestamp: call.Now.UnixMilli()}.String()),
		RejectedLogEventsInfo: rejectionShape(rejection, len(events)),
	}, nil
}

func rejectionShape(r telemetry.Rejection, events int) *logs.RejectedLogEventsInfo {
	if r.TooOld == 0 && r.Expired == 0 && r.TooNew == events {
		return nil
	}
	info := &logs.RejectedLogEventsInfo{
		TooOldLogEventEndIndex:  member.Present(int32(r.TooOld)),
		ExpiredLogEventEndIndex: member.Present(int32(r.Expired)),
	}
	if r.TooNew < events {
		info.TooNewLogEventStartIndex = new(int32(r.TooNew))
	}
	return info
}

func (a *API) getLogEvents(_ context.Context, call *gateway.Call, in *logs.GetLogEventsRequest) (*logs.GetLogEventsResponse, error) {
	group, err := groupOf(call.Scope, in.LogGroupName, in.LogGroupIdentifier, "logGroupIdentifier")
	if err != nil {
		return nil, err
	}
	q := telemetry.ReadQuery{
		Window:  telemetry.Window{Start: member.Value(in.StartTime)},
		Forward: member.Value(in.StartFromHead),
		Limit:   int(member.Value(in.Limit)),
	}
	if in.EndTime != nil {
		q.Window.End = includedEnd(*in.EndTime - 1)
	}
	if in.NextToken != nil {
		forward, gap, err := parseGapToken(*in.NextToken)
		if err != nil {
			return nil, err
		}
		q.Forward, q.From = forward, &gap
	}
	page, err := a.archive.Read(call.Scope, group, member.Value(in.LogStreamName), q)
	if err != nil {
		return nil, err
	}
	out := &logs.GetLogEventsResponse{
		Events:            make([]logs.OutputLogEvent, len(page.Records)),
		NextForwardToken:  gapToken(true, page.After),
		NextBackwardToken: gapToken(false, page.Before),
	}
	for i := range page.Records {
		r := &page.Records[i]
		out.Events[i] = logs.OutputLogEvent{Timestamp: &r.Position.Timestamp, Message: &r.Message, IngestionTime: &r.Ingested}
	}
	return out, nil
}

// includedEnd is a window's end; 0 would leave it open.
func includedEnd(end int64) int64 {
	if end == 0 {
		return -1
	}
	return end
}

// searchCursor is where a page of a search ended.
type searchCursor struct {
	Position string `json:"e"`
}

func (a *API) filterLogEvents(ctx context.Context, call *gateway.Call, in *logs.FilterLogEventsRequest) (*logs.FilterLogEventsResponse, error) {
	group, err := groupOf(call.Scope, in.LogGroupName, in.LogGroupIdentifier, "logGroupIdentifier")
	if err != nil {
		return nil, err
	}
	q, err := searchQuery(in)
	if err != nil {
		return nil, err
	}
	found, err := a.archive.Search(ctx, call.Scope, group, q)
	if err != nil {
		return nil, err
	}
	out := &logs.FilterLogEventsResponse{
		Events:             make([]logs.FilteredLogEvent, len(found.Records)),
		SearchedLogStreams: []logs.SearchedLogStream{}, // empty at AWS too, since 2020
	}
	for i := range found.Records {
		r := &found.Records[i]
		out.Events[i] = logs.FilteredLogEvent{
			LogStreamName: &r.Stream, Timestamp: &r.Position.Timestamp, Message: &r.Message,
			IngestionTime: &r.Ingested, EventId: new(r.Position.String()),
		}
	}
	if found.Next != nil {
		out.NextToken = sealPage(searchCursor{Position: found.Next.String()})
	}
	return out, nil
}

func searchQuery(in *logs.FilterLogEventsRequest) (q telemetry.SearchQuery, err error) {
	if in.LogStreamNames != nil && in.LogStreamNamePrefix != nil {
		return q, fault.New(fault.InvalidParameter, "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.")
	}
	q.Window.Start = member.Value(in.StartTime)
	if in.EndTime != nil {
		q.Window.End = includedEnd(*in.EndTime)
	}
	q.Limit = int(member.Value(in.Limit))
	q.Streams.Names = in.LogStreamNames
	if in.LogStreamNamePrefix != nil {
		q.Streams.Prefixes = []string{*in.LogStreamNamePrefix}
	}
	if q.Pattern, err = parsePattern(in.FilterPattern); err != nil || in.NextToken == nil {
		return q, err
	}
	var after searchCursor
	if err := openPage(*in.NextToken, &after); err != nil {
		return q, err
	}
	from, err := telemetry.ParsePosition(after.Position)
	if err != nil {
		return q, badToken()
	}
	q.From = &from
	return q, nil
}

func parsePattern(source *string) (*pattern.Pattern, error) {
	p, err := pattern.Parse(member.Value(source))
	if err != nil {
		return nil, fault.New(fault.InvalidParameter, "%s", err.Error())
	}
	return p, nil
}
