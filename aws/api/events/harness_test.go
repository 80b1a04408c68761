package events_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/events"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

// object is JSON as a client sees it.
type object = map[string]any

// published keeps what PutEvents hands on.
type published struct {
	mu   sync.Mutex
	list []event.Event
}

func (p *published) Publish(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, e)
}

// server is EventBridge on a real socket.
type server struct {
	*gatewaytest.Server
	t   testing.TB
	bus *published
}

func start(t testing.TB) *server {
	bus := &published{}
	return &server{t: t, bus: bus, Server: gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := events.New(events.Config{Store: st, Bus: bus})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)}
}

// call calls as the administrator. kind is the error's code; empty when it worked.
func (s *server) call(operation, body string) (out object, kind, message string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL+"/", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSEvents."+operation)
	if err := sigv4.Sign(r, []byte(body), sigv4.Keys{ID: s.Root.ID, Secret: s.Root.Secret}, "events", gatewaytest.Scope.Region, time.Now()); err != nil {
		s.t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	out = object{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &out); err != nil {
			s.t.Fatalf("%s answered %q: %v", operation, data, err)
		}
	}
	kind, _ = out["__type"].(string)
	message, _ = out["message"].(string)
	return out, kind[strings.LastIndexByte(kind, '#')+1:], message
}

// do calls and fails the test on an error.
func (s *server) do(operation, body string, args ...any) object {
	s.t.Helper()
	out, kind, message := s.call(operation, fmt.Sprintf(body, args...))
	if kind != "" {
		s.t.Fatalf("%s(%s): %s: %s", operation, fmt.Sprintf(body, args...), kind, message)
	}
	return out
}

// refused calls and expects an error whose message begins with the words.
func (s *server) refused(operation, body, kind, message string) {
	s.t.Helper()
	_, gotKind, gotMessage := s.call(operation, body)
	if gotKind != kind || !strings.HasPrefix(gotMessage, message) {
		s.t.Errorf("%s(%s)\ngot  %s: %s\nwant %s: %s", operation, body, gotKind, gotMessage, kind, message)
	}
}

func (s *server) expect(what string, got, want any) {
	s.t.Helper()
	if !reflect.DeepEqual(got, want) {
		s.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// names lists a member of the objects of a list.
func names(list any, member string) (out []string) {
	objects, _ := list.([]any)
	for _, o := range objects {
		name, _ := o.(object)[member].(string)
		out = append(out, name)
	}
	return out
}
