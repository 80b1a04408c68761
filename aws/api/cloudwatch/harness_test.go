package cloudwatch_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/cloudwatch"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/plane/metrics"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

// object is JSON as a client sees it.
type object = map[string]any

// server is CloudWatch on a real socket, at a time the test moves.
type server struct {
	*gatewaytest.Server
	t     testing.TB
	nanos atomic.Int64
}

func (s *server) now() time.Time          { return time.Unix(0, s.nanos.Load()).UTC() }
func (s *server) advance(d time.Duration) { s.nanos.Add(int64(d)) }

func start(t testing.TB) *server {
	t.Helper()
	s := &server{t: t}
	s.nanos.Store(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC).UnixNano())
	m, err := metrics.Open(t.TempDir(), metrics.Options{Now: s.now, DiskUse: func() float64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	s.Server = gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := cloudwatch.New(st, m)
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, func(o *gateway.Options) { o.Clock = s.now })
	return s
}

// send signs a request and reads the answer.
func (s *server) send(body string, header map[string]string) (*http.Response, []byte) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL+"/", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	if err := sigv4.Sign(r, []byte(body), sigv4.Keys{ID: s.Root.ID, Secret: s.Root.Secret}, "monitoring", gatewaytest.Scope.Region, s.now()); err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, data
}

func (s *server) json(operation, body string) (*http.Response, object) {
	s.t.Helper()
	answer, data := s.send(body, map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801." + operation})
	out := object{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &out); err != nil {
			s.t.Fatalf("%s answered %q: %v", operation, data, err)
		}
	}
	return answer, out
}

// do calls in JSON and fails the test on an error.
func (s *server) do(operation, body string, args ...any) object {
	s.t.Helper()
	answer, out := s.json(operation, fmt.Sprintf(body, args...))
	if answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s(%s): %v", operation, fmt.Sprintf(body, args...), out)
	}
	return out
}

// refused calls in JSON and wants an error: its code there, and the code of the
// query protocol that goes with it.
func (s *server) refused(operation, body, code, query, message string) {
	s.t.Helper()
	answer, out := s.json(operation, body)
	got := fmt.Sprintf("%v, %s: %v", out["__type"], strings.TrimSuffix(answer.Header.Get("X-Amzn-Query-Error"), ";Sender"), out["message"])
	if want := fmt.Sprintf("%s, %s: %s", code, query, message); !strings.HasPrefix(got, want) {
		s.t.Errorf("%s(%s)\ngot  %s\nwant %s", operation, body, got, want)
	}
}

// query calls in the query protocol, whose answers are XML.
func (s *server) query(operation string, parameters ...string) (int, string) {
	s.t.Helper()
	form := url.Values{"Action": {operation}, "Version": {"2010-08-01"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	answer, data := s.send(form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
	return answer.StatusCode, string(data)
}

func squeezed(t testing.TB, text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pick walks into JSON by names and positions.
func pick(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(object)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// each shows a member of every element of a list.
func each(list any, name string) string {
	var out []string
	l, _ := list.([]any)
	for _, v := range l {
		out = append(out, fmt.Sprint(pick(v, name)))
	}
	return strings.Join(out, " ")
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
