package dispatch

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// clock is set by the test.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }
func (h *harbor) timed() (c *clock) {
	c = new(clock)
	c.at.Store(int64(1e18))
	h.d.Now, h.d.Heartbeat = c.now, 10*time.Millisecond
	return c
}
func ours() workload.Attribute { return workload.Attribute{Name: acs.BerthCapability} }
func roleNamed(name string) *identity.Role {
	return &identity.Role{Account: scope.Account, Name: name, Path: "/", ARN: scope.Global("iam", "role/"+name)}
}

// attend answers heartbeats, as an agent does, until a message of a type comes.
func attend[T any](t *testing.T, ws *websocket.Conn, kind string) (m T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", kind, err)
		}
		f, err := acs.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if f.Type == kind {
			if err := json.Unmarshal(f.Message, &m); err != nil {
				t.Fatal(err)
			}
			return m
		}
		if f.Type == acs.TypeHeartbeat {
			answer, _ := acs.Encode(acs.TypeHeartbeatAck, acs.HeartbeatAck{})
			if err := ws.Write(ctx, websocket.MessageText, answer); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestKeysOfARunningTaskAreRenewedBeforeTheirEnd gives both roles of a task new
// keys under the ids they have, while the old ones still hold.
func TestKeysOfARunningTaskAreRenewedBeforeTheirEnd(t *testing.T) {
	h := open(t)
	c := h.timed()
	inst := h.instance("aaaa", ours())
	run := h.task("1111", inst)
	h.update(func(tx *store.Tx) {
		def, _ := store.TaskDefinitions.Get(tx, run.Spec.DefinitionARN)
		next := *def
		next.ExecutionRoleARN = "arn:aws:iam::000000000000:role/exec"
		store.TaskDefinitions.Put(tx, &next)
	})
	ws := h.connect(inst)
	order := attend[acs.Payload](t, ws, acs.TypePayload).Tasks[0].Berth
	first := map[string]*task.Credentials{acs.RoleTaskApplication: order.TaskRole, acs.RoleTaskExecution: order.ExecutionRole}
	c.advance(keysLive - keysRenewedAt + time.Second)
	for range first {
		m := attend[acs.Credentials](t, ws, acs.TypeCredentials)
		old := first[m.RoleType]
		ends, err := time.Parse(time.RFC3339, m.RoleCredentials.Expiration)
		if err != nil || old == nil || m.TaskARN != run.ARN || m.RoleCredentials.CredentialsID != old.ID || m.RoleCredentials.AccessKeyID == old.AccessKeyID || !ends.After(old.Expiration) {
			t.Fatalf("%+v renews %+v (%v)", m, old, err)
		}
		if key, ok := store.AccessKeys.Get(h.store.View(), old.AccessKeyID); !ok || key.Expired(c.now()) {
			t.Errorf("the old keys of %s have ended", m.RoleType)
		}
		first[m.RoleType] = nil // each comes once
	}
}

// TestAnInstanceShowsASessionOfItsRole has a machine's programs get keys of its role
// that end, are renewed before, and are taken back once the role is gone; they never
// speak for the instance.
func TestAnInstanceShowsASessionOfItsRole(t *testing.T) {
	h := open(t)
	c := h.timed()
	inst := h.instance("aaaa", ours())
	h.update(func(tx *store.Tx) {
		store.Roles.Put(tx, roleNamed("ecsInstanceRole"))
		store.InstanceProfiles.Put(tx, &identity.InstanceProfile{Account: scope.Account, Name: "machines", ARN: scope.Global("iam", "instance-profile/machines"), Roles: []string{"ecsInstanceRole"}})
	})
	ws := h.connect(inst)
	first := attend[acs.InstanceCredentials](t, ws, acs.TypeInstanceCredentials)
	key, ok := store.AccessKeys.Get(h.store.View(), first.RoleCredentials.AccessKeyID)
	if !ok || first.ProfileARN != scope.Global("iam", "instance-profile/machines") || first.RoleCredentials.RoleARN != instanceRole ||
		!key.ExpiresAt.Equal(c.now().Add(keysLive)) || key.Principal.ARN != "arn:aws:sts::000000000000:assumed-role/ecsInstanceRole/i-aaaa" || key.Principal.Agent {
		t.Fatalf("%+v: %+v", first, key)
	}
	if _, answer, err := h.dial("/acs/ws", "containerInstanceArn", inst.ARN, key.Principal); err == nil || answer.StatusCode != 403 {
		t.Errorf("keys that are shown opened a session: %v", err)
	}
	c.advance(keysLive - keysRenewedAt + time.Second)
	second := attend[acs.InstanceCredentials](t, ws, acs.TypeInstanceCredentials)
	if second.RoleCredentials.AccessKeyID == key.ID || key.Expired(c.now()) {
		t.Errorf("%+v renews %+v", second, key)
	}
	h.update(func(tx *store.Tx) { store.Roles.Delete(tx, store.NameKey(scope.Account, "ecsInstanceRole")) })
	if gone := attend[acs.InstanceCredentials](t, ws, acs.TypeInstanceCredentials); gone.RoleCredentials != nil {
		t.Errorf("the role is gone: %+v", gone)
	}
	for _, id := range []string{key.ID, second.RoleCredentials.AccessKeyID} {
		if _, ok := store.AccessKeys.Get(h.store.View(), id); ok {
			t.Errorf("key %s outlives its role", id)
		}
	}
}
