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
// it returns nil and why each instance refused; err is a constraint or strategy
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
	left := f.candidates()
	if len(left) == 0 {
		return nil, b.explain(r, f), nil
	}
	for i := range terms {
		if left = terms[i].lowest(left); len(left) == 1 {
			break
		}
	}
	p := b.take(int(left[0]), r)
	return &p, nil, nil
}

// candidates lists the instances that pass, in the board's scratch space.
func (f *filter) candidates() []int32 {
	b := f.b
	out := b.scratch[:0]
	cpus, memories, gpus := b.cpu, b.memory[:len(b.cpu)], b.gpus[:len(b.cpu)]
	for i, cpu := range cpus {
		if f.memory > memories[i] || f.gpus > gpus[i] || (f.cpu > cpu && !f.r.Fargate) {
			continue
		}
		if (f.plain || f.passes(i)) && memories[i] >= 0 {
			out = append(out, int32(i))
		}
	}
	b.scratch = out[:0]
	return out
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
	ports       bool
	needs       [][]bool
	distinct    []int32 // tasks of the group; nil without distinctInstance
	plain       bool    // only CPU, memory and GPUs count
}

func (b *Board) filter(r *Request) (*filter, error) {
	f := &filter{b: b, r: r, cpu: clamp(r.Demand.CPU), memory: clamp(r.Demand.Memory), gpus: clamp(r.Demand.GPUs)}
	f.ports = len(r.Demand.PortsTCP)+len(r.Demand.PortsUDP) > 0
	for _, a := range r.Requires {
		f.needs = append(f.needs, b.attribute(a.Name, a.Value))
	}
	for _, c := range r.Constraints {
		switch c.Type {
		case "distinctInstance":
			f.distinct = b.group(r.Group)
		case "memberOf":
			v := b.constraint(c.Expression)
			if v.err != nil {
				return nil, &ExpressionError{Expression: c.Expression, Err: v.err}
			}
			f.needs = append(f.needs, v.match)
		}
	}
	f.plain = !f.ports && !r.Fargate && len(f.needs) == 0 && f.distinct == nil
	return f, nil
}

func (f *filter) passes(i int) bool {
	cpu := f.cpu
	if f.r.Fargate {
		cpu = (cpu + f.b.overcommit[i] - 1) / f.b.overcommit[i]
	}
	if f.memory > f.b.memory[i] || f.b.memory[i] < 0 || cpu > f.b.cpu[i] || f.gpus > f.b.gpus[i] {
		return false
	}
	for _, need := range f.needs {
		if !need[i] {
			return false
		}
	}
	if f.distinct != nil && f.distinct[i] > 0 {
		return false
	}
	if !f.ports {
		return true
	}
	d := f.b.demand(i, f.r)
	return cluster.Fits(&f.b.instances[i].Registered, &f.b.usage[i], &d)
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
