package ecs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Defaults of Express gateway services, as the API's reference has them.
const (
	expressContainer  = "Main"
	expressPort       = 80
	expressCPU        = "256"
	expressMemory     = "512"
	expressLogPrefix  = "ecs"
	defaultHealthPath = "/ping"
)

var defaultScaling = service.ScalingTarget{Min: 1, Max: 20, Metric: string(ecs.ExpressGatewayServiceScalingMetricAverageCpu), Value: 60}

// expressWish is what a call says of an Express gateway service; nil for what it
// leaves as it is.
type expressWish struct {
	executionRole, taskRole, cpu, memory, definition, health *string

	container    *ecs.ExpressGatewayContainer
	architecture ecs.ExpressCpuArchitecture
	network      *ecs.ExpressGatewayServiceNetworkConfiguration
	scaling      *ecs.ExpressGatewayScalingTarget
}

// checkRole checks the form of a role's ARN.
func checkRole(member, role string, required bool) error {
	if role == "" && !required {
		return nil
	}
	if a, err := arn.Parse(role); err != nil || a.Service != "iam" || a.Kind() != "role" {
		return invalid("The %s '%s' is not the ARN of an IAM role.", member, role)
	}
	return nil
}

// read checks what is said beyond what every service says.
func (w *expressWish) read(e *service.Express) error {
	if w.health != nil {
		if !strings.HasPrefix(*w.health, "/") {
			return invalid("The healthCheckPath must start with a forward slash.")
		}
		e.HealthCheckPath = *w.health
	}
	if t := w.scaling; t != nil {
		if t.AutoScalingMetric != "" && !slices.Contains(t.AutoScalingMetric.Values(), string(t.AutoScalingMetric)) {
			return invalid("autoScalingMetric should be one of [%s]", strings.Join(t.AutoScalingMetric.Values(), ","))
		}
		s := &e.Scaling
		s.Min, s.Max, s.Value = or(t.MinTaskCount, s.Min), or(t.MaxTaskCount, s.Max), or(t.AutoScalingTargetValue, s.Value)
		s.Metric = cmp.Or(string(t.AutoScalingMetric), s.Metric)
		switch {
		case s.Min < 1 || s.Max > maxDesired:
			return invalid("minTaskCount and maxTaskCount should be between 1 and %d", maxDesired)
		case s.Min > s.Max:
			return invalid("The minTaskCount must not be greater than the maxTaskCount.")
		case s.Value < 1:
			return invalid("The autoScalingTargetValue must be at least 1.")
		}
	}
	if err := checkRole("executionRoleArn", member.Value(w.executionRole), w.executionRole != nil); err != nil {
		return err
	}
	return checkRole("taskRoleArn", member.Value(w.taskRole), false)
}

func or(n *int32, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return int(*n)
}

// define finds or registers the definition of the tasks; now is the one they have
// so far, nil for a new service.
func (w *expressWish) define(tx *store.Tx, call *gateway.Call, cluster, name string, now *workload.Definition) (*workload.Definition, error) {
	inline := w.container != nil || w.executionRole != nil || w.taskRole != nil || w.cpu != nil || w.memory != nil || w.architecture != ""
	switch {
	case w.definition != nil && inline:
		return nil, invalid("You cannot specify taskDefinitionArn together with primaryContainer, executionRoleArn, taskRoleArn, cpu, memory or cpuArchitecture.")
	case w.definition != nil:
		return expressReady(tx, call, w.definition)
	case !inline && now != nil:
		return now, nil
	}
	in, err := w.request(call, cluster, name, now)
	if err != nil {
		return nil, err
	}
	d, err := prepareDefinition(call, in, false)
	if err != nil {
		return nil, err
	}
	putDefinition(tx, d)
	return d, nil
}

// expressReady is a definition of the caller's own, if an Express gateway service
// can have it.
func expressReady(r store.Reader, call *gateway.Call, ref *string) (*workload.Definition, error) {
	d, err := launchable(r, call, ref)
	if err != nil {
		return nil, err
	}
	c := d.Container(expressContainer)
	if c == nil || len(c.PortMappings) != 1 || c.PortMappings[0].Name == "" || !d.CompatibleWith(workload.Fargate) {
		return nil, invalid("The task definition must have FARGATE compatibility and a container named %s with a single named port mapping.", expressContainer)
	}
	return d, nil
}

// expressFamily is the family of the definitions that a service makes for itself.
func expressFamily(cluster, name string) string {
	family := cluster + "-" + name
	return family[:min(len(family), 255)]
}

