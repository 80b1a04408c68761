package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
)

func readConnect(in *ecs.ServiceConnectConfiguration) *service.Connect {
	out := &service.Connect{
		Enabled: member.Value(in.Enabled), Namespace: member.Value(in.Namespace),
		Services: member.Some(in.Services, readConnectService), Log: readLog(in.LogConfiguration),
		LogLevels: member.Some(in.ContainerConfigurations, func(c *ecs.ServiceConnectContainerConfiguration) string { return string(c.LogLevel) }),
	}
	if l := in.AccessLogConfiguration; l != nil {
		out.AccessLog = &service.ConnectAccessLog{Format: string(l.Format), Query: string(l.IncludeQueryParameters)}
	}
	return out
}

func readConnectService(in *ecs.ServiceConnectService) service.ConnectService {
	out := service.ConnectService{
		PortName: member.Value(in.PortName), DiscoveryName: member.Value(in.DiscoveryName),
		Aliases: member.Some(in.ClientAliases, readAlias), IngressOverride: optionalInt(in.IngressPortOverride),
	}
	if t := in.Timeout; t != nil {
		out.Timeout = &service.ConnectTimeout{Idle: optionalInt(t.IdleTimeoutSeconds), PerRequest: optionalInt(t.PerRequestTimeoutSeconds)}
	}
	if t := in.Tls; t != nil {
		out.TLS = &service.ConnectTLS{KMSKey: member.Value(t.KmsKey), RoleARN: member.Value(t.RoleArn)}
		if a := t.IssuerCertificateAuthority; a != nil {
			out.TLS.AuthorityARN = member.Value(a.AwsPcaAuthorityArn)
		}
	}
	return out
}

func readAlias(in *ecs.ServiceConnectClientAlias) service.ConnectAlias {
	out := service.ConnectAlias{Port: int(member.Value(in.Port)), DNSName: member.Value(in.DnsName)}
	if t := in.TestTrafficRules; t != nil && t.Header != nil {
		out.Test = &service.ConnectTest{Header: member.Value(t.Header.Name)}
		if t.Header.Value != nil {
			out.Test.Exact = t.Header.Value.Exact
		}
	}
	return out
}
