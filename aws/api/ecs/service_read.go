package ecs

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
)

func checkServiceName(name string) error {
	switch {
	case name == "":
		return invalid("Service name should not be null or empty.")
	case len(name) > 255 || !isName(name):
		return invalid("Service name contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.")
	}
	return nil
}

func checkServiceToken(token *string) error {
	if len(member.Value(token)) > 36 {
		return invalid("clientToken can have at most 36 characters.")
	}
	return nil
}

// readService checks a CreateService and makes the service it asks for, without a
// deployment.
func readService(r store.Reader, call *gateway.Call, c *cluster.Cluster, in *ecs.CreateServiceRequest) (*service.Service, error) {
	name := member.Value(in.ServiceName)
	s := &service.Service{
		Scope: call.Scope, ARN: call.Scope.Service(c.Name, name), Name: name, ClusterARN: c.ARN,
		CreatedAt: call.Now, CreatedBy: call.Principal.ARN, Status: service.Active, Version: 1,
	}
	spec := &s.Spec
	var err error
	if s.Tags, err = readTags(in.Tags); err != nil {
		return nil, err
	}
	if err = readKind(spec, in); err != nil {
		return nil, err
	}
	if err = checkUnsupported(in.VolumeConfigurations, in.VpcLatticeConfigurations, in.GatewayConnectors, in.Monitoring); err != nil {
		return nil, err
	}
	if spec.Configuration, err = readConfiguration(in.DeploymentConfiguration, defaultConfiguration(spec), spec); err != nil {
		return nil, err
	}
	if spec.HealthCheckGrace, err = readGrace(in.HealthCheckGracePeriodSeconds); err != nil {
		return nil, err
	}
	if spec.PropagateTags, err = readPropagate(in.PropagateTags); err != nil {
		return nil, err
	}
	spec.ManagedTags, spec.ExecuteCommand, spec.Role = member.Value(in.EnableECSManagedTags), member.Value(in.EnableExecuteCommand), member.Value(in.Role)
	if spec.Role != "" && (len(in.LoadBalancers) != 1 || len(in.ServiceRegistries) > 0 || in.NetworkConfiguration != nil) {
		return nil, invalid("You cannot specify an IAM role for services that require a service linked role.").
			WithHint("leave role out: only services with one load balancer and no addresses of their own have one")
	}
	if spec.Controller == service.ControllerExternal {
		return s, readBare(in, spec)
	}
	if err = readTemplate(r, call, c, in, spec); err != nil {
		return nil, err
	}
	if err = checkRest(r, s); err != nil {
		return nil, err
	}
	spec.Rebalancing, err = readRebalancing(in.AvailabilityZoneRebalancing, spec, true)
	return s, err
}

// checkRest refuses to let a service sleep behind a balancer that would hold no request
// for it.
func checkRest(r store.Reader, s *service.Service) error {
	if !slices.ContainsFunc(s.Tags, func(t workload.Tag) bool { return t.Key == rollout.ScaleToZero }) {
		return nil
	}
	for _, b := range s.Spec.Template.Balancers {
		if engine := store.EngineOf(r, b.GroupARN); engine != balancer.EngineBerth {
			return invalid("The tag %s is not supported with load balancers of the engine '%s'.", rollout.ScaleToZero, engine).
				WithHint("make the load balancer without the tag berth:engine")
		}
	}
	return nil
}

// readBare is a service whose tasks are its task sets': they say what runs, and
// where.
func readBare(in *ecs.CreateServiceRequest, spec *service.Spec) error {
	refused := func(what string) error {
		return invalid("%s must be blank", what).WithHint("a service with the EXTERNAL deployment controller has it from its task sets: see CreateTaskSet")
	}
	switch {
	case in.TaskDefinition != nil:
		return refused("TaskDefinition")
	case in.LaunchType != "":
		return refused("LaunchType")
	case len(in.CapacityProviderStrategy) > 0:
		return refused("CapacityProviderStrategy")
	case in.NetworkConfiguration != nil:
		return refused("NetworkConfiguration")
	case in.PlatformVersion != nil:
		return refused("PlatformVersion")
	case len(in.LoadBalancers) > 0:
		return refused("LoadBalancers")
	case in.ServiceConnectConfiguration != nil:
		return refused("ServiceConnectConfiguration")
	}
	var err error
	if spec.Constraints, spec.Strategy, err = readPlacement(in.PlacementConstraints, in.PlacementStrategy, &workload.Definition{}); err != nil {
		return err
	}
	spec.Rebalancing, err = readRebalancing(in.AvailabilityZoneRebalancing, spec, true)
	return err
}

