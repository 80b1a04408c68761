package balancer

// Reasons and words of target health, as the API has them.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
const (
	ReasonRegistering  = "Elb.RegistrationInProgress"
	ReasonChecking     = "Elb.InitialHealthChecking"
	ReasonInternal     = "Elb.InternalError"
	ReasonMismatch     = "Target.ResponseCodeMismatch"
	ReasonTimeout      = "Target.Timeout"
	ReasonFailed       = "Target.FailedHealthChecks"
	ReasonUnregistered = "Target.NotRegistered"
	ReasonUnused       = "Target.NotInUse"
	ReasonDraining     = "Target.DeregistrationInProgress"
	ReasonStopped      = "Target.InvalidState"
)

// Effective is the health of a target by what the edges say of it: healthy when any
// says so, then unhealthy, then unavailable; initial while none has a word. h may be nil.
func Effective(h *Health) Report {
	best := Report{State: Initial, Reason: ReasonRegistering, Detail: "Target registration is in progress"}
	if h == nil {
		return best
	}
	for _, r := range h.Reports {
		if heavier(r, best) {
			best = r
		}
	}
	return best
}

// heavier tells whether a report outweighs another; of equals the younger does.
func heavier(r, than Report) bool {
	if a, b := weight(r.State), weight(than.State); a != b {
		return a > b
	}
	return r.At.After(than.At)
}

func weight(s State) int {
	switch s {
	case Healthy:
		return 3
	case Unhealthy:
		return 2
	case Unavailable:
		return 1
	}
	return 0
}
