package balancer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// CheckGroup refuses a target group whose parts do not fit.
func CheckGroup(g *TargetGroup) error {
	switch {
	case g.TargetType == TargetLambda:
		return fault.New(fault.Validation, "Target type 'lambda' is not supported").WithHint("run the function as a task and use target type 'ip'")
	case !slices.Contains([]string{"HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"}, g.Protocol):
		return fault.New(fault.UnsupportedProtocol, "The protocol '%s' is not supported", g.Protocol)
	case g.TargetType == TargetALB && g.Protocol != "TCP":
		return fault.New(fault.Validation, "Target type 'alb' is supported only with the protocol 'TCP'")
	case g.ProtocolVersion != "" && !g.Application():
		return fault.New(fault.Validation, "Protocol version is not supported for the protocol '%s'", g.Protocol)
	case g.Application() && !slices.Contains([]string{"HTTP1", "HTTP2", "GRPC"}, g.ProtocolVersion):
		return fault.New(fault.Validation, "Protocol version '%s' must be one of 'GRPC, HTTP1, HTTP2'", g.ProtocolVersion)
	case g.AddressType == "ipv6":
		return fault.New(fault.InvalidConfigurationRequest, "Target groups with IP address type 'ipv6' are not supported").WithHint("VPCs of berth are IPv4")
	}
	return g.checkHealth()
}

func (g *TargetGroup) checkHealth() error {
	h := g.HealthCheck
	web := h.Protocol == "HTTP" || h.Protocol == "HTTPS"
	switch {
	case !h.Enabled:
		return fault.New(fault.Validation, "Health check enabled must be true for target groups with target type '%s'", g.TargetType)
	case h.Protocol == "TCP" && (g.Application() || g.TargetType == TargetALB), !web && h.Protocol != "TCP":
		return fault.New(fault.Validation, "Health check protocol '%s' is not supported for target groups with protocol '%s'", h.Protocol, g.Protocol)
	case !web && (h.Path != "" || h.Matcher != ""):
		return fault.New(fault.Validation, "Health check path and matcher are not supported for health check protocol '%s'", h.Protocol)
	case web && !strings.HasPrefix(h.Path, "/"):
		return fault.New(fault.Validation, "Health check path '%s' must begin with '/'", h.Path)
	case h.Timeout >= h.Interval:
		return fault.New(fault.Validation, "Health check timeout '%d' must be smaller than the interval '%d'", h.Timeout, h.Interval)
	}
	if err := checkPort(h.Port); err != nil {
		return err
	}
	if web {
		return g.checkMatcher()
	}
	return nil
}

func checkPort(port string) error {
	if n, err := strconv.Atoi(port); port != TrafficPort && (err != nil || n < 1 || n > 65535) {
		return fault.New(fault.Validation, "Health check port '%s' must be 'traffic-port' or a number between 1 and 65535", port)
	}
	return nil
}

// checkMatcher wants codes and ranges of codes, joined by commas.
func (g *TargetGroup) checkMatcher() error {
	low, high, noun := 200, 499, "HTTP"
	switch {
	case g.ProtocolVersion == "GRPC":
		low, high, noun = 0, 99, "gRPC"
	case !g.Application():
		high = 599
	}
	for part := range strings.SplitSeq(g.HealthCheck.Matcher, ",") {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		if errA != nil || errB != nil || a < low || b > high || a > b {
			return fault.New(fault.Validation, "Health check matcher %s code '%s' must be within '%d-%d' inclusive", noun, g.HealthCheck.Matcher, low, high)
		}
	}
	return nil
}
