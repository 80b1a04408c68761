package placement

import (
	"strings"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/workload"
)

// Request is one task to place.
type Request struct {
	Demand      cluster.Demand
	Group       string // "family:x" or "service:y"; spreads count the group's tasks
	Constraints []workload.Constraint
	Strategy    []workload.Strategy
	Requires    []workload.Attribute // the definition's requiresAttributes
	Provider    string               // only its instances may have the task; empty for all
	Fargate     bool                 // take Fargate capacity, by its CPU overcommit
	Seed        uint64               // decides the random strategy
}

// Placement is a decision to run the task on an instance.
type Placement struct {
	Instance *cluster.Instance
	Held     cluster.Held  // to store with the assignment
	Usage    cluster.Usage // the instance's new usage
}

// Place decides for one task and takes its share of the board. Without a place
// it returns nil and why each instance refused, of those that the request's
// capacity provider has; err is a constraint or strategy
// that cannot be read.
func (b *Board) Place(r *Request) (*Placement, []Refusal, error) {
	f, err := b.filter(r)
	if err != nil {
		return nil, nil, err
	}
	terms, err := b.terms(r)
	if err != nil {
		return nil, nil, err
	}
	best, ok := choose(f.candidates(), terms)
	if ok && f.ports && !f.portsFree(best) {
		// Looking at ports costs a walk through the instances, and most often the
		// best has them free: only when not, ask all.
		best, ok = choose(narrowed(f.candidates(), f.portsFree), terms)
	}
	if !ok {
		return nil, b.explain(r, f), nil
	}
	p := b.take(int(best), r)
	return &p, nil, nil
}

func choose(candidates []int32, terms []term) (best int32, ok bool) {
	for _, t := range terms {
		if len(candidates) < 2 {
			break
		}
		candidates = t.lowest(candidates)
	}
	if len(candidates) == 0 {
		return 0, false
	}
	return candidates[0], true
}

// candidates lists the instances that pass but for ports, in the board's scratch
// space: first by the numbers, then each further need narrows the list.
func (f *filter) candidates() []int32 {
	out, n := f.b.scratch, 0
	cpus, memories, gpus := f.cpus, f.b.memory[:len(f.cpus)], f.b.gpus[:len(f.cpus)]
	for i := range cpus {
		if f.memory <= memories[i] && f.cpu <= cpus[i] && f.gpus <= gpus[i] {
			out[n] = int32(i)
			n++
		}
	}
	out = out[:n]
	for _, need := range f.needs {
		out = narrowed(out, func(i int32) bool { return need[i] })
	}
	if f.distinct != nil {
		out = narrowed(out, func(i int32) bool { return f.distinct[i] == 0 })
	}
	return out
}

func narrowed(candidates []int32, keep func(int32) bool) []int32 {
	kept := candidates[:0]
	for _, i := range candidates {
		if keep(i) {
			kept = append(kept, i)
		}
	}
	return kept
}

func (f *filter) portsFree(i int32) bool {
	return cluster.PortsFree(&f.b.instances[i].Registered, f.b.usage[i], &f.r.Demand)
}

// passes tells whether one instance takes the request.
func (f *filter) passes(i int) bool {
	b := f.b
	if f.memory > b.memory[i] || f.cpu > f.cpus[i] || f.gpus > b.gpus[i] {
		return false
	}
	for _, need := range f.needs {
		if !need[i] {
			return false
		}
	}
	return (f.distinct == nil || f.distinct[i] == 0) && (!f.ports || f.portsFree(int32(i)))
}

// On takes the share of one named instance, as StartTask does: no strategy
// chooses, but resources, attributes and state still count.
func (b *Board) On(i int, r *Request) (*Placement, *Refusal, error) {
	f, err := b.filter(r)
	if err != nil {
		return nil, nil, err
	}
	if !f.passes(i) {
		refusal := b.refuse(i, r, f)
		return nil, &refusal, nil
	}
	p := b.take(i, r)
	return &p, nil, nil
}

// filter holds what a request needs of an instance, resolved to columns.
type filter struct {
	b           *Board
	r           *Request
	cpu, memory int32
	gpus        int32
	cpus        []int32 // what is left of the CPU for such a task
	ports       bool
	needs       [][]bool
	distinct    []int32 // tasks of the group; nil without distinctInstance
}

func (b *Board) filter(r *Request) (*filter, error) {
	f := &filter{b: b, r: r, cpu: clamp(r.Demand.CPU), memory: clamp(max(0, r.Demand.Memory)), gpus: clamp(r.Demand.GPUs), cpus: b.cpu}
	if r.Fargate {
		f.cpus = b.fargateCPU
	}
	f.ports = len(r.Demand.PortsTCP)+len(r.Demand.PortsUDP) > 0
	if r.Provider != "" {
		f.needs = append(f.needs, b.provider(r.Provider))
	}
	for _, a := range r.Requires {
		f.needs = append(f.needs, b.attribute(a.Name, a.Value))
	}
	for _, c := range r.Constraints {
		switch c.Type {
		case "distinctInstance":
			f.distinct = b.group(r.Group).tasks
		case "memberOf":
			v := b.constraint(c.Expression)
			if v.err != nil {
				return nil, &ExpressionError{Expression: c.Expression, Err: v.err}
			}
			f.needs = append(f.needs, v.match)
		}
	}
	return f, nil
}

// ExpressionError is a memberOf expression that cannot be read.
type ExpressionError struct {
	Expression string
	Err        error
}

func (e *ExpressionError) Error() string {
	return "Invalid expression '" + e.Expression + "': " + e.Err.Error()
}

func (e *ExpressionError) Unwrap() error { return e.Err }

func isInstanceField(name string) bool { return name == "instanceId" || name == "host" }

func trimAttribute(name string) string { return strings.TrimPrefix(name, "attribute:") }
