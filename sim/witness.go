package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// witness takes down what can be seen of services: their events, the states of their
// rollouts, and how many tasks have which status.
type witness struct {
	w      *world
	lines  []string
	at     *store.View
	said   map[string]int64  // events by service, the last sequence
	states map[string]string // what was seen last, by subject
	seen   map[string]bool   // task sets that were there
}

func newWitness(w *world) *witness {
	return &witness{w: w, said: map[string]int64{}, states: map[string]string{}}
}

// take returns what was seen since the last time.
func (x *witness) take() []string {
	out := x.lines
	x.lines = nil
	return out
}

func (x *witness) say(format string, args ...any) {
	at := x.w.now.Sub(epoch).Round(100 * time.Millisecond)
	x.lines = append(x.lines, fmt.Sprintf("    %8s  ", at)+x.w.rename(fmt.Sprintf(format, args...)))
}

// look compares with what was seen before.
func (x *witness) look() {
	v := x.w.server.leader.View()
	if !x.w.server.up || v == x.at {
		return
	}
	x.at = v
	x.sets(v)
	for s := range store.Services.All(v) {
		for i := range s.Deployments {
			if id := s.Deployments[i].ID; x.w.names[id] == "" {
				x.w.deployments++
				x.w.names[id] = fmt.Sprintf("deployment%d", x.w.deployments)
			}
		}
		for e := range store.ServiceEvents.Prefix(v, store.ServiceEventPrefix(s.ARN)) {
			if e.Sequence > x.said[s.ARN] && e.Message != "" {
				x.said[s.ARN] = e.Sequence
				x.say("%s", e.Message)
			}
		}
		x.changed(s.Name, string(s.Status))
		x.changed(s.Name+" tasks", counts(v, s))
		for i := range s.Deployments {
			d := &s.Deployments[i]
			x.changed(d.ID, fmt.Sprintf("%s %s: %s", d.Status, d.State, d.Reason))
			if d.Traffic > 0 || x.states["traffic to "+d.ID] != "" {
				x.changed("traffic to "+d.ID, fmt.Sprintf("%.0f %%, test %.0f %%", d.Traffic, d.TestTraffic))
			}
		}
	}
	for r := range store.Rollouts.All(v) {
		x.changed("rollout of "+r.DeploymentID, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Status, r.Stage, r.Reason)))
	}
}

func (x *witness) changed(subject, state string) {
	if x.states[subject] != state {
		x.states[subject] = state
		x.say("%s: %s", subject, state)
	}
}

// counts are a service's tasks by status.
func counts(v *store.View, s *service.Service) string {
	n := map[task.Status]int{}
	for t := range store.Tasks.By(v, store.TasksOfService, store.InCluster(s.ClusterARN, service.Group(s.Name))) {
		if last := t.LastStatus(); last != task.Stopped {
			n[last]++
		}
	}
	if len(n) == 0 {
		return "none"
	}
	var out []string
	for _, status := range slices.Sorted(maps.Keys(n)) {
		out = append(out, fmt.Sprintf("%d %s", n[status], status))
	}
	return strings.Join(out, ", ")
}
