package edges

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// ServeReport writes what an edge saw of its targets, where it is news.
func (e *Edges) ServeReport(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	var in balancer.EdgeReport
	e.take(w, r, who, &in, func(ctx context.Context, edge string) error {
		if err := e.note(ctx, edge, in.Health); err != nil {
			return err
		}
		if in.Troubles != nil {
			if err := e.trouble(ctx, edge, in.Troubles); err != nil {
				return err
			}
		}
		return e.wake(ctx, e.asleep(edge, in.Wake))
	})
}

// note writes all of a report in one transaction; most of the time there is nothing
// to write.
func (e *Edges) note(ctx context.Context, edge string, seen []balancer.TargetReport) error {
	k, v := e.of(edge), e.Store.View()
	seen = slices.DeleteFunc(slices.Clone(seen), func(t balancer.TargetReport) bool {
		return !k.targets[t.Target] || !reportable(t.Report.State) || !news(v, edge, &t)
	})
	if len(seen) == 0 {
		return nil
	}
	_, err := e.Store.Update(ctx, func(tx *store.Tx) error {
		for n := range seen {
			if _, registered := store.Targets.Get(tx, seen[n].Target); registered && news(tx, edge, &seen[n]) {
				store.TargetHealth.Put(tx, with(tx, edge, &seen[n]))
			}
		}
		return nil
	})
	return err
}

func reportable(s balancer.State) bool {
	return slices.Contains([]balancer.State{balancer.Initial, balancer.Healthy, balancer.Unhealthy, balancer.Unavailable}, s)
}

// news tells whether a report says more than the time.
func news(r store.Reader, edge string, t *balancer.TargetReport) bool {
	h, ok := store.TargetHealth.Get(r, t.Target)
	if !ok {
		return true
	}
	have, ok := h.Reports[edge]
	have.At = t.Report.At
	return !ok || have != t.Report
}

// with is the health of a target with an edge's report.
func with(r store.Reader, edge string, t *balancer.TargetReport) *balancer.Health {
	next := &balancer.Health{Target: t.Target, Reports: map[string]balancer.Report{}}
	if have, ok := store.TargetHealth.Get(r, t.Target); ok {
		maps.Copy(next.Reports, have.Reports)
	}
	next.Reports[edge] = t.Report
	return next
}

// trouble keeps which of its balancers an edge cannot carry, where that is news.
func (e *Edges) trouble(ctx context.Context, edge string, reasons map[string]string) error {
	k, v := e.of(edge), e.Store.View()
	changed := map[string]bool{}
	for arn := range k.owners {
		if have, _ := store.Troubles.Get(v, arn); reasonOf(have, edge) != reasons[arn] {
			changed[arn] = true
		}
	}
	if len(changed) == 0 {
		return nil
	}
	_, err := e.Store.Update(ctx, func(tx *store.Tx) error {
		for arn := range changed {
			if _, there := store.Balancers.Get(tx, arn); there {
				store.Trouble(tx, arn, edge, reasons[arn])
			}
		}
		return nil
	})
	return err
}

func reasonOf(t *balancer.Trouble, edge string) string {
	if t == nil {
		return ""
	}
	return t.Reasons[edge]
}

// wake has the services behind groups get a task.
func (e *Edges) wake(ctx context.Context, groups []string) error {
	if len(groups) == 0 {
		return nil
	}
	_, err := e.Store.Update(ctx, func(tx *store.Tx) error { store.Wake(tx, groups, e.Now()); return nil })
	return err
}

// asleep are those of the groups that the edge may wake.
func (e *Edges) asleep(edge string, groups []string) []string {
	var wake []string
	for _, p := range e.of(edge).snapshot.Pools {
		if p.Wake && slices.Contains(groups, p.Group.ARN) {
			wake = append(wake, p.Group.ARN)
		}
	}
	return wake
}

// take reads what an edge sends and does something with it.
func (e *Edges) take(w http.ResponseWriter, r *http.Request, who identity.Principal, in any, do func(ctx context.Context, edge string) error) {
	i, err := e.admit(who)
	if err == nil {
		if bad := json.NewDecoder(r.Body).Decode(in); bad != nil {
			err = fault.New(fault.Serialization, "The request cannot be read.")
		}
	}
	if err == nil {
		err = do(r.Context(), i.ARN)
	}
	if err != nil {
		writeFault(w, err)
		return
	}
	writeJSON(w, struct{}{})
}

func writeFault(w http.ResponseWriter, err error) {
	f := fault.Of(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Kind.Status())
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": f.Kind.String(), "message": f.Message, "hint": f.Hint})
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // an edge that left asks again
}
