package cluster_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/workload"
)

type strategy = []cluster.CapacityProviderStrategyItem

func TestSpreadOver(t *testing.T) {
	for _, c := range []struct {
		name     string
		strategy strategy
		have     map[string]int
		n        int
		want     string
	}{
		{"no strategy", nil, nil, 3, ""},
		{"no task", strategy{{Provider: "a", Weight: 1}}, nil, 0, ""},
		{"equal weights take turns", strategy{{Provider: "a", Weight: 1}, {Provider: "b", Weight: 1}}, nil, 4, "a b a b"},
		{"one to four", strategy{{Provider: "a", Weight: 1}, {Provider: "b", Weight: 4}}, nil, 5, "b b a b b"},
		{"the base first", strategy{{Provider: "a", Weight: 1}, {Provider: "b", Base: 2, Weight: 1}}, nil, 5, "b b a b a"},
		{"a base larger than the run", strategy{{Provider: "a", Weight: 1}, {Provider: "b", Base: 5}}, nil, 3, "b b b"},
		{"the base counts what runs", strategy{{Provider: "a", Base: 2}, {Provider: "b", Weight: 1}}, map[string]int{"a": 1}, 3, "a b b"},
		{"a lost base comes back first", strategy{{Provider: "a", Base: 2, Weight: 1}, {Provider: "b", Weight: 1}}, map[string]int{"b": 4}, 3, "a a a"},
		{"what leans is put straight", strategy{{Provider: "a", Weight: 1}, {Provider: "b", Weight: 1}}, map[string]int{"a": 3}, 4, "b b b a"},
		{"weight 0 is not used", strategy{{Provider: "a"}, {Provider: "b", Weight: 2}}, nil, 2, "b b"},
		{"alone, weight 0 does not matter", strategy{{Provider: "a"}}, nil, 2, "a a"},
	} {
		if got := strings.Join(cluster.SpreadOver(c.strategy, c.have, c.n), " "); got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
	}
}

func TestTakeFrom(t *testing.T) {
	for _, c := range []struct {
		name     string
		strategy strategy
		have     map[string]int
		n        int
		want     string
	}{
		{"nothing there", strategy{{Provider: "a", Weight: 1}}, nil, 2, ""},
		{"those without a place first", strategy{{Provider: "a", Weight: 1}}, map[string]int{"a": 1, "old": 1, "": 1}, 2, " old"},
		{"where there are too many", strategy{{Provider: "a", Weight: 1}, {Provider: "b", Weight: 1}}, map[string]int{"a": 3, "b": 1}, 2, "a a"},
		{"the base last", strategy{{Provider: "a", Base: 2}, {Provider: "b", Weight: 1}}, map[string]int{"a": 2, "b": 2}, 3, "b b a"},
		{"weight 0 beyond its base first", strategy{{Provider: "a", Weight: 1}, {Provider: "b", Base: 1}}, map[string]int{"a": 1, "b": 2}, 1, "b"},
		{"no more than there are", strategy{{Provider: "a", Weight: 1}}, map[string]int{"a": 1}, 5, "a"},
	} {
		if got := strings.Join(cluster.TakeFrom(c.strategy, c.have, c.n), " "); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

// TestSpreadAndTakeStayNear holds both against their promise: no other choice
// would have left the shares nearer to the weights, and once the tasks are a
// multiple of all weights, the shares are exact.
func TestSpreadAndTakeStayNear(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s, weights := randomStrategy(r)
		have := map[string]int{}
		base := 0
		for _, item := range s {
			base += item.Base
		}
		for range base + 2*weights {
			step(t, s, have, cluster.SpreadOver(s, have, 1), 1)
		}
		for _, item := range s {
			if got, want := have[item.Provider], item.Base+2*item.Weight; got != want {
				t.Fatalf("%+v: %d tasks of %s, not %d", s, got, item.Provider, want)
			}
		}
		for _, item := range s { // now from some crooked place
			have[item.Provider] = r.IntN(20)
		}
		for range 30 {
			step(t, s, have, cluster.SpreadOver(s, have, 1), 1)
		}
		for range 30 {
			step(t, s, have, cluster.TakeFrom(s, have, 1), -1)
		}
	}
}

func TestManyAtOnceAreAsOneByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		s, _ := randomStrategy(r)
		have := map[string]int{s[0].Provider: r.IntN(5), "other": r.IntN(2)}
		for _, f := range []struct {
			decide func(strategy, map[string]int, int) []string
			by     int
		}{{cluster.SpreadOver, 1}, {cluster.TakeFrom, -1}} {
			at, before := maps.Clone(have), maps.Clone(have)
			all := f.decide(s, have, 12)
			if !maps.Equal(have, before) {
				t.Fatalf("what there is was changed: %v", have)
			}
			var single []string
			for range all {
				one := f.decide(s, at, 1)
				at[one[0]] += f.by
				single = append(single, one...)
			}
			if !slices.Equal(all, single) {
				t.Fatalf("%+v from %v: %v at once, %v one by one", s, have, all, single)
			}
		}
	}
}