// readKind reads what a service is for good: how it is scheduled and deployed.
func readKind(spec *service.Spec, in *ecs.CreateServiceRequest) error {
	spec.Scheduling, spec.Controller = service.Replica, service.ControllerECS
	if s := in.SchedulingStrategy; s != "" {
		if !slices.Contains(s.Values(), string(s)) {
			return invalid("schedulingStrategy should be one of [%s]", strings.Join(s.Values(), ","))
		}
		spec.Scheduling = service.Scheduling(s)
	}
	if d := in.DeploymentController; d != nil {
		if !slices.Contains(d.Type.Values(), string(d.Type)) {
			return invalid("deployment controller type should be one of [%s]", strings.Join(d.Type.Values(), ","))
		}
		spec.Controller = service.Controller(d.Type)
	}
	if spec.Scheduling == service.Daemon {
		if in.DesiredCount != nil {
			return invalid("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again.")
		}
		if spec.Controller != service.ControllerECS {
			return invalid("The daemon scheduling strategy is only supported with the ECS deployment controller.")
		}
		return nil
	}
	if in.DesiredCount == nil && spec.Controller == service.ControllerExternal {
		return nil // its name is all that it must have
	}
	if in.DesiredCount == nil {
		return invalid("The desiredCount parameter is required for services that use the REPLICA scheduling strategy.")
	}
	return readDesired(spec, *in.DesiredCount)
}

func readDesired(spec *service.Spec, n int32) error {
	if n < 0 || n > maxDesired {
		return invalid("desiredCount should be between 0 and %d", maxDesired)
	}
	spec.Desired = int(n)
	return nil
}

// checkUnsupported refuses, clearly, what no service here can have yet.
func checkUnsupported(volumes []ecs.ServiceVolumeConfiguration, lattice []ecs.VpcLatticeConfiguration, gateways []ecs.GatewayConnector, monitoring *ecs.MonitoringConfiguration) error {
	notYet := func(what string) error { return fault.New(fault.UnsupportedFeature, "%s not supported yet.", what) }
	switch {
	case len(volumes) > 0:
		return notYet("Volumes configured at launch (Amazon EBS) are")
	case len(lattice) > 0:
		return notYet("VPC Lattice configurations are")
	case len(gateways) > 0:
		return notYet("Gateway connectors are")
	case monitoring != nil && len(monitoring.MetricConfigurations) > 0:
		return notYet("Metric configurations are")
	}
	return nil
}

func readGrace(seconds *int32) (*int, error) {
	if seconds != nil && *seconds < 0 {
		return nil, invalid("healthCheckGracePeriodSeconds should be between 0 and 2147483647")
	}
	return optionalInt(seconds), nil
}

func readPropagate(p ecs.PropagateTags) (string, error) {
	if p != "" && !slices.Contains(p.Values(), string(p)) {
		return "", invalid("propagateTags should be one of [%s]", strings.Join(p.Values(), ","))
	}
	return string(p), nil
}

// readTemplate reads what the tasks of a new service have in common.
func readTemplate(r store.Reader, call *gateway.Call, c *cluster.Cluster, in *ecs.CreateServiceRequest, spec *service.Spec) error {
	if member.Value(in.TaskDefinition) == "" {
		return invalid("TaskDefinition can not be blank.")
	}
	def, err := launchable(r, call, in.TaskDefinition)
	if err != nil {
		return err
	}
	t := &spec.Template
	if t.LaunchType, t.Providers, err = serviceCapacity(c, in.LaunchType, in.CapacityProviderStrategy); err != nil {
		return err
	}
	launchType := placeOf(t)
	if len(t.Providers) > 0 && spec.Scheduling == service.Daemon {
		return invalid("Specifying a capacity provider strategy is not supported when you create a service using the DAEMON scheduling strategy.").
			WithHint("say launchType EC2")
	}
	if launchType == workload.Fargate && spec.Scheduling == service.Daemon {
		return invalid("The daemon scheduling strategy is not supported with the FARGATE launch type.")
	}
	if err = readPlatformOf(t, launchType, member.Value(in.PlatformVersion)); err != nil {
		return err
	}
	if spec.Constraints, spec.Strategy, err = readServicePlacement(in.PlacementConstraints, in.PlacementStrategy, def, spec, launchType); err != nil {
		return err
	}
	if err = settleTemplate(r, call, t, def, in.NetworkConfiguration); err != nil {
		return err
	}
	return readConnections(r, call, c.ARN, spec, def, connections{in.LoadBalancers, in.ServiceRegistries, in.ServiceConnectConfiguration})
}

// placeOf is where the tasks of a template run.
func placeOf(t *service.Template) workload.LaunchType {
	if len(t.Providers) > 0 {
		return cluster.LaunchTypeOf(t.Providers[0].Provider)
	}
	return t.LaunchType
}

