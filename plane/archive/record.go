package archive

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/telemetry"
)

// groupRecord is a group as it is stored.
type groupRecord struct {
	ID        uint64            `json:"id"`
	Account   string            `json:"account"`
	Region    string            `json:"region"`
	Name      string            `json:"name"`
	Created   int64             `json:"created"`
	Retention int               `json:"retention,omitempty"`
	Class     telemetry.Class   `json:"class"`
	KMSKey    string            `json:"kmsKey,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
	Protected bool              `json:"protected,omitempty"`
}

func encodeGroup(id uint64, scope arn.Scope, g telemetry.Group) []byte {
	value, err := json.Marshal(groupRecord{
		ID: id, Account: scope.Account, Region: scope.Region, Name: g.Name, Created: g.Created,
		Retention: g.RetentionDays, Class: g.Class, KMSKey: g.KMSKey, Tags: g.Tags, Protected: g.Protected,
	})
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return value
}

func decodeGroup(value []byte) (uint64, arn.Scope, telemetry.Group, error) {
	var r groupRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return 0, arn.Scope{}, telemetry.Group{}, fmt.Errorf("read a log group: %w", err)
	}
	return r.ID, arn.Scope{Account: r.Account, Region: r.Region}, telemetry.Group{
		Name: r.Name, Created: r.Created, RetentionDays: r.Retention, Class: r.Class,
		KMSKey: r.KMSKey, Tags: r.Tags, Protected: r.Protected,
	}, nil
}

// streamRecord is a stream as it is stored; its name is in the key.
type streamRecord struct {
	id uint64
	telemetry.Stream
}

func (s streamRecord) encode() []byte {
	b := binary.AppendUvarint(nil, s.id)
	for _, n := range []int64{s.Created, s.FirstEvent, s.LastEvent, s.LastIngested} {
		b = binary.AppendVarint(b, n)
	}
	return b
}

func decodeStream(name string, value []byte) (streamRecord, error) {
	s := streamRecord{Stream: telemetry.Stream{Name: name}}
	var n int
	s.id, n = binary.Uvarint(value)
	for _, field := range []*int64{&s.Created, &s.FirstEvent, &s.LastEvent, &s.LastIngested} {
		if n <= 0 {
			return s, fmt.Errorf("the record of log stream %s is damaged", name)
		}
		value = value[n:]
		*field, n = binary.Varint(value)
	}
	return s, nil
}

// appendEvent encodes an event. The time it came in is kept as the difference to
// its own, which is small.
func appendEvent(b []byte, stream uint64, ingested int64, e telemetry.Event) []byte {
	b = binary.AppendUvarint(b, stream)
	b = binary.AppendVarint(b, ingested-e.Timestamp)
	return append(b, e.Message...)
}

// event is a stored event whose message still lies in pebble's memory.
type event struct {
	stream   uint64
	ingested int64
	message  []byte
}

func decodeEvent(p telemetry.Position, value []byte) (event, error) {
	stream, n := binary.Uvarint(value)
	if n <= 0 {
		return event{}, fmt.Errorf("the log event at %v is damaged", p)
	}
	delay, m := binary.Varint(value[n:])
	if m <= 0 {
		return event{}, fmt.Errorf("the log event at %v is damaged", p)
	}
	return event{stream: stream, ingested: p.Timestamp + delay, message: value[n+m:]}, nil
}
