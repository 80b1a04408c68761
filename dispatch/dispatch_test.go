package dispatch

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}

const instanceRole = "arn:aws:iam::000000000000:role/ecsInstanceRole"

// harbor is a dispatcher on a real socket. Requests say who they are in a header.
type harbor struct {
	t     *testing.T
	store *store.Leader
	url   string
	d     *Dispatcher
}

func open(t *testing.T) *harbor {
	h := &harbor{t: t, store: memory.Open()}
	h.d = New(Config{Store: h.store, Log: slog.New(slog.DiscardHandler)})
	as := func(serve func(http.ResponseWriter, *http.Request, identity.Principal)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var who identity.Principal
			if err := json.Unmarshal([]byte(r.Header.Get("X-Principal")), &who); err != nil {
				t.Error(err)
			}
			serve(w, r, who)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/acs/ws", as(h.d.ServeACS))
	mux.Handle("/tcs/ws", as(h.d.ServeTCS))
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		h.d.Close()
		server.Close()
	})
	h.url = server.URL
	return h
}

func (h *harbor) update(fn func(tx *store.Tx)) {
	h.t.Helper()
	if _, err := h.store.Update(h.t.Context(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harbor) instance(id string, attributes ...workload.Attribute) *cluster.Instance {
	i := &cluster.Instance{
		Scope: scope, ARN: scope.ContainerInstance("default", id), ID: id, ClusterARN: scope.Cluster("default"), EC2ID: "i-" + id,
		Status: cluster.InstanceActive, OffersEC2: true, Role: instanceRole, Attributes: attributes,
	}
	h.update(func(tx *store.Tx) { store.Instances.Put(tx, i) })
	return i
}

func (h *harbor) task(id string, inst *cluster.Instance) *task.Task {
	def := &workload.Definition{
		Scope: scope, ARN: scope.TaskDefinition("web", 3), Family: "web", Revision: 3, TaskRoleARN: "arn:aws:iam::000000000000:role/app",
		Containers: []workload.Container{{Name: "main", Image: "web:1", Essential: true, Command: []string{"serve"}}},
	}
	t := &task.Task{
		Scope: scope, ID: id, ARN: scope.Task("default", id), Desired: task.Desired{Status: task.Running},
		Spec:       task.Spec{ClusterARN: scope.Cluster("default"), DefinitionARN: def.ARN, LaunchType: workload.EC2, Group: "family:web"},
		Assignment: &task.Assignment{InstanceARN: inst.ARN},
	}
	h.update(func(tx *store.Tx) {
		store.TaskDefinitions.Put(tx, def)
		store.Tasks.Put(tx, t)
	})
	return t
}

func agentOf(i *cluster.Instance) identity.Principal {
	p := identity.RoleSession(instanceRole, i.EC2ID)
	p.Agent, p.InstanceARN = true, i.ARN
	return p
}

func (h *harbor) dial(path, param, instance string, who identity.Principal) (*websocket.Conn, *http.Response, error) {
	said, err := json.Marshal(who)
	if err != nil {
		h.t.Fatal(err)
	}
	ws, resp, err := websocket.Dial(h.t.Context(), h.url+path+"?"+url.Values{param: {instance}}.Encode(),
		&websocket.DialOptions{HTTPHeader: http.Header{"X-Principal": {string(said)}}})
	if err == nil {
		h.t.Cleanup(func() { ws.CloseNow() })
	}
	return ws, resp, err
}

func (h *harbor) connect(i *cluster.Instance) *websocket.Conn {
	h.t.Helper()
	ws, _, err := h.dial("/acs/ws", "containerInstanceArn", i.ARN, agentOf(i))
	if err != nil {
		h.t.Fatal(err)
	}
	return ws
}

// receive reads the next frame, which must be of the type.
func receive[T any](t *testing.T, ws *websocket.Conn, kind string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var f acs.Frame
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", kind, err)
		}
		if f, err = acs.Decode(data); err != nil {
			t.Fatal(err)
		}
		if f.Type == kind {
			break
		}
		if f.Type != acs.TypeInstanceCredentials && f.Type != acs.TypeNetworkStates && f.Type != acs.TypeZones && f.Type != acs.TypeMeshes { // which come to every agent of ours
			t.Fatalf("got %s, want %s", data, kind)
		}
	}
	var m T
	if err := json.Unmarshal(f.Message, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// await waits for the store to change until ok; it looks from time to time as well,
// for what no change of the store tells.
func (h *harbor) await(what string, ok func(*store.View) bool) {
	h.t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	v, w := h.store.Watch()
	defer w.Close()
	deadline := time.After(10 * time.Second)
	for !ok(v) {
		select {
		case <-w.Ready():
			if d := w.Take(); d.View != nil {
				v = d.View
			}
		case <-look.C:
		case <-deadline:
			h.t.Fatal("never: " + what)
		}
	}
}

func TestASessionGetsItsTasksAndTheirStops(t *testing.T) {
	h := open(t)
	i := h.instance("0a", workload.Attribute{Name: acs.BerthCapability})
	first := h.task("11", i)
	ws := h.connect(i)

	p := receive[acs.Payload](t, ws, acs.TypePayload)
	if len(p.Tasks) != 1 || p.Tasks[0].ARN != first.ARN || p.Tasks[0].Berth == nil || p.Tasks[0].Berth.Containers[0].Image != "web:1" {
		t.Fatalf("first payload: %+v", p)
	}
	c := p.Tasks[0].Berth.TaskRole
	if c == nil || c.SessionToken == "" || len(c.ID) != 36 {
		t.Errorf("credentials: %+v", c)
	}
	m := receive[acs.Manifest](t, ws, acs.TypeManifest)
	if len(m.Tasks) != 1 || m.Timeline <= p.SeqNum {
		t.Errorf("manifest: %+v after sequence %d", m, p.SeqNum)
	}
	h.await("connected", func(v *store.View) bool { i, _ := store.Instances.Get(v, i.ARN); return i.Connected })

	second := h.task("22", i)
	if p = receive[acs.Payload](t, ws, acs.TypePayload); p.Tasks[0].ARN != second.ARN || p.SeqNum <= m.Timeline {
		t.Errorf("second payload: %+v", p)
	}
	stopping := *first
	stopping.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopUserInitiated, StoppedReason: "enough"}
	h.update(func(tx *store.Tx) { store.Tasks.Put(tx, &stopping) })
	if p = receive[acs.Payload](t, ws, acs.TypePayload); p.Tasks[0].ARN != first.ARN || p.Tasks[0].DesiredStatus != "STOPPED" {
		t.Errorf("stop payload: %+v", p)
	}

	ws.CloseNow()
	h.await("disconnected", func(v *store.View) bool { i, _ := store.Instances.Get(v, i.ARN); return !i.Connected })
	again := h.connect(i)
	if p = receive[acs.Payload](t, again, acs.TypePayload); len(p.Tasks) != 2 {
		t.Errorf("after reconnecting: %+v", p)
	}
}

func TestStopsAreVerified(t *testing.T) {
	h := open(t)
	i := h.instance("0a")
	running := h.task("11", i)
	ws := h.connect(i)
	receive[acs.Payload](t, ws, acs.TypePayload)
	m := receive[acs.Manifest](t, ws, acs.TypeManifest)
	stray := scope.Task("default", "99")
	if err := send(t.Context(), ws, acs.TypeStopVerification, acs.StopVerification{MessageID: m.MessageID, StopCandidates: []acs.TaskIdentity{{TaskARN: stray}, {TaskARN: running.ARN}}}); err != nil {
		t.Fatal(err)
	}
	ack := receive[acs.StopVerificationAck](t, ws, acs.TypeStopVerificationAck)
	if ack.MessageID != m.MessageID || len(ack.StopTasks) != 1 || ack.StopTasks[0].TaskARN != stray {
		t.Errorf("got %+v", ack)
	}
}

func TestASecondSessionEndsTheFirst(t *testing.T) {
	h := open(t)
	i := h.instance("0a")
	first := h.connect(i)
	receive[acs.Manifest](t, first, acs.TypeManifest)
	second := h.connect(i)
	receive[acs.Manifest](t, second, acs.TypeManifest)
	if _, _, err := first.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the first session: %v", err)
	}
	h.task("11", i)
	receive[acs.Payload](t, second, acs.TypePayload)
	if i, _ := store.Instances.Get(h.store.View(), i.ARN); !i.Connected {
		t.Error("the instance counts as disconnected")
	}
}

