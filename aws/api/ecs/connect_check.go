package ecs

import (
	"strings"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Limits of names and ports of Service Connect.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceConnectService.html
const (
	maxDiscoveryName = 64
	maxAliasName     = 127
	maxPort          = 65535
)

// connect checks a Service Connect configuration, and settles it: which namespace, and
// which ports of which containers.
func (c *connector) connect(clusterARN string, in *service.Connect) (*service.Connect, error) {
	if in == nil || !in.Enabled {
		return in, nil
	}
	if err := c.connectable(in); err != nil {
		return nil, err
	}
	ref := in.Namespace
	if of, ok := store.Clusters.Get(c.r, clusterARN); ok && ref == "" {
		ref = of.ServiceConnectNamespace
	}
	if ref == "" {
		return nil, invalid("Service Connect requires a namespace: specify one, or set the cluster's default.")
	}
	n, err := findNamespace(c.r, c.call.Scope, ref)
	if err != nil {
		return nil, err
	}
	next := *in
	next.NamespaceID, next.Services = n.ID, nil
	names, aliases := map[string]bool{}, map[service.ConnectAlias]bool{}
	for _, s := range in.Services {
		if err := c.connectService(&s); err != nil {
			return nil, err
		}
		if names[s.Discovery()] {
			return nil, invalid("The discovery name %s is specified more than once.", s.Discovery())
		}
		alias := service.ConnectAlias{Port: s.Aliases[0].Port, DNSName: s.Called(n.Name, "").Alias}
		if aliases[alias] {
			return nil, invalid("The client alias %s:%d is specified more than once.", alias.DNSName, alias.Port)
		}
		names[s.Discovery()], aliases[alias] = true, true
		next.Services = append(next.Services, s)
	}
	return &next, nil
}

// connectable refuses what Service Connect does not do, here or anywhere.
func (c *connector) connectable(in *service.Connect) error {
	switch {
	case c.spec.Controller != service.ControllerECS:
		return invalid("Service Connect is not supported with the %s deployment controller.", c.spec.Controller)
	case c.spec.Configuration.Strategy.Shifts() && len(in.Services) > 0:
		return fault.New(fault.UnsupportedFeature, "Service Connect does not shift traffic yet, which the deployment strategy %s requires.", c.spec.Configuration.Strategy).
			WithHint("use the strategy ROLLING, or leave services out: clients can have any")
	case in.AccessLog != nil:
		return fault.New(fault.UnsupportedFeature, "Access logs of Service Connect are not supported yet.").WithHint("leave accessLogConfiguration out")
	}
	return connectsIn(c.definition.Mode())
}

// connectsIn refuses network modes in which nobody can tell whose calls are whose.
func connectsIn(mode workload.NetworkMode) error {
	if mode == workload.AWSVPC || mode == workload.Bridge {
		return nil
	}
	return invalid("Service Connect is not supported with the %s network mode. Use awsvpc or bridge.", mode)
}

// connectService checks what of the service others may call, and notes where it is.
func (c *connector) connectService(s *service.ConnectService) error {
	switch {
	case s.TLS != nil:
		return fault.New(fault.UnsupportedFeature, "TLS between services of Service Connect is not supported yet.").WithHint("leave tls out")
	case len(s.DiscoveryName) > maxDiscoveryName || s.DiscoveryName != "" && !isDiscoveryName(s.DiscoveryName):
		return invalid("The discovery name %s is not valid. Up to %d lowercase letters, numbers, underscores and hyphens are allowed; it can't start with a hyphen.", s.DiscoveryName, maxDiscoveryName)
	case len(s.Aliases) != 1:
		return invalid("clientAliases must have exactly 1 item, with a port.")
	case s.IngressOverride != nil && (*s.IngressOverride < 1 || *s.IngressOverride > maxPort):
		return invalid("ingressPortOverride should be between 1 and %d", maxPort)
	case s.IngressOverride != nil && c.definition.Mode() != workload.AWSVPC:
		return fault.New(fault.UnsupportedFeature, "ingressPortOverride is not supported yet with the %s network mode.", c.definition.Mode()).
			WithHint("leave it out: the host port of the port mapping is where the task is called")
	}
	if err := checkAlias(&s.Aliases[0]); err != nil {
		return err
	}
	m := c.portNamed(s)
	if m == nil {
		return invalid("The port name %s does not exist in the task definition.", s.PortName)
	}
	if m.Protocol == "udp" {
		return invalid("The port %s is not a TCP port, which Service Connect requires.", s.PortName)
	}
	s.ContainerPort, s.Protocol = m.ContainerPort, m.AppProtocol
	return checkTimeout(s)
}

func checkAlias(a *service.ConnectAlias) error {
	switch {
	case a.Port < 1 || a.Port > maxPort:
		return invalid("The port of a client alias should be between 1 and %d", maxPort)
	case a.DNSName != "" && (len(a.DNSName) > maxAliasName || !isAlias(a.DNSName)):
		return invalid("The dnsName %s is not valid. Up to %d letters, numbers, underscores, hyphens and periods are allowed; it can't start with a hyphen.", a.DNSName, maxAliasName)
	case a.Test != nil:
		return fault.New(fault.UnsupportedFeature, "Test traffic of Service Connect is not supported yet.").WithHint("leave testTrafficRules out")
	}
	return nil
}

func checkTimeout(s *service.ConnectService) error {
	if s.Timeout != nil && s.Timeout.PerRequest != nil && s.Protocol == "" {
		return invalid("perRequestTimeoutSeconds can only be set if the appProtocol of the port %s isn't TCP.", s.PortName)
	}
	return nil
}

func isDiscoveryName(s string) bool { return isName(s) && s == strings.ToLower(s) && s[0] != '-' }

// isAlias tells whether s is a name that resolvers ask for.
func isAlias(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || !isName(label) {
			return false
		}
	}
	return s[0] != '-'
}

// portNamed finds the port mapping that a service names, and notes its container.
func (c *connector) portNamed(s *service.ConnectService) *workload.PortMapping {
	for i := range c.definition.Containers {
		of := &c.definition.Containers[i]
		for j := range of.PortMappings {
			if m := &of.PortMappings[j]; m.Name == s.PortName && m.Name != "" {
				s.Container = of.Name
				return m
			}
		}
	}
	return nil
}
