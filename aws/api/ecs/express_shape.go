package ecs

import (
	"slices"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// expressWithout says what an Express gateway service does not have yet.
const expressWithout = "Automatic scaling of Express gateway services is not supported yet: the service has as many tasks as its minTaskCount."

func showExpress(r store.Reader, s *service.Service, tags bool) *ecs.ECSExpressGatewayService {
	out := &ecs.ECSExpressGatewayService{
		Cluster: &s.ClusterARN, ServiceName: &s.Name, ServiceArn: &s.ARN, Status: expressStatus(s), CurrentDeployment: member.Present(s.LastRollout),
		CreatedAt: member.Time(s.CreatedAt), UpdatedAt: member.Time(expressUpdated(r, s)),
	}
	if e := s.Spec.Template.Express; e != nil {
		out.InfrastructureRoleArn = member.Present(e.InfrastructureRole)
	}
	for i := range s.Deployments {
		if rev, ok := store.ServiceRevisions.Get(r, s.Deployments[i].RevisionARN); ok {
			out.ActiveConfigurations = append(out.ActiveConfigurations, *showExpressConfiguration(r, rev))
		}
	}
	if tags {
		out.Tags = showTags(s.Tags)
	}
	return out
}

func showExpressUpdate(r store.Reader, s *service.Service) *ecs.UpdatedExpressGatewayService {
	out := &ecs.UpdatedExpressGatewayService{
		ServiceArn: &s.ARN, Cluster: &s.ClusterARN, ServiceName: &s.Name, Status: expressStatus(s), CreatedAt: member.Time(s.CreatedAt), UpdatedAt: member.Time(expressUpdated(r, s)),
	}
	if rev, ok := store.ServiceRevisions.Get(r, s.Spec.Revision); ok {
		out.TargetConfiguration = showExpressConfiguration(r, rev)
	}
	return out
}

func expressStatus(s *service.Service) *ecs.ExpressGatewayServiceStatus {
	out := &ecs.ExpressGatewayServiceStatus{StatusCode: ecs.ExpressGatewayServiceStatusCode(s.Status)}
	if s.Status == service.Active {
		out.StatusReason = new(expressWithout)
	}
	return out
}

// expressUpdated is when the service got the revision it has.
func expressUpdated(r store.Reader, s *service.Service) time.Time {
	if rev, ok := store.ServiceRevisions.Get(r, s.Spec.Revision); ok {
		return rev.CreatedAt
	}
	return s.CreatedAt
}

func showExpressConfiguration(r store.Reader, rev *service.Revision) *ecs.ExpressGatewayServiceConfiguration {
	out := &ecs.ExpressGatewayServiceConfiguration{ServiceRevisionArn: &rev.ARN, CreatedAt: member.Time(rev.CreatedAt), TaskDefinitionArn: member.Present(rev.Template.DefinitionARN)}
	if n := rev.Template.Network; n != nil {
		out.NetworkConfiguration = &ecs.ExpressGatewayServiceNetworkConfiguration{SecurityGroups: expressGroups(&rev.Template), Subnets: n.Subnets}
	}
	if e := rev.Template.Express; e != nil {
		if in := e.Ingress; in != nil {
			out.IngressPaths = []ecs.IngressPathSummary{{AccessType: accessType(in), Endpoint: &in.Host}}
		}
		out.HealthCheckPath = member.Present(e.HealthCheckPath)
		out.ScalingTarget = &ecs.ExpressGatewayScalingTarget{
			MinTaskCount: int32Of(e.Scaling.Min), MaxTaskCount: int32Of(e.Scaling.Max),
			AutoScalingMetric: ecs.ExpressGatewayServiceScalingMetric(e.Scaling.Metric), AutoScalingTargetValue: int32Of(e.Scaling.Value),
		}
	}
	if d, ok := store.TaskDefinitions.Get(r, rev.Template.DefinitionARN); ok {
		out.ExecutionRoleArn, out.TaskRoleArn, out.Cpu, out.Memory = member.Present(d.ExecutionRoleARN), member.Present(d.TaskRoleARN), member.Present(d.CPU), member.Present(d.Memory)
		out.PrimaryContainer, out.CpuArchitecture = showExpressContainer(d), ecs.ExpressCpuArchitecture(architectureOf(d))
	}
	return out
}

// expressGroups are the security groups that were asked for, else the one that was
// made: reads give back what was sent.
func expressGroups(t *service.Template) []string {
	e, all := t.Express, t.Network.SecurityGroups
	if e == nil || e.Ingress == nil || len(all) == 1 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(g string) bool { return g == e.Ingress.ServiceGroup })
}

func accessType(in *service.Ingress) ecs.AccessType {
	if in.Public {
		return ecs.AccessTypePublic
	}
	return ecs.AccessTypePrivate
}

func architectureOf(d *workload.Definition) string {
	if d.RuntimePlatform == nil {
		return ""
	}
	return d.RuntimePlatform.CPUArchitecture
}

// showExpressContainer shows the primary container of a definition; nil when it has
// none.
func showExpressContainer(d *workload.Definition) *ecs.ExpressGatewayContainer {
	c := d.Container(expressContainer)
	if c == nil {
		return nil
	}
	out := &ecs.ExpressGatewayContainer{
		Image: &c.Image, Command: c.Command, Environment: member.Some(c.Environment, showKeyValue), Secrets: member.Some(c.Secrets, showSecret),
	}
	if len(c.PortMappings) > 0 {
		out.ContainerPort = int32Of(c.PortMappings[0].ContainerPort)
	}
	if c.RepositoryCredentials != "" {
		out.RepositoryCredentials = &ecs.ExpressGatewayRepositoryCredentials{CredentialsParameter: &c.RepositoryCredentials}
	}
	if l := c.Log; l != nil && l.Options["awslogs-group"] != "" {
		out.AwsLogsConfiguration = &ecs.ExpressGatewayServiceAwsLogsConfiguration{LogGroup: new(l.Options["awslogs-group"]), LogStreamPrefix: member.Present(l.Options["awslogs-stream-prefix"])}
	}
	return out
}
