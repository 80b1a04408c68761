package dispatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/aws/shape/ecr"
	shape "github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/dispatch"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

// heartbeat of the test's server: the recorded exchanges have some to wait for.
const heartbeat = 30 * time.Millisecond

// player plays an agent.
type player struct {
	t        *testing.T
	at       string // the record being played
	server   *gatewaytest.Server
	keys     map[string]sigv4.Keys // by the recorded key id
	names    map[string]string     // ours, by the recorded
	instance string
	bases    map[string]string // of the sessions, from DiscoverPollEndpoint
	acs, tcs socket

	sequence  int64  // of the last payload
	heard     string // id of the last heartbeat
	forgotten map[string]bool
	submitted int
	published int
}

// ofInstances is all that AmazonEC2ContainerServiceforEC2Role allows: official agents
// have no more.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEC2ContainerServiceforEC2Role.html
const ofInstances = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":[
	"ec2:DescribeTags","ecs:CreateCluster","ecs:DeregisterContainerInstance","ecs:DiscoverPollEndpoint","ecs:Poll","ecs:RegisterContainerInstance",
	"ecs:StartTelemetrySession","ecs:UpdateContainerInstancesState","ecs:Submit*","ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability",
	"ecr:GetDownloadUrlForLayer","ecr:BatchGetImage","logs:CreateLogStream","logs:PutLogEvents"]},
	{"Effect":"Allow","Action":"ecs:TagResource","Resource":"*","Condition":{"StringEquals":{"ecs:CreateAction":["CreateCluster","RegisterContainerInstance"]}}}]}`

// newPlayer starts a server: store in memory, gateway, ECS, sessions.
func newPlayer(t *testing.T) *player {
	p := &player{t: t, keys: map[string]sigv4.Keys{}, names: map[string]string{}, forgotten: map[string]bool{}}
	var d *dispatch.Dispatcher
	inner := http.NewServeMux()
	p.server = gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		decides := access.New(access.Config{Store: st})
		d = dispatch.New(dispatch.Config{Store: st, Log: slog.New(slog.DiscardHandler), Heartbeat: heartbeat, May: func(ctx context.Context, who identity.Principal, action string, i *cluster.Instance) error {
			return decides.Check(ctx, access.Caller{Principal: who, Now: time.Now()}, action, []string{i.ARN}, nil)
		}})
		api := ecs.New(ecs.Config{Store: st})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}, {Service: ssm.API}, {Service: secretsmanager.API}, {Service: ecr.API}}
	}, func(o *gateway.Options) { o.Inner = inner })
	as := func(serve func(http.ResponseWriter, *http.Request, identity.Principal)) gateway.SignedHandler {
		return func(w http.ResponseWriter, r *http.Request, call *gateway.Call) { serve(w, r, call.Principal) }
	}
	inner.Handle("GET /acs/ws", p.server.Gateway.Signed("ecs", as(d.ServeACS)))
	inner.Handle("GET /tcs/ws", p.server.Gateway.Signed("ecs", as(d.ServeTCS)))
	t.Cleanup(d.Close)

	p.server.Role(t, "ecsInstanceRole", ofInstances)
	p.server.Role(t, "taskrole", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecs:*TaskProtection","Resource":"*"}}`)
	role := identity.RoleSession(gatewaytest.Scope.Global("iam", "role/ecsInstanceRole"), "i-1")
	key := p.server.AddKey(t, identity.AccessKey{ID: "ASIAINSTANCE", Secret: "instance", SessionToken: "token", Principal: role, Active: true})
	p.keys["AKIDINSTANCE"] = sigv4.Keys{ID: key.ID, Secret: key.Secret, Token: key.SessionToken}
	p.keys["root"] = sigv4.Keys{ID: p.server.Root.ID, Secret: p.server.Root.Secret}
	p.names["us-east-1"] = gatewaytest.Scope.Region
	p.do("CreateCluster", map[string]any{"clusterName": "default"})
	return p
}

func (p *player) fatal(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("record %s: %s", p.at, fmt.Sprintf(format, args...))
}

func (p *player) read(data []byte, out any) {
	p.t.Helper()
	if err := json.Unmarshal(data, out); err != nil {
		p.fatal("%v in %s", err, data)
	}
}

