// Package service holds services: what is asked of them, their revisions, and the
// arithmetic of moving from one revision to the next.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html
//
// Two things are called deployment in ECS. A Deployment here is an entry of
// DescribeServices' deployments: the tasks of one revision, with an id of the form
// ecs-svc/NUMBER that is the startedBy of those tasks. A Rollout is what the API
// calls a service deployment: one move from the revisions that run to another.
package service

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// Status is the life of a service.
type Status string

// Statuses of a service.
const (
	Active   Status = "ACTIVE"
	Draining Status = "DRAINING" // deleted; its tasks are stopping
	Inactive Status = "INACTIVE" // gone; described for a while
)

// Scheduling says how many tasks are wanted.
type Scheduling string

// Scheduling strategies.
const (
	Replica Scheduling = "REPLICA"
	Daemon  Scheduling = "DAEMON" // one on each instance
)

// Controller says who moves a service from one revision to the next.
type Controller string

// Deployment controllers.
const (
	ControllerECS        Controller = "ECS"
	ControllerCodeDeploy Controller = "CODE_DEPLOY" // by task sets
	ControllerExternal   Controller = "EXTERNAL"    // by task sets
)

// Values of settings that are on or off, as the API names them.
const (
	Enabled  = "ENABLED"
	Disabled = "DISABLED"
)

// Service is the stored record of a service. The API writes Spec and Tags and, when
// it begins a rollout or ends the service, the first state of Deployments and
// Rollout; from then on those and Status are the planner's.
type Service struct {
	Scope      arn.Scope
	ARN        string // primary key
	Name       string
	ClusterARN string
	CreatedAt  time.Time
	CreatedBy  string // ARN of the principal
	Tags       []workload.Tag

	Status      Status
	Spec        Spec
	Deployments []Deployment // the primary one first, then the older ones, newest first
	Rollout     string       // ARN of the service deployment under way; empty when none is
	LastRollout string       // ARN of the newest service deployment; empty before the first
	Good        *Good        // nil before the first deployment is completed
	// Steady is true from the moment the service is as it is wanted until it is
	// not any more: its event is said once.
	Steady bool
	// Asleep is true from when a service has no tasks because nobody asks, until one
	// is healthy again; the planner then also sets Spec.Desired.
	Asleep   bool
	Moving   *Moving   // nil while no task is moved between zones
	Notices  []Notice  // what was said lately and is not said again for a while
	EndedAt  time.Time // when it became INACTIVE
	Sequence int64     // of events and tasks: numbers given out so far
	Version  int64     // rises with each change
}

// Spec is what is asked of a service now.
type Spec struct {
	Desired       int // tasks; of a DAEMON service what the planner last counted
	Scheduling    Scheduling
	Controller    Controller
	Revision      string // ARN of the revision asked for last; empty with task sets
	Template      Template
	Configuration Configuration
	Constraints   []workload.Constraint
	Strategy      []workload.Strategy

	Rebalancing      string // Enabled, Disabled or empty
	HealthCheckGrace *int   // seconds; nil when not given
	PropagateTags    string // NONE, SERVICE, TASK_DEFINITION or empty
	ManagedTags      bool
	ExecuteCommand   bool
	Role             string // ARN; empty when none was given
	// ManagedBy is "ECS" for the service of an Express gateway service, else empty.
	ManagedBy string
}

// Deployment is the tasks that were started for one revision of a service.
type Deployment struct {
	ID          string // "ecs-svc/NUMBER", the startedBy of its tasks
	RevisionARN string
	Status      DeploymentStatus
	State       RolloutState
	Reason      string    // of State, in AWS's words
	Want        int       // tasks it is to have at the moment
	Failed      int       // tasks in a row that failed to start or to become healthy
	FailedAt    time.Time // when the last task failed or ended soon
	// Pause is how long to wait after tasks that failed or ended soon; it grows
	// while they go on to, and is over at RetryAt.
	Pause       time.Duration
	RetryAt     time.Time
	Traffic     float64 // percent of the production traffic it is to get
	TestTraffic float64 // percent of the test traffic
	// Alternate is true of every other deployment that shifts traffic: its tasks are
	// in the alternate target groups.
	Alternate   bool
	CreatedAt   time.Time
	UpdatedAt   time.Time
	CompletedAt time.Time // when it was as wanted for the first time; zero before
}

// DeploymentStatus tells the newest deployment from the older ones.
type DeploymentStatus string

// Statuses of a deployment.
const (
	Primary DeploymentStatus = "PRIMARY"
	Older   DeploymentStatus = "ACTIVE"
)

// RolloutState is how far a deployment has come.
type RolloutState string

// States of a deployment.
const (
	InProgress RolloutState = "IN_PROGRESS"
	Completed  RolloutState = "COMPLETED"
	Failed     RolloutState = "FAILED"
)

// Notice remembers that something was said, so that it is not said again while it
// goes on.
type Notice struct {
	Key string
	At  time.Time
}

// Event is something that was said about a service: a line of its event log, an
// EventBridge event, or both.
type Event struct {
	ServiceARN   string
	Sequence     int64
	ID           string // uuid
	At           time.Time
	Message      string // of the event log; empty for none
	Name         string // EventBridge's eventName; empty for none
	Reason       string // of Name
	DeploymentID string // of deployment events
}

// Moving is a task on its way from one Availability Zone to another: the one that
// was started in place of one that is yet to be stopped.
type Moving struct {
	Task string // ARN of the one that was started
	Zone string // where
}

// Good is the newest deployment that was completed: where a rollback goes.
type Good struct {
	DeploymentID string
	RevisionARN  string
	Alternate    bool // as the deployment's
}

// IDPrefix begins the id of a deployment, before its number.
const IDPrefix = "ecs-svc/"

// Group is what the tasks of the named service say as their group.
func Group(name string) string { return GroupPrefix + name }

// GroupPrefix begins the group of the tasks of a service.
const GroupPrefix = "service:"

// Primary is the newest deployment; nil when there is none.
func (s *Service) Primary() *Deployment {
	for i := range s.Deployments {
		if s.Deployments[i].Status == Primary {
			return &s.Deployments[i]
		}
	}
	return nil
}

// Deployment finds an entry by id; nil when it is not there.
func (s *Service) Deployment(id string) *Deployment {
	for i := range s.Deployments {
		if s.Deployments[i].ID == id {
			return &s.Deployments[i]
		}
	}
	return nil
}
