package bus

import (
	"encoding/json"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
)

// record writes an event as one line into the target's log group. The stream is
// named after the rule and the target, and made when it is missing; the group is
// not.
func (b *Bus) record(d *delivery, r *event.Rule, t *event.Target) error {
	group, stream := event.LogGroupName(t.ARN), r.Name+"/"+t.ID
	line := []telemetry.Event{entry(t, d.event.Time, t.Payload(r, d.event, d.received))}
	rejected, err := b.Logs.Put(r.Scope, group, stream, line, nil)
	if fault.IsKind(err, fault.ResourceNotFound) {
		if err := b.Logs.CreateStream(r.Scope, group, stream); err != nil && !fault.IsKind(err, fault.ResourceAlreadyExists) {
			return err
		}
		rejected, err = b.Logs.Put(r.Scope, group, stream, line, nil)
	}
	if err != nil {
		return err
	}
	if first, end := rejected.Accepted(); first >= end {
		return fault.New(fault.InvalidParameter, "The log group takes no events of %s.", d.event.Time.UTC().Format(time.RFC3339))
	}
	return nil
}

// entry is the log event of a payload. A transformer may set its time and text:
// {"timestamp": <time>, "message": "..."}.
func entry(t *event.Target, at time.Time, payload json.RawMessage) telemetry.Event {
	out := telemetry.Event{Timestamp: at.UnixMilli(), Message: string(payload)}
	if t.Transformer == nil {
		return out
	}
	var said struct {
		Timestamp any
		Message   *string
	}
	if json.Unmarshal(payload, &said) != nil || said.Message == nil {
		return out
	}
	out.Message = *said.Message
	switch moment := said.Timestamp.(type) {
	case float64:
		out.Timestamp = int64(moment)
	case string:
		if when, err := time.Parse(time.RFC3339, moment); err == nil {
			out.Timestamp = when.UnixMilli()
		}
	}
	return out
}
