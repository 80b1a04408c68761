package logs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"iter"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
)

const (
	// tailSession is how long a live tail lasts.
	tailSession = 3 * time.Hour
	// tailEvents is how many events one update holds; of more, a sample is sent.
	tailEvents = 500
)

func (a *API) startLiveTail(ctx context.Context, call *gateway.Call, in *logs.StartLiveTailRequest) (*logs.StartLiveTailResponse, error) {
	q, err := tailQuery(call.Scope, in)
	if err != nil {
		return nil, err
	}
	// Begun before the answer, so that nothing between is missed.
	tail, err := a.archive.Tail(call.Scope, q)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, tail.Close)
	session := &tailSessionRun{scope: call.Scope, tail: tail, interval: a.interval, start: &logs.LiveTailSessionStart{
		RequestId: &call.ID, SessionId: new(sessionID()),
		LogGroupIdentifiers: in.LogGroupIdentifiers, LogStreamNames: in.LogStreamNames,
		LogStreamNamePrefixes: in.LogStreamNamePrefixes, LogEventFilterPattern: new(member.Value(in.LogEventFilterPattern)),
	}}
	return &logs.StartLiveTailResponse{ResponseStream: session.events(ctx)}, nil
}

func tailQuery(scope arn.Scope, in *logs.StartLiveTailRequest) (q telemetry.TailQuery, err error) {
	chosen := in.LogStreamNames != nil || in.LogStreamNamePrefixes != nil
	switch {
	case in.LogStreamNames != nil && in.LogStreamNamePrefixes != nil:
		return q, fault.New(fault.InvalidParameter, "You can specify either logStreamNames or logStreamNamePrefixes, but not both.")
	case chosen && len(in.LogGroupIdentifiers) > 1:
		return q, fault.New(fault.InvalidParameter, "You can specify log streams only when you specify one log group.")
	}
	for _, identifier := range in.LogGroupIdentifiers {
		name, err := telemetry.GroupName(scope, identifier)
		if err != nil {
			return q, err
		}
		q.Groups = append(q.Groups, name)
	}
	q.Streams = telemetry.StreamSet{Names: in.LogStreamNames, Prefixes: in.LogStreamNamePrefixes}
	q.Pattern, err = parsePattern(in.LogEventFilterPattern)
	return q, err
}

func sessionID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	id := hex.EncodeToString(b[:])
	return id[:8] + "-" + id[8:12] + "-4" + id[13:16] + "-a" + id[17:20] + "-" + id[20:]
}

// tailSessionRun is one live tail.
type tailSessionRun struct {
	scope    arn.Scope
	tail     telemetry.Tail
	interval time.Duration
	start    *logs.LiveTailSessionStart
}

// events is the stream: the start, an update each interval, and at last the end of
// the session. It ends with ctx, when the caller has gone.
func (s *tailSessionRun) events(ctx context.Context) iter.Seq2[*logs.StartLiveTailResponseStream, error] {
	return func(yield func(*logs.StartLiveTailResponseStream, error) bool) {
		defer s.tail.Close()
		end := time.NewTimer(tailSession)
		defer end.Stop()
		ticker := time.NewTicker(s.interval)
		defer ticker.Stop()
		if !yield(&logs.StartLiveTailResponseStream{SessionStart: s.start}, nil) {
			return
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-end.C:
				yield(&logs.StartLiveTailResponseStream{SessionTimeoutException: &logs.SessionTimeoutException{
					Message: new("The Live Tail session has been open for three hours."),
				}}, nil)
				return
			case <-ticker.C:
				if !yield(&logs.StartLiveTailResponseStream{SessionUpdate: s.update()}, nil) {
					return
				}
			}
		}
	}
}

// update holds what came in, or an even sample of it.
func (s *tailSessionRun) update() *logs.LiveTailSessionUpdate {
	records, lost := s.tail.Take()
	sampled := lost || len(records) > tailEvents
	count := min(len(records), tailEvents)
	out := &logs.LiveTailSessionUpdate{
		SessionMetadata: &logs.LiveTailSessionMetadata{Sampled: &sampled},
		SessionResults:  make([]logs.LiveTailSessionLogEvent, count),
	}
	for i := range count {
		r := &records[i*len(records)/count]
		out.SessionResults[i] = logs.LiveTailSessionLogEvent{
			LogStreamName:      &r.Stream,
			LogGroupIdentifier: new(s.scope.Account + ":" + r.Group), // as AWS writes it here
			Message:            &r.Message,
			Timestamp:          &r.Position.Timestamp,
			IngestionTime:      &r.Ingested,
		}
	}
	return out
}
