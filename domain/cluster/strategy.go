package cluster

import (
	"slices"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
)

// Capacity providers that every account has.
const (
	FargateProvider     = "FARGATE"
	FargateSpotProvider = "FARGATE_SPOT"
)

// IsFargate tells whether a capacity provider is one of AWS Fargate's.
func IsFargate(provider string) bool {
	return provider == FargateProvider || provider == FargateSpotProvider
}

// LaunchTypeOf is where the tasks of a capacity provider run: on Fargate, or on
// container instances.
func LaunchTypeOf(provider string) workload.LaunchType {
	if IsFargate(provider) {
		return workload.Fargate
	}
	return workload.EC2
}

// StrategyLaunchType is where the tasks of a strategy run, which is not empty. A
// strategy is of one kind: Fargate's providers do not mix with others.
func StrategyLaunchType(strategy []CapacityProviderStrategyItem) (workload.LaunchType, error) {
	first := LaunchTypeOf(strategy[0].Provider)
	for _, s := range strategy {
		if LaunchTypeOf(s.Provider) != first {
			return "", fault.New(fault.InvalidParameter, "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers. Specify one or the other and try again.")
		}
	}
	return first, nil
}

// SpreadOver decides the capacity provider of each of the next n tasks, where
// have counts those there are by provider. The base comes first. Every further
// task goes where it brings the shares nearest to the weights; among equals the
// first of the strategy has it. Nil without a strategy.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/capacity-providers.html
func SpreadOver(strategy []CapacityProviderStrategyItem, have map[string]int, n int) []string {
	if len(strategy) == 0 {
		return nil
	}
	s := newShares(strategy, have)
	out := make([]string, 0, max(0, n))
	for len(out) < n {
		i := s.next()
		s.tasks[i]++
		out = append(out, strategy[i].Provider)
	}
	return out
}

// TakeFrom is the way back: the provider that each of the next n tasks to stop is
// taken from. First come those that the strategy has no place for, then the
// tasks whose loss leaves the shares nearest to the weights, the base last. It
// is shorter than n when there are fewer tasks.
func TakeFrom(strategy []CapacityProviderStrategyItem, have map[string]int, n int) []string {
	var out []string
	for _, name := range strangers(strategy, have) {
		for range have[name] {
			out = append(out, name)
		}
	}
	s := newShares(strategy, have)
	for len(out) < n {
		i := s.last()
		if i < 0 {
			break
		}
		s.tasks[i]--
		out = append(out, strategy[i].Provider)
	}
	return out[:max(0, min(n, len(out)))]
}

// strangers are the providers with tasks that the strategy does not name, sorted.
func strangers(strategy []CapacityProviderStrategyItem, have map[string]int) []string {
	var out []string
	for name := range have {
		if !slices.ContainsFunc(strategy, func(s CapacityProviderStrategyItem) bool { return s.Provider == name }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// shares counts tasks by the items of a strategy.
type shares struct {
	strategy []CapacityProviderStrategyItem
	tasks    []int
	weights  int // their sum
}

func newShares(strategy []CapacityProviderStrategyItem, have map[string]int) *shares {
	s := &shares{strategy: strategy, tasks: make([]int, len(strategy))}
	for i := range strategy {
		s.tasks[i] = max(0, have[strategy[i].Provider])
		s.weights += s.weight(i)
	}
	return s
}

// weight of an item: one that is alone has all tasks, whatever it weighs.
func (s *shares) weight(i int) int {
	if len(s.strategy) == 1 {
		return 1
	}
	return s.strategy[i].Weight
}

// beyond is how many tasks an item has over its base.
func (s *shares) beyond(i int) int { return max(0, s.tasks[i]-s.strategy[i].Base) }

// weighed is how many tasks the weights divide.
func (s *shares) weighed() int {
	n := 0
	for i := range s.tasks {
		if s.weight(i) > 0 {
			n += s.beyond(i)
		}
	}
	return n
}

// excess is how far an item is over its share of total tasks, in tasks times the
// sum of the weights.
func (s *shares) excess(i, total int) int { return s.beyond(i)*s.weights - s.weight(i)*total }

// next is the item that the next task belongs to.
func (s *shares) next() int {
	for i := range s.tasks {
		if s.tasks[i] < s.strategy[i].Base {
			return i
		}
	}
	best, total := -1, s.weighed()+1
	for i := range s.tasks {
		if s.weight(i) > 0 && (best < 0 || s.excess(i, total) < s.excess(best, total)) {
			best = i
		}
	}
	return max(0, best) // without any weight the first has all
}

// last is the item that can best spare a task; -1 when there is none.
func (s *shares) last() int {
	best, total := -1, s.weighed()-1
	for i := range s.tasks {
		if s.beyond(i) == 0 {
			continue
		}
		if s.weight(i) == 0 {
			return i
		}
		if best < 0 || s.excess(i, total) >= s.excess(best, total) {
			best = i
		}
	}
	for i := range s.tasks {
		if best < 0 && s.tasks[i] > 0 {
			best = i
		}
	}
	return best
}
