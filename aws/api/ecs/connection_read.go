package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// maxBalancers is how many target groups a service may have.
const maxBalancers = 5

// connections are what a call says of how tasks are reached. nil parts were not said.
type connections struct {
	balancers  []ecs.LoadBalancer
	registries []ecs.ServiceRegistry
	connect    *ecs.ServiceConnectConfiguration
}

// readConnections settles what a template's tasks are reached by, and checks that
// it fits the definition: what was said, and what stays from before.
func readConnections(r store.Reader, call *gateway.Call, clusterARN string, spec *service.Spec, def *workload.Definition, said connections) error {
	t, at := &spec.Template, &connector{r: r, call: call, definition: def, spec: spec}
	if said.balancers != nil {
		t.Balancers = member.Some(said.balancers, readBalancer)
	}
	if said.registries != nil {
		t.Registries = member.Some(said.registries, readRegistry)
	}
	if said.connect != nil {
		t.Connect = readConnect(said.connect)
	}
	if len(t.Balancers) > maxBalancers {
		return invalid("loadBalancers can have at most %d items.", maxBalancers)
	}
	for i := range t.Balancers {
		if err := at.balancer(&t.Balancers[i]); err != nil {
			return err
		}
	}
	if len(t.Registries) > 1 {
		return invalid("serviceRegistries can have at most 1 items.")
	}
	for i := range t.Registries {
		if err := at.registry(&t.Registries[i]); err != nil {
			return err
		}
	}
	var err error
	t.Connect, err = at.connect(clusterARN, t.Connect)
	return err
}

func readBalancer(b *ecs.LoadBalancer) service.Balancer {
	out := service.Balancer{
		GroupARN: member.Value(b.TargetGroupArn), Classic: member.Value(b.LoadBalancerName),
		Container: member.Value(b.ContainerName), Port: int(member.Value(b.ContainerPort)),
	}
	if a := b.AdvancedConfiguration; a != nil {
		out.Advanced = &service.Advanced{
			AlternateARN: member.Value(a.AlternateTargetGroupArn), ProductionRule: member.Value(a.ProductionListenerRule),
			TestRule: member.Value(a.TestListenerRule), RoleARN: member.Value(a.RoleArn),
		}
	}
	return out
}

func readRegistry(s *ecs.ServiceRegistry) service.Registry {
	return service.Registry{
		ARN: member.Value(s.RegistryArn), Port: int(member.Value(s.Port)),
		Container: member.Value(s.ContainerName), ContainerPort: int(member.Value(s.ContainerPort)),
	}
}

// connector checks connections against a definition.
type connector struct {
	r          store.Reader
	call       *gateway.Call
	definition *workload.Definition
	spec       *service.Spec
}

func (c *connector) balancer(b *service.Balancer) error {
	switch {
	case b.GroupARN == "" && b.Classic == "":
		return invalid("Either targetGroupArn or loadBalancerName must be specified.")
	case b.GroupARN != "" && b.Classic != "":
		return invalid("targetGroupArn and loadBalancerName cannot both be specified.").WithHint("give targetGroupArn alone, or loadBalancerName of a Classic Load Balancer")
	}
	if err := c.container(b.Container, b.Port); err != nil {
		return err
	}
	if b.Classic != "" {
		return c.classic(b)
	}
	if _, err := c.group(b.GroupARN, true); err != nil {
		return err
	}
	return c.advanced(b)
}

// container checks that a container of the definition has the port.
func (c *connector) container(name string, port int) error {
	if name == "" {
		return invalid("Container Name can not be blank.")
	}
	found := c.definition.Container(name)
	if found == nil {
		return invalid("The container %s does not exist in the task definition.", name)
	}
	for _, m := range found.PortMappings {
		if m.ContainerPort == port && port != 0 {
			return nil
		}
	}
	return invalid("The container %s did not have a container port %d defined.", name, port)
}

