package sim

import (
	"fmt"
	"slices"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// truth is what there is of a task on a host, whether or not an agent looks, or
// remembers.
type truth struct {
	a       *agent
	order   *task.Order
	ready   bool // the namespaces and the interface exist
	running []bool
	started []int // how often each container was
	exits   []*int
}

func (a *agent) truthOf(o *task.Order) *truth {
	if i := slices.IndexFunc(a.truths, func(t *truth) bool { return t.order.ARN == o.ARN }); i >= 0 {
		return a.truths[i]
	}
	n := len(o.Containers)
	t := &truth{a: a, order: o, running: make([]bool, n), started: make([]int, n), exits: make([]*int, n)}
	a.truths = append(a.truths, t)
	return t
}

func (t *truth) run(i int) {
	w, name := t.a.w, t.order.Containers[i].Name
	if t.started[i]++; t.started[i] > 1 {
		w.expect(fmt.Errorf("container %s of %s was started %d times on %s", name, w.rename(t.order.ARN), t.started[i], t.a.name))
	}
	if !t.helped(i) {
		w.expect(fmt.Errorf("container %s of %s was started before what it waits for", name, w.rename(t.order.ARN)))
	}
	t.running[i] = true
	w.started[t.order.Family+" "+name]++
	w.say("%s: %s of %s runs", t.a.name, name, t.order.ARN)
	if life, code := w.user.kind(t.order.Family).end(name, w); life > 0 {
		w.after(life, func() { t.exit(i, code) })
	}
}

// helped tells whether what the container waits for has come.
func (t *truth) helped(i int) bool {
	for _, d := range t.order.Containers[i].DependsOn {
		j := slices.IndexFunc(t.order.Containers, func(c task.OrderContainer) bool { return c.Name == d.ContainerName })
		if t.started[j] == 0 || d.Condition == workload.ConditionSuccess && (t.exits[j] == nil || *t.exits[j] != 0) {
			return false
		}
	}
	return true
}

// exit ends a container, by itself or because it was stopped. An agent that is up
// notices; one that is down will.
func (t *truth) exit(i, code int) {
	if !t.running[i] {
		return
	}
	t.running[i], t.exits[i] = false, &code
	t.a.w.say("%s: %s of %s exits with %d", t.a.name, t.order.Containers[i].Name, t.order.ARN, code)
	if p := t.a.find(t.order.ARN); p != nil && t.a.up {
		p.notice(i)
	}
}

// alive tells whether anything of the task is on the host.
func (t *truth) alive() bool { return t.ready || slices.Contains(t.running, true) }

// aliveTasks are those with anything on the host.
func (a *agent) aliveTasks() []*truth {
	var out []*truth
	for _, t := range a.truths {
		if t.alive() {
			out = append(out, t)
		}
	}
	return out
}
