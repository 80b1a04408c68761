// Package function calls functions, which AWS would have in Lambda, at the addresses
// that the operator gives for them, when records of the store say that they are due.
package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxCall is how long a function may take, as on AWS.
const maxCall = 15 * time.Minute

// Addresses are the URLs that answer for functions, by ARN.
type Addresses map[string]string

// Answer is what a function sent back.
type Answer struct {
	Status int // of HTTP
	Header http.Header
	Body   []byte
}

// Unreached is the error of a call that reached nobody, or got no whole answer.
type Unreached struct{ error }

func (u Unreached) Unwrap() error { return u.error }

// Call posts an event, as JSON, to a function, and reads at most so many bytes of its
// answer.
func (a Addresses) Call(ctx context.Context, function string, event any, most int64) (*Answer, error) {
	address := a[function]
	if address == "" {
		return nil, errors.New("no --hook names an address for it")
	}
	body, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: maxCall}
	resp, err := client.Do(req)
	if err != nil {
		return nil, Unreached{err}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, Unreached{err}
	}
	return &Answer{resp.StatusCode, resp.Header, data}, nil
}
