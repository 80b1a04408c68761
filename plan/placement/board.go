// Package placement decides which instance a task goes to. It is pure: instances
// and demands in, a decision or an explained refusal out.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement.html
//
// A Board holds the candidates in columns, so that one decision is a scan over
// numbers, and answers of constraints and strategies are computed once for each
// instance and reused for every task with the same words. A Series places many
// tasks of one request without scanning for each.
package placement

import (
	"math"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/cluster"
)

// Board is a set of candidate instances and what they have left. Placing a task
// takes its share, so that several decisions on one board see each other. It
// belongs to one goroutine.
type Board struct {
	instances []*cluster.Instance
	usage     []*cluster.Usage

	// Columns of what is left; memory is -1 on an instance that takes no tasks.
	cpu, memory, gpus []int32
	fargateCPU        []int32  // cpu times the instance's overcommit
	tasks             []int32  // running
	placeable         []string // why not; empty when it may take tasks
	random            []int32  // of the decision at hand
	scratch           []int32  // its candidates

	constraints map[string]*verdict // by constraint expression
	columns     map[string]*column  // by strategy field
	groups      map[string]*group   // by name
	attributes  map[string][]bool   // by name=value
	providers   map[string][]bool   // by capacity provider
	counts      GroupCounter
	subject     func(*cluster.Instance) cluster.Subject
	taken       int // placements so far
}

// GroupCounter tells how many tasks of a group run on each instance, by instance
// ARN. It is asked once for each group and board.
type GroupCounter func(group string) map[string]int

// verdict is what an expression says of each instance.
type verdict struct {
	err   error
	match []bool
}

// column is a strategy field's value on each instance, as small numbers.
type column struct {
	value []int32 // 0 where the instance has none
	kinds int     // values, none included
}

// group is where the tasks of a group are.
type group struct {
	tasks   []int32         // on each instance
	spreads map[string]term // by strategy field: on the instances of each value
}

// NewBoard makes a board of the instances, which are in order of their ARNs: of
// equally good ones the first is taken. counts may be nil when no request has a
// group; subject gives what expressions see of an instance.
func NewBoard(instances []*cluster.Instance, counts GroupCounter, subject func(*cluster.Instance) cluster.Subject) *Board {
	n := len(instances)
	b := &Board{
		instances: instances, usage: make([]*cluster.Usage, n),
		cpu: make([]int32, n), memory: make([]int32, n), gpus: make([]int32, n), fargateCPU: make([]int32, n),
		tasks: make([]int32, n), placeable: make([]string, n), scratch: make([]int32, n),
		constraints: map[string]*verdict{}, columns: map[string]*column{},
		groups: map[string]*group{}, attributes: map[string][]bool{}, providers: map[string][]bool{}, counts: counts, subject: subject,
	}
	for i, inst := range instances {
		b.usage[i] = &inst.Used
		b.refresh(i)
		if ok, reason := inst.Placeable(); !ok {
			b.placeable[i], b.memory[i] = reason, -1
		}
	}
	return b
}

func (b *Board) refresh(i int) {
	inst, u := b.instances[i], b.usage[i]
	cpu := inst.Registered.CPU - u.CPU
	b.cpu[i], b.fargateCPU[i] = clamp(cpu), clamp(cpu*max(1, inst.FargateCPUOvercommit))
	b.memory[i] = clamp(inst.Registered.Memory - u.Memory)
	b.gpus[i] = clamp(len(inst.Registered.GPUs) - len(u.GPUs))
	b.tasks[i] = clamp(u.Tasks)
}

func clamp(n int) int32 { return int32(min(max(n, math.MinInt32), math.MaxInt32)) }

// Usage is what the i-th instance's tasks hold, the board's own placements
// included.
func (b *Board) Usage(i int) cluster.Usage { return *b.usage[i] }

func (b *Board) take(i int, r *Request) Placement {
	d := b.demand(i, r)
	usage, held := b.usage[i].Take(&b.instances[i].Registered, &d)
	b.usage[i] = &usage
	b.refresh(i)
	if r.Group != "" {
		b.group(r.Group).add(i)
	}
	b.taken++
	return Placement{Instance: b.instances[i], Held: held, Usage: usage}
}

// demand is what the request takes from the i-th instance.
func (b *Board) demand(i int, r *Request) cluster.Demand {
	return b.instances[i].Share(r.Demand, r.Fargate)
}

// group counts the tasks of a group on each instance.
func (b *Board) group(name string) *group {
	if g, ok := b.groups[name]; ok {
		return g
	}
	g := &group{tasks: make([]int32, len(b.instances)), spreads: map[string]term{}}
	if b.counts != nil && name != "" {
		byARN := b.counts(name)
		for i, inst := range b.instances {
			g.tasks[i] = int32(byARN[inst.ARN])
		}
	}
	b.groups[name] = g
	return g
}

// add counts one more task of the group on the i-th instance.
func (g *group) add(i int) {
	g.tasks[i]++
	for _, s := range g.spreads {
		s.column[s.index[i]]++
	}
}

func (b *Board) constraint(expression string) *verdict {
	if v, ok := b.constraints[expression]; ok {
		return v
	}
	v := &verdict{match: make([]bool, len(b.instances))}
	q, err := cluster.ParseQuery(expression)
	if v.err = err; err == nil {
		for i, inst := range b.instances {
			v.match[i] = q.Match(b.subject(inst))
		}
	}
	b.constraints[expression] = v
	return v
}

func (b *Board) attribute(name, value string) []bool {
	key := name + "=" + value
	if has, ok := b.attributes[key]; ok {
		return has
	}
	has := make([]bool, len(b.instances))
	for i, inst := range b.instances {
		v, ok := inst.Attribute(name)
		has[i] = ok && (value == "" || v == value)
	}
	b.attributes[key] = has
	return has
}

// provider tells which instances belong to a capacity provider.
func (b *Board) provider(name string) []bool {
	if has, ok := b.providers[name]; ok {
		return has
	}
	has := make([]bool, len(b.instances))
	for i, inst := range b.instances {
		has[i] = inst.CapacityProvider == name
	}
	b.providers[name] = has
	return has
}

// field numbers the values of a spread field over the instances.
func (b *Board) field(name string) *column {
	if c, ok := b.columns[name]; ok {
		return c
	}
	c := &column{value: make([]int32, len(b.instances))}
	numbers := map[string]int32{}
	for i, inst := range b.instances {
		v, ok := inst.Attribute(trimAttribute(name))
		if !ok {
			continue
		}
		n, known := numbers[v]
		if !known {
			n = int32(len(numbers)) + 1
			numbers[v] = n
		}
		c.value[i] = n
	}
	c.kinds = len(numbers) + 1
	b.columns[name] = c
	return c
}

// Index finds an instance on the board by ARN, -1 when it is not there.
func (b *Board) Index(instanceARN string) int {
	i, ok := slices.BinarySearchFunc(b.instances, instanceARN, func(i *cluster.Instance, arn string) int { return strings.Compare(i.ARN, arn) })
	if !ok {
		return -1
	}
	return i
}
