package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
)

func showBalancer(b *service.Balancer) ecs.LoadBalancer {
	out := ecs.LoadBalancer{
		TargetGroupArn: member.Present(b.GroupARN), LoadBalancerName: member.Present(b.Classic),
		ContainerName: member.Present(b.Container), ContainerPort: int32Of(b.Port),
	}
	if a := b.Advanced; a != nil {
		out.AdvancedConfiguration = &ecs.AdvancedConfiguration{
			AlternateTargetGroupArn: member.Present(a.AlternateARN), ProductionListenerRule: member.Present(a.ProductionRule),
			TestListenerRule: member.Present(a.TestRule), RoleArn: member.Present(a.RoleARN),
		}
	}
	return out
}

func showRegistry(s *service.Registry) ecs.ServiceRegistry {
	return ecs.ServiceRegistry{
		RegistryArn: &s.ARN, Port: present32(s.Port), ContainerName: member.Present(s.Container), ContainerPort: present32(s.ContainerPort),
	}
}

// present32 is nil for 0.
func present32(n int) *int32 { return member.Present(int32(n)) }

func shown32(n *int) *int32 {
	if n == nil {
		return nil
	}
	return int32Of(*n)
}

func showConnect(c *service.Connect) *ecs.ServiceConnectConfiguration {
	if c == nil {
		return nil
	}
	out := &ecs.ServiceConnectConfiguration{
		Enabled: &c.Enabled, Namespace: member.Present(c.Namespace), Services: member.Some(c.Services, showConnectService), LogConfiguration: showLog(c.Log),
		ContainerConfigurations: member.Some(c.LogLevels, func(l *string) ecs.ServiceConnectContainerConfiguration {
			return ecs.ServiceConnectContainerConfiguration{LogLevel: ecs.ServiceConnectContainerLogLevel(*l)}
		}),
	}
	if l := c.AccessLog; l != nil {
		out.AccessLogConfiguration = &ecs.ServiceConnectAccessLogConfiguration{
			Format: ecs.ServiceConnectAccessLoggingFormat(l.Format), IncludeQueryParameters: ecs.ServiceConnectIncludeQueryParameters(l.Query),
		}
	}
	return out
}

func showConnectService(s *service.ConnectService) ecs.ServiceConnectService {
	out := ecs.ServiceConnectService{
		PortName: &s.PortName, DiscoveryName: member.Present(s.DiscoveryName), ClientAliases: member.Some(s.Aliases, showAlias),
		IngressPortOverride: shown32(s.IngressOverride),
	}
	if t := s.Timeout; t != nil {
		out.Timeout = &ecs.TimeoutConfiguration{IdleTimeoutSeconds: shown32(t.Idle), PerRequestTimeoutSeconds: shown32(t.PerRequest)}
	}
	if t := s.TLS; t != nil {
		out.Tls = &ecs.ServiceConnectTlsConfiguration{
			IssuerCertificateAuthority: &ecs.ServiceConnectTlsCertificateAuthority{AwsPcaAuthorityArn: member.Present(t.AuthorityARN)},
			KmsKey:                     member.Present(t.KMSKey), RoleArn: member.Present(t.RoleARN),
		}
	}
	return out
}

func showAlias(a *service.ConnectAlias) ecs.ServiceConnectClientAlias {
	out := ecs.ServiceConnectClientAlias{Port: int32Of(a.Port), DnsName: member.Present(a.DNSName)}
	if t := a.Test; t != nil {
		header := &ecs.ServiceConnectTestTrafficHeaderRules{Name: &t.Header}
		if t.Exact != nil {
			header.Value = &ecs.ServiceConnectTestTrafficHeaderMatchRules{Exact: t.Exact}
		}
		out.TestTrafficRules = &ecs.ServiceConnectTestTrafficRules{Header: header}
	}
	return out
}
