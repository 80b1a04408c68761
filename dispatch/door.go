package dispatch

import (
	"encoding/json"
	"net/http"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// maxFrame bounds what an agent may send in one message; metrics frames are
// documented to stay under 1 MB.
const maxFrame = 4 << 20

// refusal is a handshake that is not upgraded. The agent reads its type from the
// body and decides by it how long to stay away.
type refusal struct {
	status int
	kind   string
	text   string
}

func (r *refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]string{r.kind: r.text})
}

// ServeACS upgrades and serves a command session (GET .../ws) for a caller whose
// signature was verified.
func (d *Dispatcher) ServeACS(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	q := r.URL.Query()
	d.serve(w, r, who, q.Get("containerInstanceArn"), func(inst *cluster.Instance, ws *websocket.Conn) {
		d.command(r.Context(), inst, ws, r.RemoteAddr)
	})
}

// ServeTCS upgrades and serves a telemetry session likewise.
func (d *Dispatcher) ServeTCS(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	q := r.URL.Query()
	d.serve(w, r, who, q.Get("containerInstance"), func(inst *cluster.Instance, ws *websocket.Conn) {
		d.telemetry(r.Context(), inst, ws)
	})
}

func (d *Dispatcher) serve(w http.ResponseWriter, r *http.Request, who identity.Principal, instance string, talk func(*cluster.Instance, *websocket.Conn)) {
	inst, refused := d.admit(who, instance)
	if refused != nil {
		d.Log.Warn("session refused", "instance", instance, "peer", r.RemoteAddr, "why", refused.text)
		refused.write(w)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	defer ws.CloseNow()
	ws.SetReadLimit(maxFrame)
	d.open.Add(1)
	defer d.open.Done()
	talk(inst, ws)
}

// admit decides whether the caller may speak for the instance.
func (d *Dispatcher) admit(who identity.Principal, instance string) (*cluster.Instance, *refusal) {
	inst := find(d.Store.View(), who, instance)
	switch {
	case inst == nil:
		return nil, &refusal{http.StatusBadRequest, "InvalidInstanceException", "Container instance not found: " + instance}
	case !speaksFor(who, inst):
		return nil, &refusal{http.StatusForbidden, "AccessDeniedException", "These credentials do not belong to container instance " + inst.ARN}
	case inst.Status == cluster.InstanceInactive:
		return nil, &refusal{http.StatusBadRequest, acs.TypeInactiveInstance, "Container instance is INACTIVE: register it again"}
	}
	return inst, nil
}

func find(v *store.View, who identity.Principal, instance string) *cluster.Instance {
	if inst, ok := store.Instances.Get(v, instance); ok {
		return inst
	}
	if a, err := arn.Parse(instance); err == nil && len(a.Path()) == 1 { // the short form of old agents
		for inst := range store.Instances.All(v) {
			if inst.ID == a.Name() && inst.Scope.Account == who.Account {
				return inst
			}
		}
	}
	return nil
}

// speaksFor binds a session to the instance's own identity: keys a machine got by
// joining speak for the instance they registered and no other. Other keys, an
// official agent's, must be of the role that registered it, and must not be a
// task's.
func speaksFor(who identity.Principal, inst *cluster.Instance) bool {
	switch {
	case who.TaskARN != "" || who.Account != inst.Scope.Account:
		return false
	case who.Agent:
		return who.InstanceARN == inst.ARN
	}
	return who.RoleARN == inst.Role
}