func TestWhoMaySpeakForAnInstance(t *testing.T) {
	h := open(t)
	mine, other := h.instance("0a"), h.instance("0b")
	gone := h.instance("0c")
	gone.Status = cluster.InstanceInactive
	h.update(func(tx *store.Tx) { store.Instances.Put(tx, gone) })
	joined := h.instance("0d")
	joined.Joined = true
	h.update(func(tx *store.Tx) { store.Instances.Put(tx, joined) })
	shown := identity.RoleSession(instanceRole, "i-0a")
	shown.InstanceARN = mine.ARN
	ofTask := identity.RoleSession(instanceRole, "t")
	ofTask.TaskARN = "arn:task"
	for _, c := range []struct {
		name     string
		instance string
		who      identity.Principal
		want     string
	}{
		{"its own keys", mine.ARN, agentOf(mine), ""},
		{"an official agent with the role's keys", mine.ARN, identity.RoleSession(instanceRole, "x"), ""},
		{"another instance's keys", mine.ARN, agentOf(other), "AccessDeniedException"},
		{"a task with the same role", mine.ARN, ofTask, "AccessDeniedException"},
		{"another role", mine.ARN, identity.RoleSession("arn:aws:iam::000000000000:role/app", "x"), "AccessDeniedException"},
		{"a joined one's own keys", joined.ARN, agentOf(joined), ""},
		{"other keys of a joined one's role", joined.ARN, identity.RoleSession(instanceRole, "x"), "AccessDeniedException"},
		{"the keys that it shows its programs", mine.ARN, shown, "AccessDeniedException"},
		{"an unknown instance", "nobody", agentOf(mine), "InvalidInstanceException"},
		{"a deregistered one", gone.ARN, agentOf(gone), "InactiveInstanceException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for path, param := range map[string]string{"/acs/ws": "containerInstanceArn", "/tcs/ws": "containerInstance"} {
				_, resp, err := h.dial(path, param, c.instance, c.who)
				if (err == nil) != (c.want == "") {
					t.Fatalf("%s: %v", path, err)
				}
				if err != nil {
					if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), c.want) {
						t.Errorf("%s: %s", path, body)
					}
				}
			}
		})
	}
}