// request is the registration of what is wished for over what there is.
func (w *expressWish) request(call *gateway.Call, cluster, name string, now *workload.Definition) (*ecs.RegisterTaskDefinitionRequest, error) {
	out := &ecs.RegisterTaskDefinitionRequest{
		Family: new(expressFamily(cluster, name)), NetworkMode: ecs.NetworkModeAwsvpc, RequiresCompatibilities: []ecs.Compatibility{ecs.CompatibilityFargate},
		ExecutionRoleArn: w.executionRole, TaskRoleArn: w.taskRole, Cpu: w.cpu, Memory: w.memory,
	}
	container, architecture := w.container, string(w.architecture)
	if now != nil {
		out.ExecutionRoleArn, out.TaskRoleArn = first(out.ExecutionRoleArn, member.Present(now.ExecutionRoleARN)), first(out.TaskRoleArn, member.Present(now.TaskRoleARN))
		out.Cpu, out.Memory = first(out.Cpu, member.Present(now.CPU)), first(out.Memory, member.Present(now.Memory))
		if container == nil {
			container = showExpressContainer(now)
		}
		architecture = cmp.Or(architecture, architectureOf(now))
	}
	out.Cpu, out.Memory = first(out.Cpu, new(expressCPU)), first(out.Memory, new(expressMemory))
	if architecture != "" {
		if !slices.Contains(ecs.ExpressCpuArchitecture("").Values(), architecture) {
			return nil, invalid("cpuArchitecture should be one of [%s]", strings.Join(ecs.ExpressCpuArchitecture("").Values(), ","))
		}
		out.RuntimePlatform = &ecs.RuntimePlatform{CpuArchitecture: ecs.CPUArchitecture(architecture), OperatingSystemFamily: ecs.OSFamilyLinux}
	}
	if container == nil {
		return nil, invalid("primaryContainer can not be empty.")
	}
	out.ContainerDefinitions = []ecs.ContainerDefinition{expressMain(call, container, "/aws/ecs/"+cluster+"/"+name)}
	return out, nil
}

func first(a, b *string) *string {
	if a != nil {
		return a
	}
	return b
}

// expressMain is the container's definition. Its log group is made with its first
// line.
func expressMain(call *gateway.Call, c *ecs.ExpressGatewayContainer, group string) ecs.ContainerDefinition {
	prefix := expressLogPrefix
	if l := c.AwsLogsConfiguration; l != nil {
		group, prefix = member.Value(l.LogGroup), cmp.Or(member.Value(l.LogStreamPrefix), prefix)
	}
	port := int32(or(c.ContainerPort, expressPort))
	out := ecs.ContainerDefinition{
		Name: new(expressContainer), Image: c.Image, Essential: new(true), Command: c.Command, Environment: c.Environment, Secrets: c.Secrets,
		PortMappings: []ecs.PortMapping{{Name: new("main"), ContainerPort: &port, Protocol: ecs.TransportProtocolTcp, AppProtocol: ecs.ApplicationProtocolHttp}},
		LogConfiguration: &ecs.LogConfiguration{LogDriver: ecs.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": group, "awslogs-region": call.Scope.Region, "awslogs-stream-prefix": prefix, "awslogs-create-group": "true",
		}},
	}
	if r := c.RepositoryCredentials; r != nil && r.CredentialsParameter != nil {
		out.RepositoryCredentials = &ecs.RepositoryCredentials{CredentialsParameter: r.CredentialsParameter}
	}
	return out
}

// place is where the tasks are: what is said, else where they are so far, else in
// the subnets of the default VPC.
func (w *expressWish) place(r store.Reader, scope arn.Scope, now *task.NetworkConfiguration) (*ecs.NetworkConfiguration, error) {
	out := showNetwork(now)
	if out == nil {
		out = &ecs.NetworkConfiguration{AwsvpcConfiguration: &ecs.AwsVpcConfiguration{AssignPublicIp: ecs.AssignPublicIpEnabled}}
	}
	c := out.AwsvpcConfiguration
	if n := w.network; n != nil {
		if len(n.Subnets) > 0 {
			c.Subnets, c.SecurityGroups = n.Subnets, nil
		}
		if len(n.SecurityGroups) > 0 {
			c.SecurityGroups = n.SecurityGroups
		}
	}
	if len(c.Subnets) > 0 {
		return out, nil
	}
	for s := range store.Subnets.Prefix(r, network.Key(scope, "")) {
		if s.Default && s.MapPublicIP {
			c.Subnets = append(c.Subnets, s.ID)
		}
	}
	if len(c.Subnets) == 0 {
		return nil, invalid("There is no default VPC with public subnets.").WithHint("name subnets in networkConfiguration")
	}
	return out, nil
}
