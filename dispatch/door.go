package dispatch

import (
	"context"
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
	if !d.bucket.take(d.Now()) {
		(&refusal{http.StatusServiceUnavailable, "ServerException", "Too many agents connect at once; come again in a moment."}).write(w)
		return
	}
	d.serve(w, r, who, r.URL.Query().Get("containerInstanceArn"), poll, func(ctx context.Context, l *line, inst *cluster.Instance, ws *websocket.Conn) {
		d.command(ctx, l, inst, ws, r)
	})
}

// ServeTCS upgrades and serves a telemetry session likewise.
func (d *Dispatcher) ServeTCS(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	d.serve(w, r, who, r.URL.Query().Get("containerInstance"), telemeter, d.telemetry)
}

// talk serves an open session; the line's end ends it, and ctx with it.
type talk func(ctx context.Context, l *line, inst *cluster.Instance, ws *websocket.Conn)

// Actions that agents are allowed or not.
const (
	poll      = "ecs:Poll"
	telemeter = "ecs:StartTelemetrySession"
)

func (d *Dispatcher) serve(w http.ResponseWriter, r *http.Request, who identity.Principal, instance, action string, talk talk) {
	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	l := &line{end: end}
	inst, refused := d.admit(who, instance)
	if refused == nil {
		l.may = func() error { return d.may(ctx, who, action, inst.ARN) }
		refused = d.barred(l.may())
	}
	if refused == nil && !d.begin(l) {
		refused = &refusal{http.StatusServiceUnavailable, "ServerException", errRestarting.Error()}
	}
	if refused != nil {
		d.Log.Warn("session refused", "instance", instance, "peer", r.RemoteAddr, "why", refused.text)
		refused.write(w)
		return
	}
	defer d.done(l)
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	defer ws.CloseNow()
	ws.SetReadLimit(maxFrame)
	talk(ctx, l, inst, ws)
}

// admit decides whether the caller may speak for the instance.
func (d *Dispatcher) admit(who identity.Principal, instance string) (*cluster.Instance, *refusal) {
	inst := find(d.Store.View(), who, instance)
	switch {
	case inst == nil:
		return nil, &refusal{http.StatusBadRequest, "InvalidInstanceException", "Container instance not found: " + instance}
	case !inst.SpokenForBy(who):
		return nil, &refusal{http.StatusForbidden, "AccessDeniedException", "These credentials do not belong to container instance " + inst.ARN}
	case inst.Status == cluster.InstanceInactive:
		return nil, &refusal{http.StatusBadRequest, acs.TypeInactiveInstance, "Container instance is INACTIVE: register it again"}
	}
	return inst, nil
}

// may asks again whether the caller may have a session of its instance, as it is now,
// and notes on the instance why not.
func (d *Dispatcher) may(ctx context.Context, who identity.Principal, action, instance string) error {
	inst, ok := store.Instances.Get(d.Store.View(), instance)
	if d.May == nil || !ok {
		return nil
	}
	err := d.May(ctx, who, action, inst)
	if err == nil || inst.Refused == err.Error() {
		return err
	}
	_, noted := d.Store.Update(ctx, func(tx *store.Tx) error {
		if have, ok := store.Instances.Get(tx, instance); ok {
			next := *have
			next.Refused = err.Error()
			next.Version++
			store.Instances.Put(tx, &next)
		}
		return nil
	})
	if noted != nil {
		d.Log.Error("session", "instance", instance, "err", noted)
	}
	return err
}

func (d *Dispatcher) barred(err error) *refusal {
	if err == nil {
		return nil
	}
	return &refusal{http.StatusForbidden, "AccessDeniedException", err.Error()}
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
