package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

// serve runs a gateway with some handlers of ECS.
func serve(t testing.TB, handlers map[string]gateway.Handler, change func(*gateway.Options)) *gatewaytest.Server {
	return gatewaytest.Start(t, func(store.Store) []gateway.Offer {
		return []gateway.Offer{{Service: ecs.API, Handlers: handlers}, {Service: logs.API, Handlers: map[string]gateway.Handler{
			"StartLiveTail": gateway.Handle(tail),
		}}}
	}, change)
}

// request makes a signed request of ECS, or of the service named in the target.
func request(t testing.TB, s *gatewaytest.Server, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("POST", s.URL+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	service, prefix := "ecs", "AmazonEC2ContainerServiceV20141113."
	if name, ok := strings.CutPrefix(target, "logs:"); ok {
		service, prefix, target = "logs", "Logs_20140328.", name
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", prefix+target)
	sign(t, s, r, body, service)
	return r
}

func sign(t testing.TB, s *gatewaytest.Server, r *http.Request, body, service string) {
	t.Helper()
	if err := sigv4.Sign(r, []byte(body), sigv4.Keys{ID: s.Root.ID, Secret: s.Root.Secret}, service, "us-west-2", time.Now()); err != nil {
		t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status        int
	id            string
	body          string
	Type, Message string
}

func do(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, id: response.Header.Get("X-Amzn-Requestid"), body: string(body)}
	var refusal struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &refusal) == nil {
		a.Type, a.Message = refusal.Type, refusal.Message
	}
	return a
}

func TestHandlerGetsTheCallAndTheInput(t *testing.T) {
	var call gateway.Call
	s := serve(t, map[string]gateway.Handler{"CreateCluster": gateway.Handle(
		func(_ context.Context, c *gateway.Call, in *ecs.CreateClusterRequest) (*ecs.CreateClusterResponse, error) {
			call = *c
			return &ecs.CreateClusterResponse{Cluster: &ecs.Cluster{ClusterName: in.ClusterName, RunningTasksCount: new(int32(0))}}, nil
		})}, nil)
	a := do(t, request(t, s, "CreateCluster", `{"clusterName":"lab","future":{"field":1}}`))
	if a.status != http.StatusOK || a.body != `{"cluster":{"clusterName":"lab","runningTasksCount":0}}` {
		t.Errorf("answer %+v", a)
	}
	want := gateway.Call{
		ID: a.id, Service: "ecs", Operation: "CreateCluster", Principal: s.Root.Principal, KeyID: s.Root.ID,
		Scope: call.Scope, Source: call.Source, Now: call.Now, Endpoint: s.URL, UserAgent: "Go-http-client/1.1", In: call.In,
	}
	if call != want || call.Scope.Region != "us-west-2" || call.Scope.Account != gatewaytest.Scope.Account || !call.Source.IsLoopback() || time.Since(call.Now) > time.Minute {
		t.Errorf("call %+v", call)
	}
}

func TestRefusalsOnTheWay(t *testing.T) {
	secret := errors.New("password=hunter2")
	s := serve(t, map[string]gateway.Handler{
		"ListClusters": gateway.Handle(func(context.Context, *gateway.Call, *ecs.ListClustersRequest) (*ecs.ListClustersResponse, error) {
			return nil, secret
		}),
		"DescribeClusters": gateway.Handle(func(context.Context, *gateway.Call, *ecs.DescribeClustersRequest) (*ecs.DescribeClustersResponse, error) {
			panic("boom")
		}),
		"DeleteCluster": gateway.Handle(func(context.Context, *gateway.Call, *ecs.DeleteClusterRequest) (*ecs.DeleteClusterResponse, error) {
			return nil, fault.New(fault.ClusterNotFound, "Cluster not found.").WithHint("create it")
		}),
		"CreateCluster": gateway.Handle(func(_ context.Context, _ *gateway.Call, in *ecs.DeleteClusterRequest) (*ecs.DeleteClusterResponse, error) {
			return nil, nil
		}),
	}, nil)
	for name, c := range map[string]struct {
		request    *http.Request
		status     int
		kind, says string
	}{
		"error of berth's own": {request(t, s, "ListClusters", "{}"), 500, "ServerException", "Internal error."},
		"panic":                {request(t, s, "DescribeClusters", "{}"), 500, "ServerException", "Internal error."},
		"fault":                {request(t, s, "DeleteCluster", `{"cluster":"x"}`), 400, "ClusterNotFoundException", "Cluster not found. (hint: create it)"},
		"handler of another":   {request(t, s, "CreateCluster", "{}"), 500, "ServerException", "Internal error."},
		"wrong type":           {request(t, s, "DeleteCluster", `{"cluster":[1]}`), 400, "SerializationException", ""},
		"broken body":          {request(t, s, "DeleteCluster", `{"cluster":`), 400, "SerializationException", ""},
		"no operation":         {request(t, s, "Fly", "{}"), 400, "UnknownOperationException", "Fly is not an operation of ecs."},
		"by name only":         {request(t, s, "CreateGateway", "{}"), 400, "UnsupportedFeatureException", "berth does not support CreateGateway of ecs."},
		"not yet":              {request(t, s, "CreateTaskSet", "{}"), 400, "UnknownOperationException", "berth does not support CreateTaskSet of ecs yet."},
		"too large":            {request(t, s, "DeleteCluster", strings.Repeat("x", 1<<20+1)), 413, "RequestEntityTooLargeException", ""},
		"unsigned": {func() *http.Request {
			r := request(t, s, "DeleteCluster", "{}")
			r.Header.Del("Authorization")
			return r
		}(), 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"signed for another service": {func() *http.Request {
			r := request(t, s, "DeleteCluster", "{}")
			sign(t, s, r, "{}", "ecr")
			return r
		}(), 403, "InvalidSignatureException", "Credential should be scoped to correct service: 'ecs'."},
		"service not offered": {func() *http.Request {
			r := request(t, s, "DeleteCluster", "{}")
			r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
			sign(t, s, r, "{}", "dynamodb")
			return r
		}(), 400, "UnknownOperationException", "berth has no engine for dynamodb."},
	} {
		t.Run(name, func(t *testing.T) {
			a := do(t, c.request)
			if a.status != c.status || a.Type != c.kind || !strings.HasPrefix(a.Message, c.says) || len(a.id) != 36 {
				t.Errorf("got %+v, want %d %s: %s", a, c.status, c.kind, c.says)
			}
			if strings.Contains(a.body, secret.Error()) || strings.Contains(a.body, "boom") {
				t.Errorf("the answer tells our secrets: %s", a.body)
			}
		})
	}
}

func TestUnprovenRequestsReachNothing(t *testing.T) {
	reached := false
	s := serve(t, map[string]gateway.Handler{"ListClusters": func(context.Context, *gateway.Call, any) (any, error) {
		reached = true
		return nil, nil
	}}, nil)
	r := request(t, s, "ListClusters", "{}")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("[]")), 2
	if a := do(t, r); a.Type != "InvalidSignatureException" || reached {
		t.Errorf("reached %v, %+v", reached, a)
	}
}

// denier refuses one action.
type denier struct {
	action string
	asked  []string
}

func (d *denier) Authorise(_ context.Context, call *gateway.Call, need gateway.Need) error {
	d.asked = append(d.asked, fmt.Sprint(call.Principal.ARN, " ", need.Action, " ", need.Resources))
	if need.Action != d.action {
		return nil
	}
	return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s", call.Principal.ARN, need.Action)
}

func TestAuthoriserDecides(t *testing.T) {
	unreachable := func(context.Context, *gateway.Call, any) (any, error) { return nil, errors.New("reached") }
	needs := map[string]gateway.Needs{"StopTask": gateway.NeedsOf(func(call *gateway.Call, in *ecs.StopTaskRequest) []gateway.Need {
		return []gateway.Need{{Resources: []string{*in.Task}}, {Action: "iam:PassRole", Resources: []string{"a role"}}, {Action: "ecs:TagResource"}}
	})}
	const root = "arn:aws:iam::123456789012:root"
	for _, c := range []struct {
		operation, body, denied string
		asked                   []string
	}{
		{"ListClusters", "{}", "ecs:ListClusters", []string{root + " ecs:ListClusters []"}},
		{"StopTask", `{"task":"t"}`, "ecs:StopTask", []string{root + " ecs:StopTask [t]"}},
		{"StopTask", `{"task":"t"}`, "iam:PassRole", []string{root + " ecs:StopTask [t]", root + " iam:PassRole [a role]"}},
	} {
		d := &denier{action: c.denied}
		s := gatewaytest.Start(t, func(store.Store) []gateway.Offer {
			return []gateway.Offer{{Service: ecs.API, Needs: needs, Handlers: map[string]gateway.Handler{"ListClusters": unreachable, "StopTask": unreachable}}}
		}, func(o *gateway.Options) { o.Authoriser = d })
		a := do(t, request(t, s, c.operation, c.body))
		if a.Type != "AccessDeniedException" || a.status != 400 || !slices.Equal(d.asked, c.asked) {
			t.Errorf("%s: %+v, asked %q", c.operation, a, d.asked)
		}
	}
}

func TestNeedsWithoutAHandlerAreRefused(t *testing.T) {
	_, err := gateway.New(gateway.Options{Offers: []gateway.Offer{{Service: ecs.API, Needs: map[string]gateway.Needs{"RunTask": nil}}}})
	if err == nil || err.Error() != "ecs says what RunTask needs, but has no handler for it" {
		t.Errorf("got %v", err)
	}
}

// tail answers with three events, then waits for the caller to go.
func tail(ctx context.Context, _ *gateway.Call, in *logs.StartLiveTailRequest) (*logs.StartLiveTailResponse, error) {
	var events iter.Seq2[*logs.StartLiveTailResponseStream, error] = func(yield func(*logs.StartLiveTailResponseStream, error) bool) {
		for n := range 3 {
			update := &logs.LiveTailSessionUpdate{SessionResults: []logs.LiveTailSessionLogEvent{{Message: new(fmt.Sprint("line ", n))}}}
			if !yield(&logs.StartLiveTailResponseStream{SessionUpdate: update}, nil) {
				return
			}
		}
		<-ctx.Done()
	}
	return &logs.StartLiveTailResponse{ResponseStream: events}, nil
}

func TestStreamsFlowWhileTheyLastAndEndWithTheCaller(t *testing.T) {
	s := serve(t, nil, nil)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r := request(t, s, "logs:StartLiveTail", `{"logGroupIdentifiers":["arn:aws:logs:us-west-2:123456789012:log-group:g"]}`).WithContext(ctx)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got bytes.Buffer
	for !strings.Contains(got.String(), "line 2") { // while the handler still runs
		if _, err := io.CopyN(&got, response.Body, 1); err != nil {
			t.Fatalf("%v after %q", err, got.String())
		}
	}
	leave()
	waitFor(t, func() bool { return strings.Contains(strings.Join(s.Audit.All(), "\n"), `"eventName":"StartLiveTail"`) })
}

// waitFor polls for what another goroutine will have done.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("waited in vain")
		}
	}
}