// rewrite puts our names in place of the recorded ones, longest first.
func (p *player) rewrite(text string) string {
	recorded := make([]string, 0, len(p.names))
	for name := range p.names {
		recorded = append(recorded, name)
	}
	sort.Slice(recorded, func(i, j int) bool { return len(recorded[i]) > len(recorded[j]) })
	pairs := make([]string, 0, 2*len(recorded))
	for _, name := range recorded {
		pairs = append(pairs, name, p.names[name])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// targets of the services that the agent calls.
var targets = map[string]string{
	"ecs": "AmazonEC2ContainerServiceV20141113", "ssm": "AmazonSSM", "secretsmanager": "secretsmanager", "ecr": "AmazonEC2ContainerRegistry_V20150921",
}

// send calls an operation and returns the status and the answer.
func (p *player) send(keys sigv4.Keys, service, op string, body []byte) (int, map[string]any) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.server.URL+"/", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", targets[service]+"."+op)
	if err := sigv4.Sign(r, body, keys, service, gatewaytest.Scope.Region, time.Now()); err != nil {
		p.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.fatal("%s: %v", op, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		p.fatal("%s: %v", op, err)
	}
	out := map[string]any{}
	p.read(data, &out)
	return answer.StatusCode, out
}

// do calls ECS as the administrator.
func (p *player) do(op string, in any) map[string]any {
	p.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		p.t.Fatal(err)
	}
	status, out := p.send(p.keys["root"], "ecs", op, body)
	if status != http.StatusOK {
		p.fatal("%s(%s): %v", op, body, out)
	}
	return out
}

// call repeats an API call of the agent.
func (p *player) call(r record) {
	id, service, _ := strings.Cut(r.signer(), " ")
	body := []byte(p.rewrite(string(r.In)))
	status, out := p.send(p.keys[id], service, r.Op, body)
	switch {
	case service != "ecs":
		// What those services answer is theirs to prove. That the task's keys
		// work, and that one role is not another, is ours.
		if kind, _ := out["__type"].(string); kind != "UnknownOperationException" {
			p.fatal("%s with the task's keys: %v", r.Op, out)
		}
	case r.Op == "SubmitTaskStateChange":
		p.checkReport(body, status, out)
	case status != http.StatusOK:
		p.fatal("%s: %v", r.Op, out)
	case r.Op == "RegisterContainerInstance":
		p.checkRegistration(r.In, out)
	case r.Op == "DiscoverPollEndpoint":
		p.bases = map[string]string{"endpoint": out["endpoint"].(string), "telemetryEndpoint": out["telemetryEndpoint"].(string)}
	}
}

// checkRegistration: the agent exits unless all its attributes come back.
func (p *player) checkRegistration(in json.RawMessage, out map[string]any) {
	var said struct{ Attributes []shape.Attribute }
	p.read(in, &said)
	got := out["containerInstance"].(map[string]any)
	values := map[string]any{}
	for _, a := range got["attributes"].([]any) {
		a := a.(map[string]any)
		values[a["name"].(string)] = a["value"]
	}
	for _, a := range said.Attributes {
		if v, ok := values[*a.Name]; !ok || a.Value != nil && v != *a.Value {
			p.t.Errorf("attribute %s came back as %v", *a.Name, v)
		}
	}
	p.instance = got["containerInstanceArn"].(string)
	p.names["arn:aws:ecs:us-east-1:123456789012:container-instance/default/00000000000000000000000000abc123"] = p.instance
}

// checkReport asks for the task a report was about.
func (p *player) checkReport(body []byte, status int, out map[string]any) {
	p.submitted++
	var said struct {
		Task       string
		Status     string
		Containers []struct {
			ContainerName   string
			Status          string
			ExitCode        *int
			NetworkBindings []any
		}
	}
	p.read(body, &said)
	if p.forgotten[said.Task] {
		if status != http.StatusBadRequest { // which ends the agent's retries
			p.fatal("a report on a forgotten task: %d %v", status, out)
		}
		return
	}
	if status != http.StatusOK {
		p.fatal("SubmitTaskStateChange: %v", out)
	}
	tasks := p.do("DescribeTasks", map[string]any{"cluster": "default", "tasks": []string{said.Task}})["tasks"].([]any)
	got := tasks[0].(map[string]any)
	if got["lastStatus"] != said.Status {
		p.fatal("reported %s, described %v", said.Status, got["lastStatus"])
	}
	for _, c := range said.Containers { // in order, the last word on each counts
		for _, g := range got["containers"].([]any) {
			g := g.(map[string]any)
			if g["name"] == c.ContainerName && c.ExitCode != nil && (g["lastStatus"] != c.Status || g["exitCode"] != float64(*c.ExitCode)) {
				p.fatal("container %+v is described as %v", c, g)
			}
			if g["name"] == c.ContainerName && c.NetworkBindings != nil && !reflect.DeepEqual(g["networkBindings"], c.NetworkBindings) {
				p.fatal("bindings %v are described as %v", c.NetworkBindings, g["networkBindings"])
			}
		}
	}
}

// socket is one of the agent's websockets.
type socket struct {
	ws     *websocket.Conn
	opened record
}

func (s *socket) close() {
	if s.ws != nil {
		s.ws.CloseNow()
	}
}

func (p *player) connect(s *socket, r record, base string) {
	p.t.Helper()
	query, err := url.ParseQuery(p.rewrite(url.Values(r.Query).Encode()))
	for name, values := range r.Query { // ARNs are escaped: rewrite them whole
		query[name] = []string{p.rewrite(values[0])}
	}
	if err != nil {
		p.t.Fatal(err)
	}
	address := p.bases[base] + "/ws?" + query.Encode()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := sigv4.Sign(req, nil, p.keys["AKIDINSTANCE"], "ecs", gatewaytest.Scope.Region, time.Now()); err != nil {
		p.t.Fatal(err)
	}
	ws, _, err := websocket.Dial(p.t.Context(), address, &websocket.DialOptions{HTTPHeader: req.Header})
	if err != nil {
		p.fatal("%v", err)
	}
	ws.SetReadLimit(1 << 20)
	p.t.Cleanup(func() { ws.CloseNow() })
	s.ws, s.opened = ws, r
}

// greeted reads to the end of what a session begins with.
func (p *player) greeted() acs.Manifest {
	p.t.Helper()
	var m acs.Manifest
	p.read(p.acs.expect(p, acs.TypeManifest), &m)
	if m.Timeline <= p.sequence {
		p.fatal("timeline %d after %d: the agent would drop it", m.Timeline, p.sequence)
	}
	p.sequence = m.Timeline
	return m
}

// expect reads frames up to the next of a type. Heartbeats in between are answered.
func (s *socket) expect(p *player, kind string) json.RawMessage {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, data, err := s.ws.Read(ctx)
		if err != nil {
			p.fatal("waiting for %s: %v", kind, err)
		}
		f, err := acs.Decode(data)
		if err != nil {
			p.fatal("%v", err)
		}
		if f.Type == kind {
			return f.Message
		}
		if f.Type == acs.TypeHeartbeat && s == &p.acs {
			p.write(s, acs.TypeHeartbeatAck, acs.HeartbeatAck{MessageID: id(f.Message)})
		}
	}
}

