package dispatch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// guard allows sessions until it is shut.
type guard struct{ shut atomic.Bool }

func (g *guard) may(_ context.Context, who identity.Principal, action string, i *cluster.Instance) error {
	if g.shut.Load() {
		return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s on resource: %s", who.ARN, action, i.ARN)
	}
	return nil
}

func TestSessionsNeedToBeAllowed(t *testing.T) {
	h, g := open(t), &guard{}
	h.d.May = g.may
	g.shut.Store(true)
	i := h.instance("0a")
	for path, want := range map[string]string{"/acs/ws containerInstanceArn": "ecs:Poll", "/tcs/ws containerInstance": "ecs:StartTelemetrySession"} {
		path, param, _ := strings.Cut(path, " ")
		_, resp, err := h.dial(path, param, i.ARN, agentOf(i))
		if err == nil {
			t.Fatalf("%s was let in", path)
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 403 || !strings.Contains(string(body), "AccessDeniedException") || !strings.Contains(string(body), want+" on resource: "+i.ARN) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
		if now, _ := store.Instances.Get(h.store.View(), i.ARN); !strings.Contains(now.Refused, want) {
			t.Errorf("%s: the instance says %q", path, now.Refused)
		}
	}
	g.shut.Store(false)
	h.connect(i)
	waitUntil(t, h, func(v *store.View) bool {
		now, _ := store.Instances.Get(v, i.ARN)
		return now.Connected && now.Refused == ""
	})
}

// Who loses the permission loses the session with the next heartbeat, of either kind.
func TestASessionEndsWithItsPermission(t *testing.T) {
	h, g := open(t), &guard{}
	h.d.May, h.d.Heartbeat = g.may, 20*time.Millisecond
	i := h.instance("0a")
	telemetry, _, err := h.dial("/tcs/ws", "containerInstance", i.ARN, agentOf(i))
	if err != nil {
		t.Fatal(err)
	}
	command := h.connect(i)
	waitUntil(t, h, func(v *store.View) bool { now, _ := store.Instances.Get(v, i.ARN); return now.Connected })
	g.shut.Store(true)
	for name, ws := range map[string]*websocket.Conn{"command": command, "telemetry": telemetry} {
		for err = nil; err == nil; {
			_, _, err = ws.Read(t.Context())
		}
		closed := new(websocket.CloseError)
		if !errors.As(err, closed) || closed.Code != websocket.StatusPolicyViolation || !strings.Contains(closed.Reason, "is not authorized to perform: ecs:") {
			t.Errorf("%s session: %v", name, err)
		}
	}
	waitUntil(t, h, func(v *store.View) bool {
		now, _ := store.Instances.Get(v, i.ARN)
		return !now.Connected && strings.Contains(now.Refused, "is not authorized to perform: ecs:")
	})
}

// waitUntil waits for a state of the store.
func waitUntil(t *testing.T, h *harbor, reached func(*store.View) bool) {
	t.Helper()
	v, watch := h.store.Watch(store.TopicOf(store.Instances), store.TopicOf(store.Tasks))
	defer watch.Close()
	for !reached(v) {
		select {
		case <-watch.Ready():
			watch.Take()
			v = h.store.View()
		case <-time.After(10 * time.Second):
			t.Fatal("it never came to that")
		}
	}
}

const appRole = "arn:aws:iam::000000000000:role/app"

func TestATaskWhoseRoleIsGoneFailsToStart(t *testing.T) {
	h := open(t)
	h.d.Log = slog.New(slog.DiscardHandler)
	h.d.Assume = func(store.Reader, string, string) (*identity.Role, error) { return nil, errors.New("there is no role") }
	i := h.instance("0a", workload.Attribute{Name: acs.BerthCapability})
	tk := h.task("11", i)
	h.update(func(tx *store.Tx) {
		def, _ := store.TaskDefinitions.Get(tx, tk.Spec.DefinitionARN)
		next := *def
		next.TaskRoleARN = appRole
		store.TaskDefinitions.Put(tx, &next)
	})
	ws := h.connect(i)
	if m := receive[acs.Manifest](t, ws, acs.TypeManifest); len(m.Tasks) != 1 || m.Tasks[0].DesiredStatus != "STOPPED" {
		t.Errorf("the manifest has %+v", m.Tasks)
	}
	p := receive[acs.Payload](t, ws, acs.TypePayload)
	if len(p.Tasks) != 1 || p.Tasks[0].DesiredStatus != "STOPPED" {
		t.Errorf("the agent is told %+v", p.Tasks)
	}
	got, _ := store.Tasks.Get(h.store.View(), tk.ARN)
	want := task.Desired{Status: task.Stopped, StopCode: "TaskFailedToStart", StoppedReason: task.RoleRefused(appRole), StoppingAt: got.Desired.StoppingAt}
	if got.Desired != want || !strings.HasPrefix(want.StoppedReason, "ECS was unable to assume the role '"+appRole+"'") {
		t.Errorf("got %+v", got.Desired)
	}
	for k := range store.AccessKeys.By(h.store.View(), store.AccessKeysByTask, tk.ARN) {
		t.Errorf("a key was made: %+v", k.Principal)
	}
}

// The session of a role that exists ends with it: it names the role's id.
func TestTaskKeysAreOfTheRoleAsItIs(t *testing.T) {
	h := open(t)
	h.d.Assume = func(_ store.Reader, arn, source string) (*identity.Role, error) {
		if source != h.task("11", h.instance("0a")).ARN {
			t.Errorf("assumed for %s", source)
		}
		return &identity.Role{Account: scope.Account, Name: "app", ID: "AROA0123", ARN: arn}, nil
	}
	p, err := h.d.become(h.store.View(), appRole, h.task("11", h.instance("0a")))
	if err != nil || p.UserID != "AROA0123:11" || p.RoleARN != appRole || p.TaskARN == "" {
		t.Errorf("%+v, %v", p, err)
	}
}