func TestHandlersOfUnknownOperationsAreAWiringMistake(t *testing.T) {
	_, err := gateway.New(gateway.Options{Offers: []gateway.Offer{{Service: ecs.API, Handlers: map[string]gateway.Handler{"Fly": nil}}}})
	if err == nil || !strings.Contains(err.Error(), "Fly") {
		t.Errorf("got %v", err)
	}
}

func TestInnerPathsAndTheirSignatures(t *testing.T) {
	inner := http.NewServeMux()
	s := serve(t, nil, func(o *gateway.Options) { o.Inner = inner })
	inner.HandleFunc("GET /_berth/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	inner.HandleFunc("GET /_berth/broken", func(http.ResponseWriter, *http.Request) { panic("boom") })
	inner.Handle("/acs/ws", s.Gateway.Signed("ecs", func(w http.ResponseWriter, r *http.Request, call *gateway.Call) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", call.Principal.ARN, call.Scope.Region, body)
	}))
	plain := func(method, path, body string) *http.Request {
		r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if a := do(t, plain("GET", "/_berth/health", "")); a.status != 200 || a.body != "ok" {
		t.Errorf("health: %+v", a)
	}
	signed := plain("POST", "/acs/ws?agentHash=1&clusterArn=default", "hello")
	sign(t, s, signed, "hello", "ecs")
	if a := do(t, signed); a.status != 200 || a.body != "arn:aws:iam::123456789012:root us-west-2 hello" {
		t.Errorf("signed: %+v", a)
	}
	if a := do(t, plain("GET", "/acs/ws", "")); a.status != 403 || a.Type != "MissingAuthenticationTokenException" {
		t.Errorf("unsigned: %+v", a)
	}
	other := plain("GET", "/acs/ws", "")
	sign(t, s, other, "", "logs")
	if a := do(t, other); a.status != 403 || a.Type != "InvalidSignatureException" {
		t.Errorf("signed for another service: %+v", a)
	}
	if response, err := http.DefaultClient.Do(plain("GET", "/_berth/broken", "")); err == nil {
		response.Body.Close()
		t.Errorf("a panic answered %d", response.StatusCode)
	}
	if a := do(t, plain("GET", "/_berth/health", "")); a.body != "ok" {
		t.Errorf("health after a panic: %+v", a)
	}
}

func TestGarbageOnTheSocketHarmsNobody(t *testing.T) {
	s := serve(t, nil, nil)
	for _, garbage := range []string{
		"\x16\x03\x01\x02\x00", "GET\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=////\r\nContent-Length: 99\r\n\r\n{",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(c, garbage)
		if err == nil {
			err = c.(*net.TCPConn).CloseWrite()
		}
		if _, readErr := io.Copy(io.Discard, c); err != nil || readErr != nil {
			t.Logf("%q: %v, %v", garbage, err, readErr)
		}
		c.Close()
	}
	if a := do(t, request(t, s, "CreateTaskSet", "{}")); a.Type != "UnknownOperationException" {
		t.Errorf("after garbage: %+v", a)
	}
}
