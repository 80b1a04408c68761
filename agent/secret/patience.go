package secret

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/berthhq/berth/client"
)

// Patience is how a server that does not answer is asked again: after a pause that
// doubles up to the last one, for so long.
type Patience struct {
	First, Last, For time.Duration
}

var usualPatience = Patience{First: 500 * time.Millisecond, Last: 4 * time.Second, For: time.Minute}

// call calls until there is an answer that stays, and counts how often it did.
func (p Patience) call(ctx context.Context, once func() error) (tries int, err error) {
	begun, pause := time.Now(), p.First
	for {
		tries++
		if err = once(); err == nil || !passing(err) || ctx.Err() != nil || time.Since(begun) >= p.For {
			return tries, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return tries, ctx.Err()
		}
		pause = min(2*pause, p.Last)
	}
}

// passing tells a failure to reach the server, or of what is behind it, from an
// answer that stays the same.
func passing(err error) bool {
	refused, ok := errors.AsType[*client.Error](err)
	return !ok || refused.Status >= http.StatusInternalServerError || refused.Code == "ThrottlingException"
}

// retried says how often a call was made, in AWS's words.
func retried(tries int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("service call has been retried %d time(s): %w", tries, err)
}
