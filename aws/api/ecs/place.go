package ecs

import (
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/plan/why"
	"github.com/berthhq/berth/store"
)

// maxWaiting is how many tasks of a cluster may wait for instances of capacity
// providers.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
const maxWaiting = 500

// makeTasks makes n tasks. Those on Fargate, and of capacity providers whose
// instances may still come, wait for the loop to place them. Of the others it
// makes as many as find an instance; for the rest no task exists, and failures say
// why each instance refused.
func (a *API) makeTasks(tx *store.Tx, call *gateway.Call, l *launch, n int) (made []*task.Task, failures []ecs.Failure, err error) {
	waits := l.waits(tx)
	if err := l.checkWaiting(tx, waits); err != nil {
		return nil, nil, err
	}
	var board *placement.Board
	want, full := l.placementRequest(), map[string]bool{}
	for i := range n {
		t := a.newTask(call, l, i)
		provider := t.Spec.CapacityProvider
		switch {
		case waits(provider):
			store.Tasks.Put(tx, t)
			made = append(made, t)
			continue
		case full[provider]:
			continue
		case board == nil:
			board = placement.ClusterBoard(tx, l.cluster.ARN)
		}
		want.Seed, want.Provider = seed(t.ID), provider
		at, refusals, err := l.placeOn(board, want)
		if err != nil {
			return nil, nil, err
		}
		if at == nil {
			full[provider] = true // its further tasks would be told the same
			failures = append(failures, member.Each(refusals, showRefusal)...)
			continue
		}
		if t, err = placement.Assign(tx, t, at, call.Now); err != nil {
			return nil, nil, err
		}
		made = append(made, t)
	}
	return made, failures, nil
}

// waits tells of which capacity providers the tasks wait for a place; the empty
// name is a launch by type.
func (l *launch) waits(r store.Reader) func(provider string) bool {
	if l.spec.LaunchType == workload.Fargate {
		return func(string) bool { return true }
	}
	return func(name string) bool {
		p, ok := findProvider(r, l.cluster.Scope, name)
		return name != "" && ok && p.Waits()
	}
}

// checkWaiting refuses tasks that could wait in vain, and too many of them.
func (l *launch) checkWaiting(r store.Reader, waits func(string) bool) error {
	if l.spec.LaunchType == workload.Fargate || !slices.ContainsFunc(l.providers, waits) {
		return nil
	}
	if _, err := placement.NewBoard(nil, nil, nil).Series(l.placementRequest()); err != nil {
		return invalid("%v", err) // words that no instance will ever satisfy
	}
	n := len(l.providers)
	for t := range store.Tasks.By(r, store.TasksByPhase, store.Unplaced) {
		if t.Spec.ClusterARN == l.cluster.ARN && t.Spec.LaunchType != workload.Fargate {
			n++
		}
	}
	if n > maxWaiting {
		return client("You've reached the limit on the number of tasks in the PROVISIONING state.").
			WithHint("a cluster may have %d; start instances of the capacity provider, or stop tasks that wait", maxWaiting)
	}
	return nil
}

// placeOn is the board's decision; where there is no instance at all, an error says
// so.
func (l *launch) placeOn(board *placement.Board, want *placement.Request) (*placement.Placement, []placement.Refusal, error) {
	at, refusals, err := board.Place(want)
	switch {
	case err != nil:
		return nil, nil, invalid("%v", err)
	case at == nil && len(refusals) == 0 && want.Provider != "":
		return nil, nil, invalid("No Container Instances were found in your capacity provider.").
			WithHint("start an agent with --capacity-provider %s", want.Provider)
	case at == nil && len(refusals) == 0:
		return nil, nil, noInstances(l.cluster)
	}
	return at, refusals, nil
}

func (l *launch) placementRequest() *placement.Request {
	r := &placement.Request{
		Demand:      task.Demand(l.definition, &l.spec),
		Constraints: slices.Concat(l.definition.PlacementConstraints, l.spec.Constraints),
		Strategy:    l.spec.Strategy, Requires: l.definition.PlacementNeeds(),
	}
	if looksAtGroup(r) {
		r.Group = l.spec.Group
	}
	return r
}

// looksAtGroup tells whether the decision depends on where the tasks of the group
// are. To count them costs more than all the rest, so it is asked for only then.
func looksAtGroup(r *placement.Request) bool {
	return slices.ContainsFunc(r.Strategy, func(s workload.Strategy) bool { return s.Type == "spread" }) ||
		slices.ContainsFunc(r.Constraints, func(c workload.Constraint) bool { return c.Type == "distinctInstance" })
}

// seed of the random strategy follows from the task's id.
func seed(id string) uint64 {
	n, _ := strconv.ParseUint(id[:16], 16, 64) // an id that is not hex gives 0
	return n
}

// showRefusal shows a refusal in AWS's word, and in its detail what berth why says.
func showRefusal(r *placement.Refusal) ecs.Failure {
	return failure(r.InstanceARN, r.Reason, why.Short(why.Refusal(*r)))
}
