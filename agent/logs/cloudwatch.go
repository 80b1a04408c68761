package logs

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/berthhq/berth/agent/logs/lines"
	shape "github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/protocol/sigv4"
)

// requestTimeout bounds one request; a batch of 1 MiB takes some milliseconds.
const requestTimeout = 30 * time.Second

func newHTTPClient(trust *tls.Config) *http.Client {
	return &http.Client{Timeout: requestTimeout, Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSClientConfig:     trust,
		MaxIdleConnsPerHost: 8,
		MaxConnsPerHost:     32,
		IdleConnTimeout:     time.Minute,
	}}
}

// cloudWatch is the sink of the awslogs driver: one log stream.
type cloudWatch struct {
	client  wire.Client
	options *awslogs
	order   Order
	keys    func(ctx context.Context, taskARN string) (sigv4.Keys, error)
	refused func(events int64) // nil when nobody counts
}

func newCloudWatch(c Config, client *http.Client, order Order, o *awslogs) *cloudWatch {
	cw := &cloudWatch{options: o, order: order, keys: c.Keys}
	cw.client = wire.Client{Service: shape.API, Endpoint: c.Endpoint, HTTP: client, Sign: cw.sign}
	if o.endpoint != "" {
		cw.client.Endpoint = o.endpoint
	}
	return cw
}

func (cw *cloudWatch) sign(r *http.Request, body []byte) error {
	keys, err := cw.keys(r.Context(), cw.order.TaskARN)
	if err != nil {
		return err
	}
	return sigv4.Sign(r, body, keys, "logs", cw.options.region, time.Now())
}

// send puts a batch in the log stream, and makes the stream when it is missing.
func (cw *cloudWatch) send(ctx context.Context, stream string, b *lines.Batch) error {
	err := cw.put(ctx, stream, b)
	if hasCode(err, "ResourceNotFoundException") {
		if err := cw.ensure(ctx); err != nil {
			return err
		}
		err = cw.put(ctx, stream, b)
	}
	if hasCode(err, "InvalidParameterException") {
		// It would be refused for ever; what follows it must not wait.
		cw.count(int64(len(b.Events)))
		return nil
	}
	return err
}

func (cw *cloudWatch) put(ctx context.Context, stream string, b *lines.Batch) error {
	source := telemetry.Source{Producer: cw.order.Producer + "-" + stream, From: b.From, Through: b.Through}
	in := &shape.PutLogEventsRequest{
		LogGroupName: &cw.options.group, LogStreamName: &cw.options.stream,
		SequenceToken: new(source.Token()), LogEvents: make([]shape.InputLogEvent, len(b.Events)),
	}
	for i := range b.Events {
		in.LogEvents[i] = shape.InputLogEvent{Timestamp: &b.Events[i].Time, Message: &b.Events[i].Text}
	}
	var out shape.PutLogEventsResponse
	err := cw.client.Call(ctx, "PutLogEvents", in, &out)
	if hasCode(err, "DataAlreadyAcceptedException") {
		if expected, ok := expectedSource(err); ok {
			return &already{offset: expected.From}
		}
	}
	if err == nil {
		cw.countRejected(out.RejectedLogEventsInfo, len(b.Events))
	}
	return err
}

// expectedSource reads the token that the refusal names at its end.
func expectedSource(err error) (telemetry.Source, bool) {
	text := err.Error()
	token := text[strings.LastIndexByte(text, ' ')+1:]
	return telemetry.ParseSource(token)
}

func (cw *cloudWatch) countRejected(info *shape.RejectedLogEventsInfo, events int) {
	if info == nil {
		return
	}
	r := telemetry.Rejection{TooNew: events}
	if info.TooNewLogEventStartIndex != nil {
		r.TooNew = int(*info.TooNewLogEventStartIndex)
	}
	if info.TooOldLogEventEndIndex != nil {
		r.TooOld = int(*info.TooOldLogEventEndIndex)
	}
	if info.ExpiredLogEventEndIndex != nil {
		r.Expired = int(*info.ExpiredLogEventEndIndex)
	}
	start, end := r.Accepted()
	cw.count(int64(events - (end - start)))
}

func (cw *cloudWatch) count(events int64) {
	if cw.refused != nil && events > 0 {
		cw.refused(events)
	}
}

// probe asks whether lines may be put into the stream, without any. Only a refusal
// to do so is an answer: that none came along may be another.
func (cw *cloudWatch) probe(ctx context.Context) error {
	in := &shape.PutLogEventsRequest{LogGroupName: &cw.options.group, LogStreamName: &cw.options.stream, LogEvents: []shape.InputLogEvent{}}
	if err := cw.client.Call(ctx, "PutLogEvents", in, nil); hasCode(err, "AccessDeniedException") {
		return err
	}
	return nil
}

// ensure makes the log stream, and its group if the options say so.
func (cw *cloudWatch) ensure(ctx context.Context) error {
	err := cw.createStream(ctx)
	if cw.options.createGroup && hasCode(err, "ResourceNotFoundException") {
		err = cw.client.Call(ctx, "CreateLogGroup", &shape.CreateLogGroupRequest{LogGroupName: &cw.options.group}, nil)
		if err == nil || hasCode(err, "ResourceAlreadyExistsException") {
			err = cw.createStream(ctx)
		}
	}
	return err
}

// patience is how long the making of a container waits for berth's own server, which
// may be starting again.
const patience = time.Minute

// ensurePatiently is for a container that must not begin without its log stream.
func (cw *cloudWatch) ensurePatiently(ctx context.Context) error {
	if cw.options.endpoint != "" {
		return cw.ensure(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var pause backoff
	for {
		err := cw.ensure(ctx)
		if err == nil || refused(err) || pause.wait(ctx) != nil {
			return err
		}
	}
}

// refused tells an answer that stays the same from a failure that passes.
func refused(err error) bool {
	var refusal *wire.CallError
	return errors.As(err, &refusal) && !refusal.OurFault()
}

func (cw *cloudWatch) createStream(ctx context.Context) error {
	err := cw.client.Call(ctx, "CreateLogStream", &shape.CreateLogStreamRequest{
		LogGroupName: &cw.options.group, LogStreamName: &cw.options.stream,
	}, nil)
	if hasCode(err, "ResourceAlreadyExistsException") {
		return nil
	}
	return err
}

func hasCode(err error, code string) bool {
	var refusal *wire.CallError
	return errors.As(err, &refusal) && refusal.Code == code
}