func (p *player) write(s *socket, kind string, message any) {
	p.t.Helper()
	data, err := acs.Encode(kind, message)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := s.ws.Write(p.t.Context(), websocket.MessageText, data); err != nil {
		p.fatal("%v", err)
	}
}

// id is the messageId of a message.
func id(message json.RawMessage) string {
	var m struct{ MessageID string }
	_ = json.Unmarshal(message, &m)
	return m.MessageID
}

// say repeats a frame of the agent.
func (p *player) say(r record) {
	p.t.Helper()
	f, err := acs.Decode(r.Msg)
	if err != nil {
		p.fatal("%v", err)
	}
	if f.Type == acs.TypeHeartbeatAck {
		p.names[id(f.Message)] = p.heard
	}
	if err := p.acs.ws.Write(p.t.Context(), websocket.MessageText, []byte(p.rewrite(string(r.Msg)))); err != nil {
		p.fatal("%v", err)
	}
}

// publish repeats a TCS frame with the header lines before it, and waits for its
// acknowledgement.
func (p *player) publish(r record) {
	p.t.Helper()
	f, err := acs.Decode(r.Msg)
	if err != nil {
		p.fatal("%v", err)
	}
	head := strings.ReplaceAll(strings.TrimSpace(strings.ReplaceAll(r.Head, "\r\n", "\n")), "\n", "\r\n")
	frame := head + "\r\n\r\n" + p.rewrite(string(r.Msg))
	if err := p.tcs.ws.Write(p.t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		p.fatal("%v", err)
	}
	p.tcs.expect(p, map[string]string{
		acs.TypePublishMetrics: acs.TypeAckPublishMetric, acs.TypePublishHealth: acs.TypeAckPublishHealth,
		acs.TypePublishInstanceStatus: acs.TypeAckPublishInstanceStatus,
	}[f.Type])
	p.published++
}
