package task

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/workload"
)

// Phase is how far one container has come on its machine. Like Status it only
// grows within one attempt; a restart begins a new attempt at PhaseStarting.
type Phase int

// Phases of a container. The "-ing" ones mean that an action is under way.
const (
	PhaseWaiting Phase = iota
	PhasePulling
	PhasePulled
	PhaseStarting // create and start
	PhaseRunning
	PhaseStopping // asked to stop: SIGTERM, then SIGKILL after its stop timeout
	PhaseExited   // ended, or failed, or never to be started
)

// Work is the state of an action on the task as a whole.
type Work int

// States of work.
const (
	WorkNone Work = iota
	WorkUnderway
	WorkDone
	WorkFailed
)

// Local is all that an agent knows of one task on its machine. The engine's
// goroutine for the task owns it and writes down what happened; Next reads it.
type Local struct {
	Order *Order

	// StopWanted, with its code and reason, is set when the servers want the
	// task stopped, or by Begin of a Fail decision.
	StopWanted bool
	StopCode   string
	StopReason string

	Prepared   Work // namespaces, volumes, credentials, sandbox
	Cleaned    Work // the same given back
	PreparedAt time.Time

	Containers []LocalContainer // in the order's order
}

// LocalContainer is what the agent knows of one container.
type LocalContainer struct {
	Phase     Phase
	Attempt   int       // 0 for the first start, then one more for each restart
	StartedAt time.Time // of this attempt; zero before
	ExitedAt  time.Time
	ExitCode  *int // nil when it never ran
	OOMKilled bool
	Failure   string // AWS's words for why it could not be pulled, created or started
	Health    Health // empty without a health check
}

// NewLocal is the local state of an order just received.
func NewLocal(o *Order) *Local {
	return &Local{Order: o, Containers: make([]LocalContainer, len(o.Containers))}
}

func (l *Local) index(name string) int {
	for i := range l.Order.Containers {
		if l.Order.Containers[i].Name == name {
			return i
		}
	}
	return -1
}

func (c *LocalContainer) started() bool { return !c.StartedAt.IsZero() }
func (c *LocalContainer) ended() bool   { return c.Phase == PhaseExited }

// restartable tells whether the container's policy starts it again after the exit
// that c records: it ran long enough and did not end with an ignored code.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-restart-policy.html
func restartable(def *workload.Container, c *LocalContainer) bool {
	p := def.RestartPolicy
	if p == nil || !p.Enabled || c.ExitCode == nil || !c.started() {
		return false
	}
	if slices.Contains(p.IgnoredExitCodes, *c.ExitCode) {
		return false
	}
	period := 300 * time.Second
	if p.RestartAttemptPeriod != nil {
		period = time.Duration(*p.RestartAttemptPeriod) * time.Second
	}
	return c.ExitedAt.Sub(c.StartedAt) >= period
}
