package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

const (
	// callWithin is how long an endpoint may take, as with AWS.
	callWithin = 5 * time.Second
	// readOfAnswers is as much of an answer as is read, so that its connection can
	// be used again.
	readOfAnswers = 64 << 10
	userAgent     = "Amazon/EventBridge/ApiDestinations"
)

// newClient makes a client that connects to the given addresses only, follows no
// redirect and uses no proxy.
func newClient(reach []netip.Prefix) *http.Client {
	dialer := &net.Dialer{Timeout: callWithin, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err == nil && slices.ContainsFunc(reach, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) }) {
			return nil
		}
		return fault.New(fault.AccessDenied, "Events are not sent to %s.", address).
			WithHint("API destinations reach %v; the operator of the server can open others", reach)
	}}
	return &http.Client{
		Timeout:       callWithin,
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answerError is an endpoint's answer that is not a success.
type answerError struct {
	status int
	after  time.Duration // by its Retry-After
}

func (e *answerError) Error() string {
	return fmt.Sprintf("the endpoint answered %d %s", e.status, http.StatusText(e.status))
}

// passing follows EventBridge: which answers are worth another try.
func (e *answerError) passing() bool {
	switch e.status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return e.status >= 500
}

// call sends an event to an API destination.
func (b *Bus) call(d *delivery, r *event.Rule, t *event.Target) (rest time.Duration, err error) {
	destination, connection, err := b.destination(t.ARN)
	if err != nil {
		return 0, err
	}
	rest = time.Second / time.Duration(max(1, destination.RatePerSecond))
	request, err := newRequest(b.ctx, destination, connection, t.HTTP, t.Payload(r, d.event, d.received))
	if err != nil {
		return 0, err
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return rest, err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, readOfAnswers) // what it says is not looked at
	if answer.StatusCode/100 == 2 {
		return rest, nil
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // none, or a date: our own wait will do
	return rest, &answerError{answer.StatusCode, time.Duration(max(0, seconds)) * time.Second}
}

// destination finds what an API destination's ARN names, and its connection.
func (b *Bus) destination(destinationARN string) (*event.Destination, *event.Connection, error) {
	v := b.Store.View()
	d, ok := store.Destinations.Get(v, keyOf(destinationARN))
	if !ok || d.ARN != destinationARN {
		return nil, nil, fault.New(fault.ResourceNotFound, "The API destination %s does not exist.", destinationARN)
	}
	c, ok := store.Connections.Get(v, keyOf(d.ConnectionARN))
	if !ok || c.ARN != d.ConnectionARN {
		return nil, nil, fault.New(fault.ResourceNotFound, "The connection %s does not exist.", d.ConnectionARN)
	}
	return d, c, nil
}

// keyOf is the key of what kind/NAME/ID names.
func keyOf(text string) string {
	a, err := arn.Parse(text)
	if err != nil || len(a.Path()) == 0 {
		return ""
	}
	return store.BusKey(a.Scope(), a.Path()[0])
}

func newRequest(ctx context.Context, d *event.Destination, c *event.Connection, p *event.HTTPParameters, payload json.RawMessage) (*http.Request, error) {
	if p == nil {
		p = &event.HTTPParameters{}
	}
	endpoint, err := address(d, c, p)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, d.Method, endpoint, bytes.NewReader(withBody(payload, c.Body)))
	if err != nil {
		return nil, fault.New(fault.Validation, "The endpoint %s cannot be called.", d.Endpoint).Because(err)
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", userAgent)
	for name, value := range p.Headers {
		request.Header.Set(name, value)
	}
	for _, h := range c.Headers { // the connection's win
		request.Header.Set(h.Key, h.Value)
	}
	switch c.Auth {
	case event.BasicAuth:
		request.SetBasicAuth(c.User, c.Secret)
	case event.APIKeyAuth:
		request.Header.Set(c.User, c.Secret)
	}
	return request, nil
}

// address is the endpoint with the values that target and connection add.
func address(d *event.Destination, c *event.Connection, p *event.HTTPParameters) (string, error) {
	text := d.Endpoint
	for _, value := range p.PathValues {
		text = strings.Replace(text, "*", url.PathEscape(value), 1)
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", fault.New(fault.Validation, "The endpoint %s cannot be called.", d.Endpoint).Because(err)
	}
	q := u.Query()
	for name, value := range p.Query {
		q.Set(name, value)
	}
	for _, parameter := range c.Query {
		q.Set(parameter.Key, parameter.Value)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// withBody adds a connection's members to a payload that is an object.
func withBody(payload json.RawMessage, members []event.Parameter) []byte {
	var object map[string]json.RawMessage
	if len(members) == 0 || json.Unmarshal(payload, &object) != nil || object == nil {
		return payload
	}
	for _, m := range members {
		object[m.Key], _ = json.Marshal(m.Value) // a string always marshals
	}
	out, _ := json.Marshal(object) // of valid parts
	return out
}
