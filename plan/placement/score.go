package placement

import (
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/workload"
)

// term is one strategy: the instance with the lowest value wins. The value of
// instance i is column[i], or column[index[i]] when index is set.
type term struct {
	column []int32
	index  []int32
	seed   uint64 // of a random term, which has no column
}

// errStrategy is a strategy that cannot be used.
type errStrategy struct{ text string }

func (e errStrategy) Error() string { return e.text }

// terms are the request's strategies in order, then fewest tasks in all, then
// the order of ARNs, so that a decision never depends on the order of the board.
func (b *Board) terms(r *Request) ([]term, error) {
	out := make([]term, 0, len(r.Strategy)+2)
	for _, s := range r.Strategy {
		t, err := b.term(r, s)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return append(out, term{column: b.tasks}, term{column: b.rank}), nil
}

func (b *Board) term(r *Request, s workload.Strategy) (term, error) {
	switch s.Type {
	case "random":
		return term{seed: r.Seed}, nil
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
	group := b.group(r.Group)
	if isInstanceField(field) {
		return term{column: group}
	}
	col := b.field(field)
	counts := make([]int32, col.kinds)
	for i, v := range col.value {
		counts[v] += group[i]
	}
	return term{column: counts, index: col.value}
}

// lowest keeps those of the candidates that the term likes best, in place.
func (t *term) lowest(candidates []int32) []int32 {
	switch {
	case t.index != nil:
		index, column := t.index, t.column
		return lowest(candidates, func(i int32) int32 { return column[index[i]] })
	case t.column != nil:
		column := t.column
		return lowest(candidates, func(i int32) int32 { return column[i] })
	}
	return lowest(candidates, func(i int32) int32 { return int32(mix(t.seed+uint64(i)) >> 33) })
}

func lowest(candidates []int32, value func(int32) int32) []int32 {
	least := value(candidates[0])
	for _, i := range candidates[1:] {
		least = min(least, value(i))
	}
	kept := candidates[:0]
	for _, i := range candidates {
		if value(i) == least {
			kept = append(kept, i)
		}
	}
	return kept
}

// mix is SplitMix64's finaliser: it turns a counter into bits that look random.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
