package service

import "time"

// Strategy is how a rollout replaces what runs.
type Strategy string

// Deployment strategies.
const (
	Rolling   Strategy = "ROLLING"
	BlueGreen Strategy = "BLUE_GREEN"
	Linear    Strategy = "LINEAR"
	Canary    Strategy = "CANARY"
)

// Configuration is a deployment configuration.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
type Configuration struct {
	Strategy       Strategy
	MaximumPercent int
	MinimumPercent int
	Breaker        *Breaker // nil when none was given
	Alarms         *Alarms
	BakeMinutes    *int
	Hooks          []Hook
	Linear         *Shift
	Canary         *Shift
	EarlySuccess   *EarlySuccess
}

// Breaker is a deployment circuit breaker.
type Breaker struct {
	Enable, Rollback bool
	// KeepCount is true when a healthy task does not reset the count of failures:
	// resetOnHealthyTask false.
	KeepCount bool
	Threshold *Threshold // nil for the default: 50 percent, bounded
}

// Threshold says how many failures a breaker bears.
type Threshold struct {
	Type  string // COUNT, BOUNDED_PERCENT or UNBOUNDED_PERCENT
	Value int
}

// Types of thresholds.
const (
	ThresholdCount     = "COUNT"
	ThresholdBounded   = "BOUNDED_PERCENT"
	ThresholdUnbounded = "UNBOUNDED_PERCENT"
)

// Alarms are CloudWatch alarms that fail a rollout.
type Alarms struct {
	Names            []string
	Enable, Rollback bool
}

// Shift is how traffic moves in a linear or canary rollout: so much of it at a
// time, and so long between.
type Shift struct {
	Percent     float64
	BakeMinutes int
}

// EarlySuccess lets a rolling rollout succeed before every task is replaced.
type EarlySuccess struct {
	Enable         bool
	HealthyPercent *int
	Cleanup        string // BLOCKING or DEFERRED
}

// Kinds of hooks.
const (
	HookLambda = "AWS_LAMBDA"
	HookPause  = "PAUSE"
)

// Actions of hooks, and of who answers them.
const (
	Continue = "CONTINUE"
	Rollback = "ROLLBACK"
)

// Hook runs, or waits for a person, at stages of a rollout.
type Hook struct {
	Type    string // HookLambda or HookPause
	Target  string // ARN of the function; empty for a pause
	Role    string
	Stages  []Stage
	Details []byte // JSON that the function gets; nil for none
	// TimeoutMinutes and TimeoutAction are what happens to one that nobody
	// answers; 0 and empty when not given.
	TimeoutMinutes int
	TimeoutAction  string
}

// Timeout of the hook: a day unless it says otherwise.
func (h *Hook) Timeout() time.Duration {
	if h.TimeoutMinutes == 0 {
		return 24 * time.Hour
	}
	return time.Duration(h.TimeoutMinutes) * time.Minute
}

// OnTimeout is what happens then: a rollback unless it says otherwise.
func (h *Hook) OnTimeout() string {
	if h.TimeoutAction == "" {
		return Rollback
	}
	return h.TimeoutAction
}

// Defaults of a circuit breaker's threshold.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
const (
	thresholdPercent = 50
	thresholdMin     = 3
	thresholdMax     = 200
)

// Limit is how many failures of a service of so many tasks open the breaker.
func (b *Breaker) Limit(desired int) int {
	t := Threshold{Type: ThresholdBounded, Value: thresholdPercent}
	if b.Threshold != nil {
		t = *b.Threshold
	}
	if t.Type == ThresholdCount {
		return max(1, t.Value)
	}
	limit := (desired*t.Value + 99) / 100
	if t.Type == ThresholdBounded {
		return min(max(limit, thresholdMin), thresholdMax)
	}
	return max(1, limit)
}
