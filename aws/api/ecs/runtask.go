package ecs

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// maxRun is how many tasks one RunTask or StartTask makes.
const maxRun = 10

// platformVersion is what LATEST means.
const platformVersion = "1.4.0"

func (a *API) runTask(ctx context.Context, call *gateway.Call, in *ecs.RunTaskRequest) (*ecs.RunTaskResponse, error) {
	n := int(deref(cmp.Or(in.Count, new(int32(1)))))
	if n < 1 || n > maxRun {
		return nil, invalid("count should be between 1 and %d", maxRun)
	}
	once, err := newOnce(call, "RunTask", in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	var made []*task.Task
	var failures []ecs.Failure
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		if seen, err := once.before(tx); seen != nil || err != nil {
			made, failures = seen.tasks(tx), seen.failures()
			return err
		}
		l, err := prepareRun(tx, call, in, n)
		if err != nil {
			return err
		}
		if l.spec.LaunchType == workload.Fargate {
			made = a.createUnplaced(tx, call, l, n)
		} else if made, failures, err = a.place(tx, call, l, n); err != nil {
			return err
		}
		once.after(tx, made, failures)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.RunTaskResponse{Tasks: showTasks(v, made, nil), Failures: each(failures, func(f *ecs.Failure) ecs.Failure { return *f })}, nil
}

func prepareRun(r store.Reader, call *gateway.Call, in *ecs.RunTaskRequest, n int) (*launch, error) {
	c, err := activeCluster(r, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	def, err := launchable(r, call, in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	launchType, providers, err := capacityFor(c, in, n)
	if err != nil {
		return nil, err
	}
	if !def.CompatibleWith(launchType) {
		return nil, invalid("Task definition does not support launch_type %s.", launchType).WithHint("%s", whyNot(def, launchType))
	}
	q := request{
		group: in.Group, startedBy: in.StartedBy, referenceID: in.ReferenceId,
		overrides: in.Overrides, network: in.NetworkConfiguration, managedTags: in.EnableECSManagedTags, exec: in.EnableExecuteCommand,
		propagate: in.PropagateTags, tags: in.Tags, volumes: in.VolumeConfigurations,
	}
	l, err := q.prepare(r, call, c, def, launchType)
	if err != nil {
		return nil, err
	}
	l.providers = providers
	if launchType == workload.Fargate {
		return l, l.onFargate(in)
	}
	if in.PlatformVersion != nil {
		return nil, invalid("The platform version must be null when specifying an EC2 launch type.")
	}
	l.spec.Constraints, l.spec.Strategy, err = readPlacement(in.PlacementConstraints, in.PlacementStrategy, def)
	return l, err
}

// whyNot says what keeps the definition from a launch type.
func whyNot(def *workload.Definition, launchType workload.LaunchType) string {
	if launchType == workload.Fargate {
		if err := workload.FargateRefusal(def); err != nil {
			return fault.Of(err).Message
		}
	}
	return "the definition is compatible with " + strings.Join(words[string](def.Compatibilities), ", ")
}

// onFargate settles what only Fargate has and refuses what it has not.
func (l *launch) onFargate(in *ecs.RunTaskRequest) error {
	switch deref(in.PlatformVersion) {
	case "", "LATEST", platformVersion:
	default:
		return fault.New(fault.PlatformUnknown, "The specified platform does not exist.").WithHint("use LATEST or %s", platformVersion)
	}
	if len(in.PlacementConstraints) > 0 {
		return invalid("Placement constraints are not supported with FARGATE launch type.")
	}
	if len(in.PlacementStrategy) > 0 {
		return invalid("Placement strategies are not supported with FARGATE launch type.")
	}
	l.spec.PlatformVersion, l.spec.PlatformFamily = platformVersion, "Linux"
	return nil
}

// capacityFor decides the launch type of a run and, with a strategy, each task's
// capacity provider: what the call says, else the cluster's default strategy,
// else EC2.
func capacityFor(c *cluster.Cluster, in *ecs.RunTaskRequest, n int) (workload.LaunchType, []string, error) {
	if in.LaunchType != "" && len(in.CapacityProviderStrategy) > 0 {
		return "", nil, invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	switch in.LaunchType {
	case "":
	case ecs.LaunchTypeEc2, ecs.LaunchTypeFargate:
		return workload.LaunchType(in.LaunchType), nil, nil
	case ecs.LaunchTypeExternal, ecs.LaunchTypeManagedInstances:
		return "", nil, fault.New(fault.UnsupportedFeature, "The launch type %s is not supported yet.", in.LaunchType)
	default:
		return "", nil, invalid("launch type should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]")
	}
	strategy := c.DefaultStrategy
	if len(in.CapacityProviderStrategy) > 0 {
		var err error
		if strategy, err = readStrategy(in.CapacityProviderStrategy, c.CapacityProviders); err != nil {
			return "", nil, err
		}
	}
	if len(strategy) == 0 {
		return workload.EC2, nil, nil
	}
	launchType, err := cluster.StrategyLaunchType(strategy)
	return launchType, cluster.SpreadOver(strategy, nil, n), err
}

// readPlacement checks the constraints and the strategy of a call.
func readPlacement(constraints []ecs.PlacementConstraint, strategy []ecs.PlacementStrategy, def *workload.Definition) ([]workload.Constraint, []workload.Strategy, error) {
	if len(constraints)+len(def.PlacementConstraints) > 10 {
		return nil, nil, invalid("Maximum number of constraints is 10")
	}
	if len(strategy) > 5 {
		return nil, nil, invalid("Maximum number of strategies is 5")
	}
	for _, c := range constraints {
		switch {
		case c.Type == ecs.PlacementConstraintTypeDistinctInstance && deref(c.Expression) != "":
			return nil, nil, invalid("distinctInstance expression should not be specified")
		case c.Type == ecs.PlacementConstraintTypeMemberOf && deref(c.Expression) == "":
			return nil, nil, invalid("memberOf expression should not be null or empty.")
		case !slices.Contains(c.Type.Values(), string(c.Type)):
			return nil, nil, invalid("placement constraint type should be one of [%s]", strings.Join(c.Type.Values(), ","))
		}
	}
	for _, s := range strategy {
		if !slices.Contains(s.Type.Values(), string(s.Type)) {
			return nil, nil, invalid("placement strategy type should be one of [%s]", strings.Join(s.Type.Values(), ","))
		}
		if s.Type == ecs.PlacementStrategyTypeSpread && deref(s.Field) == "" {
			return nil, nil, invalid("placement strategy field should not be null or empty for spread.")
		}
	}
	return some(constraints, func(c *ecs.PlacementConstraint) workload.Constraint {
			return workload.Constraint{Type: string(c.Type), Expression: deref(c.Expression)}
		}), some(strategy, func(s *ecs.PlacementStrategy) workload.Strategy {
			return workload.Strategy{Type: string(s.Type), Field: deref(s.Field)}
		}), nil
}

// createUnplaced stores tasks for the loop to place.
func (a *API) createUnplaced(tx *store.Tx, call *gateway.Call, l *launch, n int) []*task.Task {
	made := make([]*task.Task, n)
	for i := range made {
		made[i] = a.newTask(call, l, i)
		store.Tasks.Put(tx, made[i])
	}
	return made
}

// place makes as many of the n tasks as find an instance. For the rest no task
// exists; failures say why each instance refused.
func (a *API) place(tx *store.Tx, call *gateway.Call, l *launch, n int) (made []*task.Task, failures []ecs.Failure, err error) {
	board, want := placement.ClusterBoard(tx, l.cluster.ARN), l.placementRequest()
	for i := range n {
		t := a.newTask(call, l, i)
		want.Seed = seed(t.ID)
		at, refusals, err := board.Place(want)
		if err != nil {
			return nil, nil, invalid("%v", err)
		}
		if at == nil && len(refusals) == 0 {
			return nil, nil, invalid("No Container Instances were found in your cluster.").
				WithHint("register an instance in cluster %s, or use the launch type FARGATE", l.cluster.Name)
		}
		if at == nil {
			return made, each(refusals, showRefusal), nil
		}
		placed, err := placement.Assign(tx, t, at, call.Now)
		if err != nil {
			return nil, nil, err
		}
		made = append(made, placed)
	}
	return made, nil, nil
}

func (l *launch) placementRequest() *placement.Request {
	r := &placement.Request{
		Demand:      task.Demand(l.definition, &l.spec),
		Constraints: slices.Concat(l.definition.PlacementConstraints, l.spec.Constraints),
		Strategy:    l.spec.Strategy, Requires: placementNeeds(l.definition),
	}
	if len(r.Strategy) == 0 {
		r.Strategy = []workload.Strategy{{Type: "random"}}
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

func showRefusal(r *placement.Refusal) ecs.Failure { return failure(r.InstanceARN, r.Reason, r.Detail) }
