package bus_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/plane/bus"
	"github.com/berthhq/berth/store"
)

// endpoint is an HTTP server and what it was sent, as text.
func endpoint(t *testing.T, answers ...int) (url string, got <-chan string) {
	calls := make(chan string, 100)
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		user, password, _ := r.BasicAuth()
		calls <- fmt.Sprintf("%s %s key=%s user=%s:%s x=%s y=%s %s", r.Method, r.URL, r.Header.Get("X-Key"), user, password, r.Header.Get("X-Target"), r.Header.Get("X-Connection"), body)
		status := http.StatusOK
		if n < len(answers) {
			status = answers[n]
		}
		n++
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, calls
}

// destination stores an API destination and a rule for it.
func (h *house) destination(endpoint string, c event.Connection, change func(*event.Target)) {
	h.t.Helper()
	c.Scope, c.Name, c.ARN = scope, "c", scope.Of("events", "connection/c/1")
	d := &event.Destination{
		Scope: scope, Name: "d", ARN: scope.Of("events", "api-destination/d/1"), ConnectionARN: c.ARN, Endpoint: endpoint, Method: "POST", RatePerSecond: 300,
	}
	h.update(func(tx *store.Tx) {
		store.Connections.Put(tx, &c)
		store.Destinations.Put(tx, d)
	})
	target := event.Target{ID: "http", ARN: d.ARN}
	if change != nil {
		change(&target)
	}
	h.rule(event.Rule{Name: "h", Pattern: `{"source": ["me"]}`, Targets: []event.Target{target}})
}

func mine(id string) event.Event {
	return event.Event{Bus: event.DefaultBus, ID: id, Source: "me", DetailType: "t", Scope: scope, Time: time.Now(), Detail: []byte(`{"id": "` + id + `"}`)}
}

func receive(t *testing.T, from <-chan string, what string) string {
	t.Helper()
	select {
	case text := <-from:
		return text
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s", what)
		return ""
	}
}

func TestAPIDestinationsGetEvents(t *testing.T) {
	h := build(t)
	url, got := endpoint(t)
	b, end := h.open()
	defer end()
	parameters := func(t *event.Target) {
		t.InputPath = "$.detail"
		t.HTTP = &event.HTTPParameters{PathValues: []string{"a b"}, Headers: map[string]string{"X-Target": "t"}, Query: map[string]string{"q": "1"}}
	}
	h.destination(url+"/hook/*", event.Connection{
		Auth: event.APIKeyAuth, User: "X-Key", Secret: "hush", Headers: []event.Parameter{{Key: "X-Connection", Value: "c"}},
		Query: []event.Parameter{{Key: "p", Value: "2"}}, Body: []event.Parameter{{Key: "token", Value: "body"}},
	}, parameters)
	b.Publish(mine("1"))
	if text := receive(t, got, "request"); text != `POST /hook/a%20b?p=2&q=1 key=hush user=: x=t y=c {"id":"1","token":"body"}` {
		t.Errorf("got %s", text)
	}
	h.destination(url, event.Connection{Auth: event.BasicAuth, User: "u", Secret: "p"}, nil)
	b.Publish(mine("2"))
	if text := receive(t, got, "request"); !strings.HasPrefix(text, `POST / key= user=u:p x= y= {"version":"0","id":"2","detail-type":"t","source":"me"`) {
		t.Errorf("got %s", text)
	}
}

// lines is what a log handler writes to.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

func TestFailedRequestsAreTriedAgain(t *testing.T) {
	h := build(t)
	url, got := endpoint(t, http.StatusServiceUnavailable, http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError)
	said := make(lines, 100)
	b, end := h.open(func(c *bus.Config) { c.Log = slog.New(slog.NewTextHandler(said, nil)) })
	defer end()
	h.destination(url, event.Connection{Auth: event.BasicAuth}, nil)
	b.Publish(mine("1"))
	first, second := receive(t, got, "request"), receive(t, got, "second try")
	if first != second {
		t.Errorf("tried again with %s, not %s", second, first)
	}
	b.Publish(mine("2")) // refused: not again
	receive(t, got, "request")
	if line := receive(t, said, "line of the log"); !strings.Contains(line, "the endpoint answered 400 Bad Request") || !strings.Contains(line, "tries=1") {
		t.Errorf("said %s", line)
	}
	h.destination(url, event.Connection{Auth: event.BasicAuth}, func(t *event.Target) { t.Retry = &event.RetryPolicy{MaxAge: time.Hour} })
	b.Publish(mine("3")) // no retries allowed
	receive(t, got, "request")
	if line := receive(t, said, "line of the log"); !strings.Contains(line, "the endpoint answered 500") || !strings.Contains(line, "tries=1") {
		t.Errorf("said %s", line)
	}
	if s := b.Stats(); s != (bus.Stats{Delivered: 1, Failed: 2}) {
		t.Errorf("%+v", s)
	}
}

func TestEventsGoOnlyWhereTheOperatorAllows(t *testing.T) {
	h := build(t)
	url, got := endpoint(t)
	said := make(lines, 100)
	b, end := h.open(func(c *bus.Config) {
		c.Log, c.Reach = slog.New(slog.NewTextHandler(said, nil)), []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	defer end()
	h.destination(url, event.Connection{Auth: event.BasicAuth}, nil)
	b.Publish(mine("1"))
	if line := receive(t, said, "line of the log"); !strings.Contains(line, "Events are not sent to 127.0.0.1:") {
		t.Errorf("said %s", line)
	}
	if len(got) != 0 {
		t.Errorf("sent %s", <-got)
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	h := build(t)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	b, end := h.open()
	defer end()
	h.destination(server.URL, event.Connection{Auth: event.BasicAuth}, nil)
	for i := range 1100 {
		b.Publish(mine(fmt.Sprint(i)))
	}
	if s := b.Stats(); s.Dropped != 100 {
		t.Errorf("%+v", s)
	}
}
