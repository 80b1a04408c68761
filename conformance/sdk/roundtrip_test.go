package sdk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"

	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
)

// mouth is a server that decodes a request, keeps what it got, and answers with
// what it was told.
type mouth struct {
	directory *wire.Directory
	server    *httptest.Server
	answer    func(*wire.Request) any // a fault refuses
	got       *wire.Request
	in        any
	err       error
}

func newMouth(t *testing.T) *mouth {
	m := &mouth{directory: directory()}
	m.server = httptest.NewServer(m)
	t.Cleanup(m.server.Close)
	return m
}

func (m *mouth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.in, m.got = nil, nil
	body, err := wire.ReadBody(r, wire.DefaultBodyLimit)
	if err != nil {
		m.err = err
		return
	}
	q, err := m.directory.Detect(r, body)
	m.got = q
	if err == nil {
		m.in, err = q.Decode(r, body)
	}
	if m.err = err; err != nil {
		_ = q.Refuse(w, "request-1", fault.Of(err))
		return
	}
	out := m.answer(q)
	if f, ok := out.(*fault.Fault); ok {
		_ = q.Refuse(w, "request-1", f)
		return
	}
	m.err = q.Respond(w, "request-1", out)
}

// config points a client at the mouth, whatever host it wants to reach.
func (m *mouth) config() aws.Config {
	address := m.server.Listener.Addr().String()
	return aws.Config{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient: &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, address)
			},
		}},
		BaseEndpoint: aws.String("http://berth.test"),
		APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			_, _ = s.Initialize.Remove("OperationInputValidation")
			return nil
		}},
		// On a busy machine the client may close its own request body before the
		// transport has seen its end, and lose the answer.
		RetryMaxAttempts: 4,
	}
}

// rounds is how many made-up requests and answers each operation gets.
const rounds = 6

func TestEveryOperationRoundTripsWithTheSDK(t *testing.T) {
	claimed := 0
	for _, s := range Services() {
		t.Run(s.API.Name, func(t *testing.T) {
			m := newMouth(t)
			c := reflect.ValueOf(s.Client(m.config()))
			for i := range s.API.Operations {
				op := &s.API.Operations[i]
				if !op.Modelled() || streams(op) {
					continue
				}
				claimed++
				for round := range rounds {
					roundTrip(t, m, c, op, uint64(round))
				}
			}
		})
	}
	if claimed < 800 {
		t.Errorf("only %d operations went round", claimed)
	}
}

func streams(op *wire.Operation) bool {
	for i := range op.Out.NumField() {
		if op.Out.Field(i).Type.Kind() == reflect.Func {
			return true
		}
	}
	return false
}

func roundTrip(t *testing.T, m *mouth, c reflect.Value, op *wire.Operation, seed uint64) {
	t.Helper()
	method := c.MethodByName(op.Name)
	if !method.IsValid() {
		t.Errorf("%s: the client has no such operation", op.Name)
		return
	}
	f := filler{Rand: rand.New(rand.NewPCG(seed, uint64(len(op.Name)))), deepest: 9}
	in := reflect.New(method.Type().In(1).Elem())
	f.structure(in.Elem(), 0, must(op.In))
	answer := reflect.New(op.Out)
	f.deepest = 7 // keeps EC2's largest answers below a megabyte
	f.structure(answer.Elem(), 0, nil)
	m.answer = func(*wire.Request) any { return answer.Interface() }

	results := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	where := fmt.Sprintf("%s (round %d)", op.Name, seed)
	if m.err != nil {
		t.Errorf("%s: %v", where, m.err)
		return
	}
	if err, _ := results[1].Interface().(error); err != nil {
		t.Errorf("%s: the client: %v", where, err)
		return
	}
	if m.got.Name != op.Name {
		t.Errorf("%s: taken for %s", where, m.got.Name)
		return
	}
	if d := compare("request", reflect.ValueOf(m.in), in); d != "" {
		t.Errorf("%s: %s", where, d)
	}
	if d := compare("answer", answer, results[0]); d != "" {
		t.Errorf("%s: %s", where, d)
	}
}
