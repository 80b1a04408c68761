package ecs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/express"
	"github.com/berthhq/berth/store"
)

// Ingress is what other services do for the ways in to Express gateway services.
type Ingress struct {
	// Certify has a certificate made for a name, which takes a while. What it gives
	// stores the certificate.
	Certify func(call *gateway.Call, name string, tags []workload.Tag) (func(*store.Tx) (*balancer.Certificate, error), error)
	// Balance finishes an Application balancer in the subnets, and stores it with its
	// nodes.
	Balance func(tx *store.Tx, b *balancer.Balancer, subnets []*network.Subnet, now time.Time) error
	// Manages tells whether ECS may become a role on behalf of source, an ARN, and then
	// do all that is needed. The refusal is a fault.AccessDenied. nil lets every role.
	Manages func(ctx context.Context, roleARN, source string, needs []express.Need) error
}

// ingress is the way in to a service that is being made.
type ingress struct {
	maker   express.Maker
	certify func(*store.Tx) (*balancer.Certificate, error)
}

// prepareIngress does what must be done before a transaction: it asks whether the role
// may, and has the certificate made.
func (a *API) prepareIngress(ctx context.Context, call *gateway.Call, role, cluster, name string) (*ingress, error) {
	if a.ingress.Manages != nil {
		if err := a.ingress.Manages(ctx, role, call.Scope.Service(cluster, name), express.Needs(call.Scope)); err != nil {
			return nil, err
		}
	}
	certify, err := a.ingress.Certify(call, express.Host(call.Scope, name, a.newID()), express.Tags())
	if err != nil {
		return nil, err
	}
	return &ingress{maker: express.Maker{Balance: a.ingress.Balance, NewID: a.newID}, certify: certify}, nil
}

// make makes it, for tasks of the definition in the network, and takes them into its
// security group.
func (i *ingress) make(tx *store.Tx, call *gateway.Call, cluster, name, path string, def *workload.Definition, where *ecs.NetworkConfiguration) (*service.Ingress, error) {
	c := where.AwsvpcConfiguration
	if _, err := vpcOf(tx, call.Scope, c.Subnets); err != nil {
		return nil, err
	}
	certificate, err := i.certify(tx)
	if err != nil {
		return nil, err
	}
	in, err := i.maker.Make(tx, &express.Wish{
		Scope: call.Scope, Cluster: cluster, Name: name, Subnets: c.Subnets, Port: expressPortOf(def), HealthCheckPath: path, Certificate: certificate,
	}, call.Now)
	if err != nil {
		return nil, unbalanced(err)
	}
	if !in.Public {
		c.AssignPublicIp = ecs.AssignPublicIpDisabled
	}
	c.SecurityGroups = append(slices.Clone(c.SecurityGroups), in.ServiceGroup)
	return in, nil
}

// unbalanced words what load balancing refuses as ECS does.
func unbalanced(err error) error {
	if f := new(fault.Fault); errors.As(err, &f) {
		return invalid("%s", f.Message).WithHint("%s", f.Hint)
	}
	return err
}

// expressPortOf is the port of the primary container, which has one.
func expressPortOf(def *workload.Definition) int {
	return def.Container(expressContainer).PortMappings[0].ContainerPort
}

// expressBalancer is how requests come to the tasks.
func expressBalancer(in *service.Ingress, role string, def *workload.Definition) ecs.LoadBalancer {
	return ecs.LoadBalancer{
		TargetGroupArn: &in.GroupARNs[0], ContainerName: new(expressContainer), ContainerPort: int32Of(expressPortOf(def)),
		AdvancedConfiguration: &ecs.AdvancedConfiguration{AlternateTargetGroupArn: &in.GroupARNs[1], ProductionListenerRule: &in.RuleARN, RoleArn: &role},
	}
}

// How Express gateway services are deployed, in percent and minutes.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-update-full.html
const (
	expressCanary     = 5
	expressCanaryBake = 3
	expressBake       = 3
)

func expressDeployment() *ecs.DeploymentConfiguration {
	return &ecs.DeploymentConfiguration{
		Strategy: ecs.DeploymentStrategyCanary, BakeTimeInMinutes: int32Of(expressBake),
		CanaryConfiguration:      &ecs.CanaryConfiguration{CanaryPercent: new(float64(expressCanary)), CanaryBakeTimeInMinutes: int32Of(expressCanaryBake)},
		DeploymentCircuitBreaker: &ecs.DeploymentCircuitBreaker{Enable: new(true), Rollback: new(true)},
	}
}

// keepIngress fits the way in to what a service is to be: its balancer reaches the
// tasks that run and those to come.
func keepIngress(tx *store.Tx, s *service.Service, in *service.Ingress, def *workload.Definition) {
	ports := []int{expressPortOf(def)}
	for i := range s.Deployments {
		if rev, ok := store.ServiceRevisions.Get(tx, s.Deployments[i].RevisionARN); ok {
			if d, ok := store.TaskDefinitions.Get(tx, rev.Template.DefinitionARN); ok && !slices.Contains(ports, expressPortOf(d)) {
				ports = append(ports, expressPortOf(d))
			}
		}
	}
	express.Admit(tx, s.Scope, in, ports)
}
