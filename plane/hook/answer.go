package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plane/function"
)

// maxAnswer bounds what is read of an answer: what Lambda lets a function return.
const maxAnswer = 6 << 20

// answer is what a function said.
type answer struct {
	Status  service.HookStatus `json:"hookStatus"`
	Delay   int                `json:"callBackDelay"` // seconds
	Details json.RawMessage    `json:"hookDetails"`
	missed  bool               // nobody was reached
	err     error              // why there is no answer
}

// ask calls a function. Whatever goes wrong is an answer, too.
func (c *Caller) ask(ctx context.Context, target string, e event) answer {
	said, err := c.Addresses.Call(ctx, target, e, maxAnswer)
	if err != nil {
		return answer{err: err, missed: errors.As(err, new(function.Unreached))}
	}
	return read(said.Status, said.Body)
}

// read understands what came back.
func read(code int, body []byte) answer {
	var a answer
	switch {
	case code == http.StatusTooManyRequests || code >= http.StatusBadGateway:
		return answer{err: fmt.Errorf("it answered with the HTTP status %d", code), missed: true}
	case code/100 != 2:
		return answer{err: fmt.Errorf("it answered with the HTTP status %d", code)}
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return answer{err: fmt.Errorf("its answer is not what a hook says: %w", err)}
	}
	switch a.Status {
	case service.HookSucceeded, service.HookFailed, service.HookInProgress:
		return a
	}
	return answer{err: fmt.Errorf("its answer has no hookStatus of SUCCEEDED, FAILED or IN_PROGRESS")}
}

// apply writes the answer into the hook. A function that gave none has failed;
// where nobody was reached it is called again, a few times.
func (a *answer) apply(h *service.HookRun, now time.Time) {
	switch {
	case a.missed && h.Missed < maxMissed:
		h.NextCallAt = now.Add(firstRetry << h.Missed)
		h.Missed++
	case a.err != nil:
		h.Status, h.Reason = service.HookFailed, a.err.Error()
	case a.Status == service.HookInProgress:
		pause := pauseBefore
		if a.Delay > 0 {
			pause = time.Duration(a.Delay) * time.Second
		}
		h.NextCallAt, h.Missed = now.Add(pause), 0
		if len(a.Details) > 0 {
			h.Details = a.Details
		}
	default:
		h.Status = a.Status
	}
}
