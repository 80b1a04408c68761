package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/service"
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

// call posts an event to a function. Whatever goes wrong is an answer, too.
func (c *Caller) call(ctx context.Context, address string, e event) answer {
	if address == "" {
		return answer{err: errors.New("no --hook names an address for it")}
	}
	body, err := json.Marshal(e)
	if err != nil {
		return answer{err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{err: err, missed: true}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{err: err, missed: true}
	}
	return read(resp.StatusCode, data)
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
