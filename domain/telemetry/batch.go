package telemetry

import (
	"github.com/berthhq/berth/domain/fault"
)

// Limits of one PutLogEvents request.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	MaxBatchBytes  = 1 << 20
	MaxBatchEvents = 10_000
	// MaxMessageBytes is the longest message a batch can carry.
	MaxMessageBytes = MaxBatchBytes - EventOverhead
)

const (
	hour         = 3_600_000
	day          = 24 * hour
	maxBatchSpan = day
	oldest       = 14 * day
	newest       = 2 * hour
)

// Rejection says which events of a batch are not taken: a part of its start and a
// part of its end, for a batch is in order.
type Rejection struct {
	TooOld  int // end, exclusive, of the events older than 14 days; 0 when none
	Expired int // end, exclusive, of the events older than the group's retention
	TooNew  int // index of the first event more than two hours ahead; the batch's length when none
}

// Accepted are the bounds of the events that are taken; start may reach end.
func (r Rejection) Accepted() (start, end int) {
	start = max(r.TooOld, r.Expired)
	return start, max(start, r.TooNew)
}

// CheckBatch judges a batch at time now for a group with the retention. A fault
// refuses it whole.
func CheckBatch(events []Event, now int64, retentionDays int) (Rejection, error) {
	if err := checkSizes(events); err != nil {
		return Rejection{}, err
	}
	r := Rejection{TooNew: len(events)}
	for i, e := range events {
		if i > 0 && e.Timestamp < events[i-1].Timestamp {
			return Rejection{}, fault.New(fault.InvalidParameter, "Log events in a single PutLogEvents request must be in chronological order.")
		}
		if e.Timestamp < now-oldest {
			r.TooOld = i + 1
		}
		if retentionDays > 0 && e.Timestamp < now-int64(retentionDays)*day {
			r.Expired = i + 1
		}
		if e.Timestamp > now+newest {
			r.TooNew = min(r.TooNew, i)
		}
	}
	if start, end := r.Accepted(); start < end && events[end-1].Timestamp-events[start].Timestamp > maxBatchSpan {
		return Rejection{}, fault.New(fault.InvalidParameter, "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return r, nil
}

func checkSizes(events []Event) error {
	total := 0
	for i, e := range events {
		if e.Message == "" {
			return fault.New(fault.InvalidParameter,
				"1 validation error detected: Value '' at 'logEvents.%d.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1", i+1)
		}
		if len(e.Message) > MaxMessageBytes {
			return fault.New(fault.InvalidParameter, "Log event too large: %d bytes exceeds limit of %d", e.Size(), MaxBatchBytes)
		}
		total += e.Size()
	}
	if total > MaxBatchBytes {
		return fault.New(fault.InvalidParameter, "Upload too large: %d bytes exceeds limit of %d", total, MaxBatchBytes)
	}
	if len(events) > MaxBatchEvents {
		return fault.New(fault.InvalidParameter,
			"1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to %d", MaxBatchEvents)
	}
	return nil
}

// ExpiryOf is the time before which a group's events have expired; 0 when it
// keeps them for ever.
func ExpiryOf(retentionDays int, now int64) int64 {
	if retentionDays <= 0 {
		return 0
	}
	return max(0, now-int64(retentionDays)*day)
}
