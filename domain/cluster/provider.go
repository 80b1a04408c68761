package cluster

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// ProviderKind is what a capacity provider gives.
type ProviderKind string

// Kinds of capacity providers.
const (
	AutoScalingProvider      ProviderKind = "EC2_AUTOSCALING"
	ManagedInstancesProvider ProviderKind = "MANAGED_INSTANCES"
)

// What became of the last change of a capacity provider.
const (
	ProviderCreated        = "CREATE_COMPLETE"
	ProviderUpdated        = "UPDATE_COMPLETE"
	ProviderDeleting       = "DELETE_IN_PROGRESS"
	ProviderDeleted        = "DELETE_COMPLETE"
	ProviderDeletionFailed = "DELETE_FAILED"
)

// CapacityProvider is where the tasks of a strategy find instances. An instance
// belongs to one when its agent says so and the provider is of its cluster.
//
// What a provider says of scaling is kept and shown, and has one effect: with
// managed scaling a task waits for an instance, without it finds one at once or
// none. No instance is started or ended yet, nor protected or drained.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/asg-capacity-providers.html
type CapacityProvider struct {
	Scope              arn.Scope
	ARN                string // primary key
	Name               string
	Kind               ProviderKind
	Status             string // Active, or Inactive once deleted
	UpdateStatus       string
	UpdateStatusReason string
	ClusterARN         string // the one cluster of managed instances; else empty

	AutoScaling *AutoScaling // set when Kind is AutoScalingProvider
	// ManagedInstances is the configuration of managed instances as it was given,
	// in JSON: it is shown, and nothing follows from it yet.
	ManagedInstances []byte

	// Ids of what a cluster shows as attached for the provider: its scaling policy
	// and its draining hook.
	ScalingID, DrainingID string
	Tags                  []workload.Tag
	CreatedAt             time.Time
}

// AutoScaling is a capacity provider's Auto Scaling group.
type AutoScaling struct {
	Group                        string // ARN or name
	ManagedScaling               ManagedScaling
	ManagedTerminationProtection string // ENABLED or DISABLED
	ManagedDraining              string // ENABLED or DISABLED
}

// ManagedScaling is how ECS is to scale the group. The numbers are 0 while it
// never was enabled.
type ManagedScaling struct {
	Status               string // ENABLED or DISABLED
	TargetCapacity       int    // percent
	MinimumStep          int    // instances
	MaximumStep          int    // instances
	InstanceWarmupPeriod int    // seconds
}

// Words for what is on and off.
const (
	Enabled  = "ENABLED"
	Disabled = "DISABLED"
)

// Waits tells whether the provider's tasks wait for an instance that is still to
// come. Those of others are placed when they are asked for, or not at all.
func (p *CapacityProvider) Waits() bool {
	return p.AutoScaling == nil || p.AutoScaling.ManagedScaling.Status == Enabled
}