// settleTemplate checks that the definition can run as the template says.
func settleTemplate(r store.Reader, call *gateway.Call, t *service.Template, def *workload.Definition, network *ecs.NetworkConfiguration) (err error) {
	launchType := placeOf(t)
	if !def.CompatibleWith(launchType) {
		return invalid("Task definition does not support launch_type %s.", launchType).WithHint("%s", whyNot(def, launchType))
	}
	if err = checkRunnable(def, nil); err != nil {
		return err
	}
	if t.Network, err = readNetwork(r, call.Scope, network, def, launchType); err != nil {
		return err
	}
	l := &launch{definition: def}
	l.spec.LaunchType = launchType
	if err = l.size(def); err != nil {
		return err
	}
	t.DefinitionARN, t.EphemeralStorageGiB = def.ARN, l.spec.EphemeralStorageGiB
	return nil
}

// readPlatformOf keeps what was asked for: LATEST stays LATEST, and what it means
// is decided for each task.
func readPlatformOf(t *service.Template, launchType workload.LaunchType, version string) error {
	if launchType != workload.Fargate {
		if version != "" {
			return invalid("The platform version must be null when specifying an EC2 launch type.")
		}
		t.PlatformVersion, t.PlatformFamily = "", ""
		return nil
	}
	if _, err := readPlatform(version); err != nil {
		return err
	}
	t.PlatformVersion, t.PlatformFamily = version, "Linux"
	if version == "" {
		t.PlatformVersion = workload.PlatformLatest
	}
	return nil
}

// serviceCapacity is the launch type or the strategy of a service: what the call
// says, else the cluster's default strategy, else EC2.
func serviceCapacity(c *cluster.Cluster, launchType ecs.LaunchType, items []ecs.CapacityProviderStrategyItem) (workload.LaunchType, []cluster.CapacityProviderStrategyItem, error) {
	in := &ecs.RunTaskRequest{LaunchType: launchType, CapacityProviderStrategy: items}
	kind, _, err := capacityFor(c, in, 1)
	if err != nil || launchType != "" {
		return kind, nil, err
	}
	if len(items) > 0 {
		strategy, err := readStrategy(items, c.CapacityProviders)
		return "", strategy, err
	}
	if len(c.DefaultStrategy) > 0 {
		return "", c.DefaultStrategy, nil
	}
	return kind, nil, nil
}

func readServicePlacement(constraints []ecs.PlacementConstraint, strategy []ecs.PlacementStrategy, def *workload.Definition, spec *service.Spec, launchType workload.LaunchType) ([]workload.Constraint, []workload.Strategy, error) {
	switch {
	case launchType == workload.Fargate && len(constraints) > 0:
		return nil, nil, invalid("Placement constraints are not supported with FARGATE launch type.")
	case launchType == workload.Fargate && len(strategy) > 0:
		return nil, nil, invalid("Placement strategies are not supported with FARGATE launch type.")
	case spec.Scheduling == service.Daemon && len(strategy) > 0:
		return nil, nil, invalid("The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again.")
	}
	return readPlacement(constraints, strategy, def)
}

// readRebalancing is whether tasks are moved to keep zones even. A new service has
// it where nothing speaks against it.
func readRebalancing(said ecs.AvailabilityZoneRebalancing, spec *service.Spec, created bool) (string, error) {
	if said != "" && !slices.Contains(said.Values(), string(said)) {
		return "", invalid("availabilityZoneRebalancing should be one of [ENABLED,DISABLED]")
	}
	against := againstRebalancing(spec)
	switch {
	case said == ecs.AvailabilityZoneRebalancingEnabled && against != "":
		return "", invalid("Service Availability Zone rebalancing does not support %s.", against)
	case said != "":
		return string(said), nil
	case !created:
		return spec.Rebalancing, nil
	case against != "":
		return service.Disabled, nil
	}
	return service.Enabled, nil
}

// againstRebalancing is what of a service keeps zones from being rebalanced.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
func againstRebalancing(spec *service.Spec) string {
	zone := func(s string) bool { return strings.TrimPrefix(s, "attribute:") == "ecs.availability-zone" }
	switch {
	case spec.Scheduling == service.Daemon:
		return "the DAEMON scheduling strategy"
	case spec.Controller != service.ControllerECS:
		return "the " + string(spec.Controller) + " deployment controller"
	case spec.Configuration.MaximumPercent <= 100:
		return "a maximumPercent of 100 or less"
	case len(spec.Strategy) > 0 && (spec.Strategy[0].Type != "spread" || !zone(spec.Strategy[0].Field)):
		return "placement strategies that do not begin with a spread over Availability Zones"
	case slices.ContainsFunc(spec.Constraints, func(c workload.Constraint) bool { return strings.Contains(c.Expression, "ecs.availability-zone") }):
		return "placement constraints on ecs.availability-zone"
	}
	return ""
}
