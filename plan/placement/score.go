package placement

import (
	"fmt"
	"math"
	"strings"

	"github.com/berthhq/berth/domain/workload"
)

// term is one strategy: the instance with the lowest value wins. The value of
// instance i is column[i], or column[index[i]] when index is set.
type term struct {
	column []int32
	index  []int32
}

// errStrategy is a strategy that cannot be used.
type errStrategy struct{ text string }

func (e errStrategy) Error() string { return e.text }

// terms are the request's strategies in order, then fewest tasks in all. What is
// equal in all of them is decided by the order of the instances.
func (b *Board) terms(r *Request) ([]term, error) {
	out := make([]term, 0, len(r.Strategy)+1)
	for _, s := range r.Strategy {
		t, err := b.term(r, s)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return append(out, term{column: b.tasks}), nil
}

func (b *Board) term(r *Request, s workload.Strategy) (term, error) {
	switch s.Type {
	case "random":
		return b.shuffled(r.Seed), nil
	case "binpack":
		switch strings.ToLower(s.Field) {
		case "cpu":
			return term{column: b.cpu}, nil
		case "memory":
			return term{column: b.memory}, nil
		}
		return term{}, errStrategy{fmt.Sprintf("Invalid binpack field '%s': use cpu or memory.", s.Field)}
	case "spread":
		return b.spread(r, s.Field), nil
	}
	return term{}, errStrategy{fmt.Sprintf("Unknown placement strategy type '%s'.", s.Type)}
}

// spread counts the group's tasks in each value of the field. Instances without
// the field share one place of their own.
func (b *Board) spread(r *Request, field string) term {
	g := b.group(r.Group)
	if isInstanceField(field) {
		return term{column: g.tasks}
	}
	if t, ok := g.spreads[field]; ok {
		return t
	}
	col := b.field(field)
	t := term{column: make([]int32, col.kinds), index: col.value}
	for i, v := range col.value {
		t.column[v] += g.tasks[i]
	}
	g.spreads[field] = t
	return t
}

// shuffled is an order that only the seed decides.
func (b *Board) shuffled(seed uint64) term {
	if b.random == nil {
		b.random = make([]int32, len(b.instances))
	}
	for i := range b.random {
		b.random[i] = int32(mix(seed+uint64(i)) >> 33)
	}
	return term{column: b.random}
}

func (t *term) value(i int32) int32 {
	if t.index != nil {
		i = t.index[i]
	}
	return t.column[i]
}

// lowest keeps those of the candidates that the term likes best, in place. The
// two loops are the hot ones of a decision.
func (t *term) lowest(candidates []int32) []int32 {
	least, n := int32(math.MaxInt32), 0
	column, index := t.column, t.index
	if index == nil {
		for _, i := range candidates {
			if v := column[i]; v <= least {
				if v < least {
					least, n = v, 0
				}
				candidates[n] = i
				n++
			}
		}
		return candidates[:n]
	}
	for _, i := range candidates {
		if v := column[index[i]]; v <= least {
			if v < least {
				least, n = v, 0
			}
			candidates[n] = i
			n++
		}
	}
	return candidates[:n]
}

// mix is SplitMix64's finaliser: it turns a counter into bits that look random.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