func (c *connector) classic(b *service.Balancer) error {
	if placeOf(&c.spec.Template) == workload.Fargate || c.definition.Mode() == workload.AWSVPC {
		return invalid("Classic Load Balancers are not supported with the awsvpc network mode. Use a target group of an Application Load Balancer or a Network Load Balancer.")
	}
	have, ok := c.named(b.Classic)
	if !ok || have.Kind != balancer.Classic {
		return invalid("The load balancer with loadBalancerName %s does not exist.", b.Classic)
	}
	if d := c.spec.Configuration.Breaker; d != nil && d.Enable {
		return invalid("Deployment circuit breaker feature is not supported with Classic Load Balancers. Remove the Classic Load Balancer and try again.")
	}
	for _, m := range c.definition.Container(b.Container).PortMappings {
		if m.ContainerPort == b.Port && (m.HostPort == nil || *m.HostPort == 0) && c.definition.Mode() == workload.Bridge {
			return invalid("A host port mapping for the container port %d is required.", b.Port)
		}
	}
	return nil
}

func (c *connector) named(name string) (*balancer.Balancer, bool) {
	for b := range store.Balancers.By(c.r, store.BalancersByName, store.ScopeKey(c.call.Scope, name)) {
		if b.Kind == balancer.Classic {
			return b, true
		}
	}
	return nil, false
}

// group checks a target group; led tells whether a listener must lead to it.
func (c *connector) group(ref string, led bool) (*balancer.TargetGroup, error) {
	g, ok := store.TargetGroups.Get(c.r, ref)
	mode := c.definition.Mode()
	switch {
	case !ok || g.Scope != c.call.Scope || g.ClassicARN != "":
		return nil, invalid("The target group with targetGroupArn %s does not exist.", ref)
	case led && !store.TargetGroupLed(c.r, ref):
		return nil, invalid("The target group with targetGroupArn %s does not have an associated load balancer.", ref).
			WithHint("make a listener or a rule forward to it first")
	case (g.TargetType == balancer.TargetIP) != (mode == workload.AWSVPC):
		return nil, invalid("The provided target group %s has target type %s, which is incompatible with the %s network mode specified in the task definition.", ref, g.TargetType, mode)
	}
	return g, nil
}

// advanced checks what a deployment needs that shifts traffic.
func (c *connector) advanced(b *service.Balancer) error {
	shifts := c.spec.Configuration.Strategy.Shifts() && c.spec.Controller == service.ControllerECS
	a := b.Advanced
	if a == nil {
		if shifts {
			return invalid("advancedConfiguration is required for load balancers when the deployment strategy is %s.", c.spec.Configuration.Strategy)
		}
		return nil
	}
	if a.AlternateARN == "" || a.ProductionRule == "" || a.RoleARN == "" {
		return invalid("alternateTargetGroupArn, productionListenerRule and roleArn are required in advancedConfiguration.")
	}
	if a.AlternateARN == b.GroupARN {
		return invalid("alternateTargetGroupArn cannot be the same as targetGroupArn.")
	}
	if _, err := c.group(a.AlternateARN, false); err != nil {
		return err
	}
	return c.rules(a)
}

// registry checks a Cloud Map service: what it must be told depends on its records.
func (c *connector) registry(s *service.Registry) error {
	const eitherPort = "Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, but not both"
	d, ok := store.Discoveries.Get(c.r, store.ScopeKey(c.call.Scope, arn.NameOf(s.ARN)))
	inContainer := s.Container != "" || s.ContainerPort != 0
	wantsPort := ok && (d.DNS == nil || d.DNS.Has("SRV"))
	vpc := c.definition.Mode() == workload.AWSVPC
	switch {
	case !ok || d.ARN != s.ARN:
		return invalid("The specified service registry %s does not exist.", s.ARN)
	case !vpc && !wantsPort:
		return invalid("When specifying 'host' or 'bridge' for networkMode, the service registry must have SRV records. Registry: %s", s.ARN)
	case !vpc && (s.Container == "" || s.ContainerPort == 0):
		return invalid("When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition. Registry: %s", s.ARN)
	case s.Port != 0 && inContainer:
		return invalid("%s. Registry: %s", eitherPort, s.ARN)
	case d.DNS != nil && !wantsPort && s.Port != 0:
		return notRequired("port")
	case d.DNS != nil && !wantsPort && s.ContainerPort != 0:
		return notRequired("containerPort")
	case d.DNS != nil && wantsPort && s.Port == 0 && !inContainer:
		return invalid("%s. Registry: %s", eitherPort, s.ARN)
	}
	if inContainer && s.ContainerPort != 0 {
		return c.container(s.Container, s.ContainerPort)
	}
	return nil
}

func notRequired(field string) error {
	return invalid("The values specified for serviceRegistries do not require a value for '%s'. Remove the value and retry.", field)
}
