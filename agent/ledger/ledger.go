// Package ledger is the agent's last line of defence: whatever the control plane
// orders, tasks never hold more of the machine than the agent offered.
package ledger

import (
	"fmt"
	"strings"
	"sync"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
)

// Ledger knows what each task holds. It is safe for concurrent use.
type Ledger struct {
	offered    cluster.Resources
	overcommit int

	mu   sync.Mutex
	held map[string]cluster.Demand // by task ARN
}

// New makes a ledger of what the agent offers. overcommit is how many units of
// Fargate CPU are given for one of the machine's; at least 1.
func New(offered cluster.Resources, overcommit int) *Ledger {
	return &Ledger{offered: offered, overcommit: overcommit, held: map[string]cluster.Demand{}}
}

// NoRoomError says what is missing for a task.
type NoRoomError struct{ Lacks []cluster.Lack }

func (e *NoRoomError) Error() string {
	parts := make([]string, len(e.Lacks))
	for i, l := range e.Lacks {
		parts[i] = l.String()
	}
	return "the machine has no room for the task: " + strings.Join(parts, ", ")
}

// Claim takes what the order demands, or fails with a *NoRoomError. Claiming
// again for the same task is no claim.
func (l *Ledger) Claim(o *task.Order) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.held[o.ARN]; ok {
		return nil
	}
	d := Demand(o, l.overcommit)
	var used cluster.Usage
	for _, h := range l.held {
		used.CPU += h.CPU
		used.Memory += h.Memory
	}
	if lacks := cluster.Lacks(&l.offered, &used, &d); len(lacks) > 0 {
		return &NoRoomError{lacks}
	}
	l.held[o.ARN] = d
	return nil
}

// Release gives back what the task holds.
func (l *Ledger) Release(arn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, arn)
}

// Held tells what all tasks hold together.
func (l *Ledger) Held() (cpu, memory, tasks int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.held {
		cpu += h.CPU
		memory += h.Memory
	}
	return cpu, memory, len(l.held)
}

// Demand is what an order takes of CPU and memory. Ports are the network's to
// refuse, devices the runtime's.
func Demand(o *task.Order, overcommit int) cluster.Demand {
	var d cluster.Demand
	for i := range o.Containers {
		c := &o.Containers[i]
		d.CPU += c.CPU
		switch {
		case c.MemoryReservation != nil:
			d.Memory += *c.MemoryReservation
		case c.Memory != nil:
			d.Memory += *c.Memory
		}
	}
	if o.CPU > 0 {
		d.CPU = o.CPU
	}
	if o.Memory > 0 {
		d.Memory = o.Memory
	}
	if o.Isolation == task.Sandbox && overcommit > 1 {
		d.CPU = (d.CPU + overcommit - 1) / overcommit
	}
	return d
}

// String is for logs.
func (l *Ledger) String() string {
	cpu, memory, tasks := l.Held()
	return fmt.Sprintf("%d tasks hold CPU %d of %d, memory %d of %d MiB", tasks, cpu, l.offered.CPU, memory, l.offered.Memory)
}
