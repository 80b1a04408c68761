// Package event holds what EventBridge knows: events, the patterns that choose
// among them, what a target gets of one, the schedules that make them, and the
// rules that tie these together.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/
package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// DefaultBus is the event bus every account has.
const DefaultBus = "default"

// MaxEntryBytes bounds an event as PutEvents counts it: time, source, type,
// detail and resources.
const MaxEntryBytes = 256 << 10

// Event is what happened, in the envelope all events share.
type Event struct {
	Bus        string // by name; not in the JSON
	ID         string // a uuid; the same when the same event is sent again
	DetailType string
	Source     string
	Scope      arn.Scope
	Time       time.Time // shown to the second
	Resources  []string  // ARNs; shown empty rather than absent
	Detail     json.RawMessage
}

// envelope is the event's JSON, its members in AWS's order.
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail,omitempty"`
}

// JSON is the event as targets get it. Detail must be valid JSON.
func (e *Event) JSON() json.RawMessage { return e.encode(e.Detail) }

func (e *Event) encode(detail json.RawMessage) json.RawMessage {
	resources := e.Resources
	if resources == nil {
		resources = []string{}
	}
	return encode(envelope{
		"0", e.ID, e.DetailType, e.Source, e.Scope.Account, e.Time.UTC().Format(time.RFC3339), e.Scope.Region, resources, detail,
	})
}

// encode writes plain data, which always marshals, as compact JSON that leaves <, >
// and & as they are.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Decode reads JSON into what a Pattern matches: numbers keep the form they were
// written in.
func Decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("there is more after the JSON value")
	}
	return v, nil
}

// ID makes an event's id, a uuid, of what tells the event from all others. Equal
// parts make equal ids.
func ID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Moment is a time as the details of ECS's events show it: UTC, to the
// millisecond.
func Moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z") }