func randomStrategy(r *rand.Rand) (s strategy, weights int) {
	for i := range 1 + r.IntN(4) {
		s = append(s, cluster.CapacityProviderStrategyItem{Provider: fmt.Sprint("p", i), Weight: 1 + r.IntN(6)})
		weights += s[i].Weight
	}
	s[r.IntN(len(s))].Base = r.IntN(4)
	if len(s) == 1 {
		s[0].Weight, weights = 1, 1
	}
	return s, weights
}

// step applies one decision and compares it with every other.
func step(t *testing.T, s strategy, have map[string]int, chosen []string, by int) {
	t.Helper()
	if len(chosen) != 1 {
		t.Fatalf("%+v with %v: chose %v", s, have, chosen)
	}
	base := func(item *cluster.CapacityProviderStrategyItem) bool {
		if by > 0 {
			return have[item.Provider] < item.Base
		}
		return have[item.Provider] <= item.Base
	}
	var best float64
	var found bool
	for i := range s {
		if base(&s[i]) == (by > 0) { // the base first, and last to be taken
			if by > 0 && s[i].Provider != chosen[0] {
				t.Fatalf("%+v with %v: chose %s before the base of %s", s, have, chosen[0], s[i].Provider)
			}
			if by > 0 {
				have[chosen[0]]++
				return
			}
			continue
		}
		have[s[i].Provider] += by
		if d := distance(s, have); by > 0 || have[s[i].Provider] >= s[i].Base {
			if !found || d < best {
				best, found = d, true
			}
		}
		have[s[i].Provider] -= by
	}
	have[chosen[0]] += by
	if found && distance(s, have) > best+1e-9 {
		t.Fatalf("%+v: chose %s (%+d), which leaves %v at %g; %g was possible", s, chosen[0], by, have, distance(s, have), best)
	}
}

// distance of the tasks beyond the base from their exact shares, squared.
func distance(s strategy, have map[string]int) float64 {
	total, weights, sum := 0, 0, 0.0
	for _, item := range s {
		total += max(0, have[item.Provider]-item.Base)
		weights += item.Weight
	}
	for _, item := range s {
		d := float64(max(0, have[item.Provider]-item.Base)) - float64(total*item.Weight)/float64(weights)
		sum += d * d
	}
	return sum
}

func TestStrategiesAreOfOneKind(t *testing.T) {
	for _, c := range []struct {
		providers []string
		want      workload.LaunchType
	}{
		{[]string{"FARGATE", "FARGATE_SPOT"}, workload.Fargate},
		{[]string{"mine", "yours"}, workload.EC2},
		{[]string{"FARGATE", "mine"}, ""},
		{[]string{"mine", "FARGATE_SPOT"}, ""},
	} {
		var s strategy
		for _, p := range c.providers {
			s = append(s, cluster.CapacityProviderStrategyItem{Provider: p, Weight: 1})
		}
		got, err := cluster.StrategyLaunchType(s)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%v: %q, %v", c.providers, got, err)
		}
	}
}
