package ecs

import (
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// showManaged shows what was made for a revision of an Express gateway service; nil of
// other services.
func showManaged(r store.Reader, rev *service.Revision) *ecs.ECSManagedResources {
	e := rev.Template.Express
	if e == nil || e.Ingress == nil {
		return nil
	}
	m := managed{Reader: r, rev: rev, in: e.Ingress}
	out := &ecs.ECSManagedResources{
		IngressPaths: []ecs.ManagedIngressPath{m.path()}, ServiceSecurityGroups: []ecs.ManagedSecurityGroup{m.securityGroup(m.in.ServiceGroup)},
	}
	if d, ok := store.TaskDefinitions.Get(r, rev.Template.DefinitionARN); ok {
		if c := showExpressContainer(d); c != nil && c.AwsLogsConfiguration != nil {
			group := c.AwsLogsConfiguration.LogGroup
			out.LogGroups = []ecs.ManagedLogGroup{{
				Arn: new(rev.Scope.Of("logs", "log-group:"+*group)), LogGroupName: group, Status: ecs.ManagedResourceStatusActive, UpdatedAt: member.Time(rev.CreatedAt),
			}}
		}
	}
	return out
}

// managed shows the parts of a way in.
type managed struct {
	store.Reader
	rev *service.Revision
	in  *service.Ingress
}

// status is whether a part is there.
func status(there bool) ecs.ManagedResourceStatus {
	if there {
		return ecs.ManagedResourceStatusActive
	}
	return ecs.ManagedResourceStatusDeleted
}

func (m *managed) path() ecs.ManagedIngressPath {
	at := member.Time(m.rev.CreatedAt)
	out := ecs.ManagedIngressPath{AccessType: accessType(m.in), Endpoint: &m.in.Host, LoadBalancer: m.balancer()}
	out.LoadBalancerSecurityGroups = []ecs.ManagedSecurityGroup{m.securityGroup(m.in.BalancerGroup)}
	_, there := store.Certificates.Get(m, m.in.CertificateARN)
	out.Certificate = &ecs.ManagedCertificate{Arn: &m.in.CertificateARN, DomainName: &m.in.Host, Status: status(there), UpdatedAt: at}
	_, there = store.Listeners.Get(m, m.in.ListenerARN)
	out.Listener = &ecs.ManagedListener{Arn: &m.in.ListenerARN, Status: status(there), UpdatedAt: at}
	_, there = store.ListenerRules.Get(m, m.in.RuleARN)
	out.Rule = &ecs.ManagedListenerRule{Arn: &m.in.RuleARN, Status: status(there), UpdatedAt: at}
	for n := range m.in.GroupARNs {
		out.TargetGroups = append(out.TargetGroups, m.targetGroup(&m.in.GroupARNs[n]))
	}
	return out
}

func (m *managed) balancer() *ecs.ManagedLoadBalancer {
	b, there := store.Balancers.Get(m, m.in.BalancerARN)
	out := &ecs.ManagedLoadBalancer{Arn: &m.in.BalancerARN, Scheme: new(balancer.Internal), Status: status(there), UpdatedAt: member.Time(m.rev.CreatedAt)}
	if m.in.Public {
		out.Scheme = new(balancer.InternetFacing)
	}
	if there {
		out.SecurityGroupIds = b.SecurityGroups
		out.SubnetIds = member.Each(b.Zones, func(z *balancer.Zone) string { return z.SubnetID })
	}
	return out
}

func (m *managed) securityGroup(id string) ecs.ManagedSecurityGroup {
	_, there := store.SecurityGroups.Get(m, network.Key(m.rev.Scope, id))
	return ecs.ManagedSecurityGroup{Arn: new(m.rev.Scope.Of("ec2", "security-group/"+id)), Status: status(there), UpdatedAt: member.Time(m.rev.CreatedAt)}
}

func (m *managed) targetGroup(arn *string) ecs.ManagedTargetGroup {
	g, there := store.TargetGroups.Get(m, *arn)
	out := ecs.ManagedTargetGroup{Arn: arn, Status: status(there), UpdatedAt: member.Time(m.rev.CreatedAt), HealthCheckPath: new(""), HealthCheckPort: new(int32(0)), Port: new(int32(0))}
	if !there {
		return out
	}
	out.HealthCheckPath, out.Port, out.HealthCheckPort = &g.HealthCheck.Path, int32Of(g.Port), int32Of(g.Port)
	if n, err := strconv.Atoi(g.HealthCheck.Port); err == nil {
		out.HealthCheckPort = int32Of(n)
	}
	return out
}
