package balancer

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// ListenerProtocols are those that the listeners of a kind speak.
func ListenerProtocols(k Kind) []string {
	if k == Network {
		return []string{"TCP", "TLS", "UDP", "TCP_UDP"}
	}
	return []string{"HTTP", "HTTPS"}
}

// CheckProtocol refuses protocols that the listeners of a kind do not speak.
func CheckProtocol(k Kind, protocol string) error {
	all := ListenerProtocols(k)
	switch {
	case protocol == "GENEVE" || protocol == "QUIC" || protocol == "TCP_QUIC":
		return fault.New(fault.UnsupportedProtocol, "The protocol '%s' is not supported", protocol).WithHint("berth has no such listeners")
	case !slices.Contains(all, protocol):
		return fault.New(fault.Validation, "Listener protocol '%s' must be one of '%s'", protocol, strings.Join(all, ", "))
	}
	return nil
}

// CheckLeads refuses a target group that a listener of a balancer cannot lead to.
func CheckLeads(b *Balancer, l *Listener, g *TargetGroup) error {
	switch {
	case !slices.Contains(leadsTo(l.Protocol), g.Protocol):
		return fault.New(fault.IncompatibleProtocols, "Listener protocol '%s' is not supported with a target group with the protocol '%s'", l.Protocol, g.Protocol)
	case g.ProtocolVersion == "GRPC" && l.Protocol != "HTTPS":
		return fault.New(fault.InvalidConfigurationRequest, "Listener protocol '%s' is not supported with a target group with the protocol-version 'GRPC'", l.Protocol)
	case g.VPCID != b.VPCID:
		return fault.New(fault.InvalidConfigurationRequest, "The following target groups are in a different VPC than load balancer '%s': %s", b.ARN, g.ARN)
	case g.ClassicARN != "":
		return fault.New(fault.TargetGroupNotFound, "Target groups '%s' not found", g.ARN)
	}
	return nil
}

// leadsTo are the protocols of groups that a listener may lead to.
func leadsTo(protocol string) []string {
	switch protocol {
	case "HTTP", "HTTPS":
		return []string{"HTTP", "HTTPS"}
	case "TCP":
		return []string{"TCP", "TCP_UDP"}
	case "TLS":
		return []string{"TLS", "TCP"}
	case "UDP":
		return []string{"UDP", "TCP_UDP"}
	}
	return []string{protocol}
}