func TestHealthIsFolded(t *testing.T) {
	h := open(t)
	mine, other := h.instance("0a"), h.instance("0b")
	tk := h.task("11", mine)
	observed := *tk
	observed.Observed.Containers = []task.Container{{Name: "main", Status: "RUNNING"}}
	h.update(func(tx *store.Tx) { store.Tasks.Put(tx, &observed) })
	report := func(i *cluster.Instance, status string) {
		ws, _, err := h.dial("/tcs/ws", "containerInstance", i.ARN, agentOf(i))
		if err != nil {
			t.Fatal(err)
		}
		frame, err := acs.Encode(acs.TypePublishHealth, acs.PublishHealth{Tasks: []acs.TaskHealth{{TaskARN: tk.ARN, Containers: []acs.ContainerHealth{{ContainerName: "main", HealthStatus: status, StatusSince: 1795459942.5}}}}})
		if err != nil {
			t.Fatal(err)
		}
		frame = append([]byte("Host: x\r\nX-Amz-Date: y\r\n\r\n"), frame...)
		if err := ws.Write(t.Context(), websocket.MessageText, frame); err != nil {
			t.Fatal(err)
		}
		receive[acs.Text](t, ws, acs.TypeAckPublishHealth)
	}
	health := func() task.Container {
		got, _ := store.Tasks.Get(h.store.View(), tk.ARN)
		return got.Observed.Containers[0]
	}
	report(mine, "HEALTHY")
	if c := health(); c.Health != task.Healthy || c.HealthSince.UnixMilli() != 1795459942500 {
		t.Errorf("got %+v", c)
	}
	if report(other, "UNHEALTHY"); health().Health != task.Healthy {
		t.Error("an instance spoke for another's task")
	}
}

