package haproxy

import (
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// reportOf is the health of a server in the API's words.
func reportOf(s *seen, now time.Time) balancer.Report {
	r := balancer.Report{At: now, Idle: s.sessions == "0"}
	switch {
	case strings.HasPrefix(s.check, "INI") || s.check == "":
		r.State, r.Reason, r.Detail = balancer.Initial, balancer.ReasonChecking, "Initial health checks in progress"
	case strings.HasPrefix(s.status, "UP"), strings.HasPrefix(s.status, "DRAIN"), s.status == "no check":
		r.State = balancer.Healthy
	case strings.HasSuffix(s.check, "TOUT"):
		r.State, r.Reason, r.Detail = balancer.Unhealthy, balancer.ReasonTimeout, "Request timed out"
	case s.check == "L7STS":
		r.State, r.Reason, r.Detail = balancer.Unhealthy, balancer.ReasonMismatch, "Health checks failed with these codes: ["+s.code+"]"
	default:
		r.State, r.Reason, r.Detail = balancer.Unhealthy, balancer.ReasonFailed, "Health checks failed"
	}
	return r
}
