package ecs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// maxRun is how many tasks one RunTask or StartTask makes.
const maxRun = 10

// Platform versions of Fargate on Linux.
const (
	platformVersion = workload.PlatformVersion
	olderPlatform   = "1.3.0"
)

func (a *API) runTask(ctx context.Context, call *gateway.Call, in *ecs.RunTaskRequest) (*ecs.RunTaskResponse, error) {
	n := int(member.Value(cmp.Or(in.Count, new(int32(1)))))
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
		if err == nil {
			err = a.checkRoles(tx, l)
		}
		if err != nil {
			return err
		}
		if made, failures, err = a.makeTasks(tx, call, l, n); err != nil {
			return err
		}
		once.after(tx, made, failures)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.RunTaskResponse{Tasks: showTasks(v, made, nil), Failures: member.Each(failures, func(f *ecs.Failure) ecs.Failure { return *f })}, nil
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
		return nil, invalid("The platform version must be null when specifying an %s launch type.", launchType)
	}
	if l.spec.Constraints, l.spec.Strategy, err = readPlacement(in.PlacementConstraints, in.PlacementStrategy, def); err != nil {
		return nil, err
	}
	if len(l.spec.Strategy) == 0 {
		l.spec.Strategy = []workload.Strategy{{Type: "random"}}
	}
	if launchType == workload.External {
		return nil, noInstances(c).WithHint("machines of berth are instances of the launch type EC2")
	}
	return l, nil
}

// noInstances is a run that has nowhere to go.
func noInstances(c *cluster.Cluster) *fault.Fault {
	return invalid("No Container Instances were found in your cluster.").
		WithHint("register an instance in cluster %s, or use the launch type FARGATE", c.Name)
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
	version, err := readPlatform(member.Value(in.PlatformVersion))
	if err != nil {
		return err
	}
	if version == olderPlatform && l.spec.EphemeralStorageGiB > defaultEphemeralStorage {
		return fault.New(fault.PlatformTaskDefinitionIncompatibility, "One or more of the requested capabilities are not supported.").
			WithHint("more than %d GiB of ephemeral storage need platform version %s", defaultEphemeralStorage, platformVersion)
	}
	if len(in.PlacementConstraints) > 0 {
		return invalid("Placement constraints are not supported with FARGATE launch type.")
	}
	if len(in.PlacementStrategy) > 0 {
		return invalid("Placement strategies are not supported with FARGATE launch type.")
	}
	l.spec.PlatformVersion, l.spec.PlatformFamily = version, "Linux"
	return nil
}

// readPlatform is the platform version that is asked for. All of them run the
// same here.
func readPlatform(version string) (string, error) {
	switch version {
	case "", workload.PlatformLatest:
		return platformVersion, nil
	case platformVersion, olderPlatform:
		return version, nil
	}
	return "", fault.New(fault.PlatformUnknown, "The specified platform does not exist.").WithHint("use LATEST, %s or %s", platformVersion, olderPlatform)
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
	case ecs.LaunchTypeEc2, ecs.LaunchTypeFargate, ecs.LaunchTypeExternal:
		return workload.LaunchType(in.LaunchType), nil, nil
	case ecs.LaunchTypeManagedInstances:
		return "", nil, invalid("The launch type MANAGED_INSTANCES cannot be specified. Specify a capacity provider strategy instead.")
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
		case c.Type == ecs.PlacementConstraintTypeDistinctInstance && member.Value(c.Expression) != "":
			return nil, nil, invalid("distinctInstance expression should not be specified")
		case c.Type == ecs.PlacementConstraintTypeMemberOf && member.Value(c.Expression) == "":
			return nil, nil, invalid("memberOf expression should not be null or empty.")
		case !slices.Contains(c.Type.Values(), string(c.Type)):
			return nil, nil, invalid("placement constraint type should be one of [%s]", strings.Join(c.Type.Values(), ","))
		}
	}
	for _, s := range strategy {
		if !slices.Contains(s.Type.Values(), string(s.Type)) {
			return nil, nil, invalid("placement strategy type should be one of [%s]", strings.Join(s.Type.Values(), ","))
		}
		if s.Type == ecs.PlacementStrategyTypeSpread && member.Value(s.Field) == "" {
			return nil, nil, invalid("placement strategy field should not be null or empty for spread.")
		}
	}
	return member.Some(constraints, func(c *ecs.PlacementConstraint) workload.Constraint {
			return workload.Constraint{Type: string(c.Type), Expression: member.Value(c.Expression)}
		}),

		member.Some(strategy, func(s *ecs.PlacementStrategy) workload.Strategy {
			return workload.Strategy{Type: string(s.Type), Field: member.Value(s.Field)}
		}),

		nil
}
