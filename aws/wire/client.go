package wire

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// Client calls operations of a service that speaks awsJson.
type Client struct {
	Service  *Service
	Endpoint string // base URL
	HTTP     *http.Client
	// Sign adds the signature to a request whose body is given; nil leaves
	// requests unsigned.
	Sign func(r *http.Request, body []byte) error
}

// CallError is the refusal of a call.
type CallError struct {
	Operation string
	Code      string // "ClientException"
	Message   string
	Status    int
	RequestID string
}

func (e *CallError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Operation, e.Code, e.Message)
}

// OurFault reports whether the server was to blame, so that the same call may
// succeed later.
func (e *CallError) OurFault() bool { return e.Status >= 500 }

// maxAnswer bounds the answers a client reads, in bytes.
const maxAnswer = 64 << 20

// Call sends in, a pointer to a struct, and reads the answer into out, another.
// A nil out drops the answer. A refusal is a *CallError.
func (c *Client) Call(ctx context.Context, operation string, in, out any) error {
	op := c.Service.Operation(operation)
	if op == nil || !op.Modelled() {
		return fmt.Errorf("call %s: no such operation of %s", operation, c.Service.Name)
	}
	r, err := c.request(ctx, operation, c.encode(in))
	if err != nil {
		return fmt.Errorf("call %s: %w", operation, err)
	}
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return fmt.Errorf("call %s: %w", operation, err)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return fmt.Errorf("call %s: %w", operation, err)
	}
	if answer.StatusCode >= 300 {
		return refusal(operation, answer, body)
	}
	if out == nil {
		return nil
	}
	v := reflect.ValueOf(out).Elem()
	return decodeJSON(body, c.Service.shapes.of(v.Type()), v)
}

// encode writes an input; idempotency tokens that are absent are made up.
func (c *Client) encode(in any) []byte {
	v := reflect.ValueOf(in).Elem()
	s := c.Service.shapes.of(v.Type())
	for i := range s.fields {
		if f := &s.fields[i]; f.token && f.absent(v.Field(f.index)) {
			copied := reflect.New(v.Type()).Elem()
			copied.Set(v)
			f.target(copied).SetString(rand.Text())
			v = copied
		}
	}
	return appendJSON(nil, s, v, timeDefault)
}

func (c *Client) request(ctx context.Context, operation string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	protocol := AWSJSON11
	if !c.Service.Speaks(AWSJSON11) {
		protocol = AWSJSON10
	}
	r.Header.Set("Content-Type", protocol.contentType())
	r.Header.Set("X-Amz-Target", c.Service.TargetPrefix+"."+operation)
	if c.Sign != nil {
		err = c.Sign(r, body)
	}
	return r, err
}

// refusal reads an error answer, whoever between here and the server wrote it.
func refusal(operation string, answer *http.Response, body []byte) error {
	e := &CallError{Operation: operation, Status: answer.StatusCode, RequestID: answer.Header.Get("X-Amzn-Requestid")}
	r := jsonReader{data: body}
	err := r.each('{', '}', func() error {
		key, err := r.key()
		if err != nil {
			return err
		}
		name := string(key)
		if r.peek() != '"' {
			return r.skip()
		}
		text, err := r.text()
		switch name {
		case "__type", "code":
			e.Code = string(text)
		case "message", "Message":
			e.Message = string(text)
		}
		return err
	})
	if err != nil || e.Code == "" {
		e.Code, e.Message = http.StatusText(answer.StatusCode), strings.ToValidUTF8(string(body[:min(len(body), 200)]), "")
	}
	if _, after, ok := strings.Cut(e.Code, "#"); ok {
		e.Code = after
	}
	return e
}
