// Package telemetry holds what CloudWatch Logs keeps: groups of streams of log
// events, their names, their limits and the order events are read in.
//
// Times are milliseconds since 1970 UTC, as in the API.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
package telemetry

import (
	"cmp"
	"fmt"
	"strconv"
)

// EventOverhead is what AWS adds to each message when it counts bytes.
const EventOverhead = 26

// Event is one log event as a client sends it.
type Event struct {
	Timestamp int64
	Message   string
}

// Size is the event's size as AWS counts it.
func (e Event) Size() int { return len(e.Message) + EventOverhead }

// Record is an event as it is stored and read back.
type Record struct {
	Stream   string
	Position Position
	Ingested int64 // when the archive took it
	Message  string
}

// Position is an event's place in a group, and the order of events: by time, and
// at the same time by ingestion. No two events of a group share one.
type Position struct {
	Timestamp int64
	Sequence  uint64 // rises with each event ingested
}

// Next is the first place after p.
func (p Position) Next() Position {
	if p.Sequence == ^uint64(0) {
		return Position{Timestamp: p.Timestamp + 1}
	}
	return Position{Timestamp: p.Timestamp, Sequence: p.Sequence + 1}
}

// Compare orders positions as events are read.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Timestamp, q.Timestamp), cmp.Compare(p.Sequence, q.Sequence))
}

const (
	timestampDigits = 20
	sequenceDigits  = 36
)

// String is the position as 56 digits, the form AWS gives event ids. Ids sort as
// their positions do.
func (p Position) String() string {
	return fmt.Sprintf("%0*d%0*d", timestampDigits, p.Timestamp, sequenceDigits, p.Sequence)
}

// ParsePosition reads what String wrote.
func ParsePosition(s string) (Position, error) {
	if len(s) != timestampDigits+sequenceDigits {
		return Position{}, fmt.Errorf("%q is not a position of %d digits", s, timestampDigits+sequenceDigits)
	}
	timestamp, err := strconv.ParseInt(s[:timestampDigits], 10, 64)
	if err != nil || timestamp < 0 {
		return Position{}, fmt.Errorf("%q is not a position: bad time", s)
	}
	sequence, err := strconv.ParseUint(s[timestampDigits:], 10, 64)
	if err != nil {
		return Position{}, fmt.Errorf("%q is not a position: bad sequence", s)
	}
	return Position{Timestamp: timestamp, Sequence: sequence}, nil
}