func TestOrdersCarryTheInterface(t *testing.T) {
	h := open(t)
	i := h.instance("0a", workload.Attribute{Name: acs.BerthCapability})
	h.update(func(tx *store.Tx) {
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-1", CIDR: netip.MustParsePrefix("172.31.0.0/16")})
		store.Subnets.Put(tx, &network.Subnet{Scope: scope, ID: "subnet-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("172.31.16.0/20")})
		store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: scope, ID: "sg-1", VPCID: "vpc-1", Ingress: []network.Rule{{Protocol: "-1", Group: "sg-1"}}})
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-1", VPCID: "vpc-1", SubnetID: "subnet-1", PrivateIP: netip.MustParseAddr("172.31.16.9"), SecurityGroups: []string{"sg-1"}})
	})
	tk := h.task("11", i)
	leased := *tk
	leased.Assignment = &task.Assignment{InstanceARN: i.ARN, InterfaceID: "eni-1"}
	h.update(func(tx *store.Tx) { store.Tasks.Put(tx, &leased) })
	p := receive[acs.Payload](t, h.connect(i), acs.TypePayload)
	got := p.Tasks[0].Berth.Interface
	if got == nil || got.PrivateIP != "172.31.16.9" || got.Gateway != "172.31.16.1" || got.SecurityGroups[0].Ingress[0].Group != "sg-1" {
		t.Errorf("got %+v", got)
	}
}

func TestClosingTellsBothSocketsToComeLater(t *testing.T) {
	h := open(t)
	i := h.instance("0a")
	acsSocket := h.connect(i)
	receive[acs.Manifest](t, acsSocket, acs.TypeManifest)
	tcsSocket, _, err := h.dial("/tcs/ws", "containerInstance", i.ARN, agentOf(i))
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() { h.d.Close(); close(closed) }()
	for name, ws := range map[string]*websocket.Conn{"ACS": acsSocket, "TCS": tcsSocket} {
		if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
			t.Errorf("%s: %v", name, err)
		}
	}
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("Close does not return")
	}
	if _, resp, err := h.dial("/acs/ws", "containerInstanceArn", i.ARN, agentOf(i)); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a session after the end: %v", err)
	}
	if i, _ := store.Instances.Get(h.store.View(), i.ARN); i.Connected {
		t.Error("the instance counts as connected")
	}
}

// TestSessionsThatChaseEachOtherEndConnected reconnects faster than the server
// notices that the last session ended.
func TestSessionsThatChaseEachOtherEndConnected(t *testing.T) {
	h := open(t)
	i := h.instance("0a")
	var last *websocket.Conn
	for range 30 {
		next := h.connect(i)
		if last != nil {
			last.CloseNow()
		}
		last = next
	}
	receive[acs.Manifest](t, last, acs.TypeManifest)
	h.await("one session, and connected", func(v *store.View) bool {
		i, _ := store.Instances.Get(v, i.ARN)
		return i.Connected && h.d.lineCount() == 1
	})
	if i, _ := store.Instances.Get(h.store.View(), i.ARN); !i.Connected {
		t.Error("the instance counts as disconnected")
	}
}

func (d *Dispatcher) lineCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.lines)
}

func TestTheBucketPacesHandshakes(t *testing.T) {
	var b bucket
	now := time.Unix(1767225600, 0)
	taken := 0
	for range 10 * handshakeBurst {
		if b.take(now) {
			taken++
		}
	}
	if taken != handshakeBurst {
		t.Errorf("%d at once, want %d", taken, handshakeBurst)
	}
	for second := 1; second <= 3; second++ {
		now = now.Add(time.Second)
		for range 10 * handshakeBurst {
			if b.take(now) {
				taken++
			}
		}
	}
	if want := handshakeBurst + 3*handshakeRate; taken != want {
		t.Errorf("%d after three seconds, want %d", taken, want)
	}
}

// faulty refuses the first so many updates.
type faulty struct {
	*store.Leader
	refusals int
}

func (f *faulty) Update(ctx context.Context, fn func(*store.Tx) error) (*store.View, error) {
	if f.refusals > 0 {
		f.refusals--
		return nil, fault.New(fault.Unavailable, "The store could not write the change; nothing was changed.")
	}
	return f.Leader.Update(ctx, fn)
}

func TestASessionThatCannotBeNotedEnds(t *testing.T) {
	h := open(t)
	i := h.instance("0123456789abcdef0123456789abcdef")
	h.d.Store = &faulty{h.store, 1}
	if _, _, err := h.connect(i).Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("got %v", err)
	}
	h.connect(i).Read(t.Context())
	if have, _ := store.Instances.Get(h.store.View(), i.ARN); !have.Connected {
		t.Error("the next session is not noted")
	}
}
