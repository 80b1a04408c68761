package balancer

// grpcPath is what is asked for of targets that speak gRPC.
const grpcPath = "/AWS.ALB/healthcheck"

// DefaultHealthCheck is the health check of a group that says nothing of its own, when
// its protocol is that of the check; an empty one stands for the default.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
func DefaultHealthCheck(g *TargetGroup, protocol string) HealthCheck {
	h := HealthCheck{Enabled: true, Protocol: protocol, Port: TrafficPort, Interval: 30, Timeout: 10, Healthy: 5, Unhealthy: 2}
	if g.Application() {
		h.Timeout = 5
	}
	switch {
	case protocol != "":
	case g.Application() || g.TargetType == TargetALB:
		h.Protocol = "HTTP"
	default:
		h.Protocol = "TCP"
	}
	if !g.Application() && h.Protocol == "HTTP" {
		h.Timeout = 6
	}
	if h.Protocol != "HTTP" && h.Protocol != "HTTPS" {
		return h
	}
	h.Path, h.Matcher = "/", "200"
	switch {
	case g.ProtocolVersion == "GRPC":
		h.Path, h.Matcher = grpcPath, "12"
	case !g.Application():
		h.Matcher = "200-399"
	}
	return h
}

// Application tells whether the group is one for Application balancers.
func (g *TargetGroup) Application() bool { return g.Protocol == "HTTP" || g.Protocol == "HTTPS" }
