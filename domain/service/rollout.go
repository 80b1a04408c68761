package service

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// RolloutStatus is the status of a service deployment.
type RolloutStatus string

// Statuses of a service deployment.
const (
	Pending            RolloutStatus = "PENDING"
	RolloutInProgress  RolloutStatus = "IN_PROGRESS"
	Successful         RolloutStatus = "SUCCESSFUL"
	Stopped            RolloutStatus = "STOPPED"
	StopRequested      RolloutStatus = "STOP_REQUESTED"
	RollbackRequested  RolloutStatus = "ROLLBACK_REQUESTED"
	RollbackInProgress RolloutStatus = "ROLLBACK_IN_PROGRESS"
	RollbackSuccessful RolloutStatus = "ROLLBACK_SUCCESSFUL"
	RollbackFailed     RolloutStatus = "ROLLBACK_FAILED"
)

// Over tells whether nothing will happen to the rollout any more.
func (s RolloutStatus) Over() bool {
	switch s {
	case Successful, Stopped, RollbackSuccessful, RollbackFailed:
		return true
	}
	return false
}

// Stage is where a rollout with traffic shifting is.
type Stage string

// Lifecycle stages, in order.
const (
	ReconcileService     Stage = "RECONCILE_SERVICE"
	PreScaleUp           Stage = "PRE_SCALE_UP"
	ScaleUp              Stage = "SCALE_UP"
	PostScaleUp          Stage = "POST_SCALE_UP"
	TestTrafficShift     Stage = "TEST_TRAFFIC_SHIFT"
	PostTestTrafficShift Stage = "POST_TEST_TRAFFIC_SHIFT"
	PreProductionShift   Stage = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	ProductionShift      Stage = "PRODUCTION_TRAFFIC_SHIFT"
	PostProductionShift  Stage = "POST_PRODUCTION_TRAFFIC_SHIFT"
	BakeTime             Stage = "BAKE_TIME"
	CleanUp              Stage = "CLEAN_UP"
)

// MonitorStatus is what a breaker or the alarms of a rollout have seen.
type MonitorStatus string

// Statuses of monitors.
const (
	MonitorTriggered  MonitorStatus = "TRIGGERED"
	MonitorMonitoring MonitorStatus = "MONITORING"
	MonitorComplete   MonitorStatus = "MONITORING_COMPLETE"
	MonitorDisabled   MonitorStatus = "DISABLED"
)

// Rollout is one service deployment. The API makes it, asks it to stop and answers
// its hooks; everything else the planner writes.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
type Rollout struct {
	Scope      arn.Scope
	ARN        string // primary key
	ServiceARN string
	ClusterARN string
	// DeploymentID is the entry of the service's deployments that it brings up.
	DeploymentID string
	Target       string   // ARN of the revision
	Sources      []Source // what ran before

	Configuration Configuration
	Status        RolloutStatus
	Reason        string
	Stage         Stage     // empty in a rolling rollout without hooks
	StageSince    time.Time // when Stage began
	Blue          string    // id of the deployment that traffic moves from; empty without one, or without stages
	Hooks         []HookRun // of the present stage
	StableSince   time.Time // when the target was first as wanted, with nothing else left: baking begins

	BackTo      string // ARN of the revision a rollback goes to; empty without one
	BackReason  string
	BackSince   time.Time
	Breaker     MonitorStatus
	Failures    int // of the target's tasks, as its deployment counts them
	AlarmStatus MonitorStatus
	Triggered   []string // alarms
	// Secrets are the versions that what the target names in confidence had when
	// the rollout began or, of what was not there yet, when it came.
	Secrets []SecretVersion

	CreatedAt, StartedAt, UpdatedAt, StoppedAt, FinishedAt time.Time
}

// SecretVersion is a version of a secret or parameter that tasks are told.
type SecretVersion struct {
	ARN     string
	Stage   string // that it has; empty for the newest one of a parameter
	Version string // id, or a parameter's number
}

// Source is a revision that ran when a rollout began.
type Source struct {
	RevisionARN  string
	DeploymentID string
}

// Counts of the tasks of a deployment.
type Counts struct {
	Running, Pending int
}

// HookRun is a hook under way or answered. The planner makes it and ends one that
// expires; who answers it writes Status, and what is said of the next call.
type HookRun struct {
	ID        string
	Hook      int // place in the configuration's list
	Status    HookStatus
	StartedAt time.Time
	ExpiresAt time.Time
	// NextCallAt is when the function is due; it stays so until its answer is
	// written, so that a call whose answer is lost is made again.
	NextCallAt time.Time
	Missed     int    // calls in a row that reached nobody
	Details    []byte // JSON that the function gave for its next call; nil for none
	Reason     string // why it failed without an answer; empty otherwise
}

// HookStatus is how a hook stands.
type HookStatus string

// Statuses of hooks.
const (
	HookAwaiting   HookStatus = "AWAITING_ACTION"
	HookInProgress HookStatus = "IN_PROGRESS"
	HookSucceeded  HookStatus = "SUCCEEDED"
	HookFailed     HookStatus = "FAILED"
	HookTimedOut   HookStatus = "TIMED_OUT"
)

// Open tells whether the hook is still to be answered.
func (s HookStatus) Open() bool { return s == HookAwaiting || s == HookInProgress }
