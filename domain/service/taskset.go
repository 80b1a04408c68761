package service

import (
	"math"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// TaskSet is a deployment of a service whose deployments somebody else leads: by
// the controllers CODE_DEPLOY and EXTERNAL. The API writes what is asked of it, its
// Deployment.Status included; the rest of Deployment, Steady and SteadyAt are the
// planner's. Whoever writes one raises the Version of its service.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
type TaskSet struct {
	Scope      arn.Scope
	ARN        string // primary key
	ServiceARN string
	ClusterARN string
	ExternalID string  // empty when none was given
	Token      string  // clientToken of the request that made it; empty without
	Scale      float64 // percent of the service's desired count
	Tags       []workload.Tag

	// Deployment is its tasks. Want is the computed desired count; State and
	// Reason stay empty, as nothing here decides whether a task set succeeds.
	Deployment Deployment
	Steady     bool
	SteadyAt   time.Time // since when Steady is what it is
}

// Leaving is the status of a deleted task set while its tasks are stopped.
const Leaving DeploymentStatus = "DRAINING"

// Share is how many tasks the set is to have of a service's, rounded up.
func (s *TaskSet) Share(desired int) int {
	if s.Deployment.Status == Leaving {
		return 0
	}
	return int(math.Ceil(float64(desired) * s.Scale / 100))
}

// BySets tells whether the tasks of the service are those of its task sets.
func (s *Spec) BySets() bool { return s.Controller != ControllerECS }
