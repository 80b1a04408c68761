package event

import (
	"hash/fnv"
	"strconv"
	"time"
)

// RetryPolicy bounds how long a delivery is tried.
type RetryPolicy struct {
	Attempts int           // retries after the first try
	MaxAge   time.Duration // of the event
}

// DefaultRetry is AWS's.
func DefaultRetry() RetryPolicy { return RetryPolicy{Attempts: 185, MaxAge: 24 * time.Hour} }

// Waits between tries double from the first to the last.
const (
	firstWait = time.Second
	lastWait  = 10 * time.Minute
)

// Again is when a delivery that began at received and failed for the nth time, n
// from 1, is tried again; false when it is given up. The wait doubles with each
// failure and differs by up to a half between events, so that many that failed
// together do not come back together.
func (p RetryPolicy) Again(eventID string, n int, received, now time.Time) (time.Time, bool) {
	if n > p.Attempts {
		return time.Time{}, false
	}
	wait := lastWait
	if n < 11 {
		wait = min(firstWait<<(n-1), lastWait)
	}
	h := fnv.New32a()
	h.Write([]byte(eventID + strconv.Itoa(n)))
	wait -= wait * time.Duration(h.Sum32()%512) / 1024
	at := now.Add(wait)
	return at, at.Sub(received) <= p.MaxAge
}
