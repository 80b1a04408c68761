package cluster

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// InstanceStatus is the life of a container instance.
type InstanceStatus string

// Statuses of a container instance.
const (
	Registering        InstanceStatus = "REGISTERING"
	RegistrationFailed InstanceStatus = "REGISTRATION_FAILED"
	InstanceActive     InstanceStatus = "ACTIVE"
	Draining           InstanceStatus = "DRAINING"
	Deregistering      InstanceStatus = "DEREGISTERING"
	InstanceInactive   InstanceStatus = "INACTIVE" // deregistered; described for an hour
)

// Instance is one machine with an agent. It is a container instance of its
// cluster when OffersEC2, and capacity for Fargate tasks of any cluster when
// OffersFargate. An instance that does not offer EC2 is never shown.
//
// Writers: registration writes everything but Used, Connected* and Health;
// placement and release write Used; the session (dispatch) writes Connected*,
// Refused and Agent; UpdateContainerInstancesState writes Status.
type Instance struct {
	Scope        arn.Scope
	ARN          string // primary key
	ID           string // 32 hex digits
	ClusterARN   string
	EC2ID        string // "i-..."; shown as ec2InstanceId
	Status       InstanceStatus
	StatusReason string

	OffersEC2     bool
	OffersFargate bool
	// FargateCPUOvercommit divides the CPU a Fargate task takes from the
	// ledger; at least 1. Each task is still held to its own limit.
	FargateCPUOvercommit int

	Registered Resources // what the machine offers
	Used       Usage     // what placed tasks hold, both launch types together

	Attributes []workload.Attribute // sorted by name
	Agent      AgentVersion
	Zone       string // availability zone, from ecs.availability-zone
	Role       string // ARN of the instance role its keys belong to
	// Joined is true for a machine that got its agent's keys by a join token: those
	// alone speak for it.
	Joined bool
	BootID string // changes when the machine restarts

	Connected      bool // a session is open
	ConnectedAt    time.Time
	DisconnectedAt time.Time
	// Refused is why its agent may have no session, in words; empty while it may.
	Refused string
	Health  string // OK, IMPAIRED, INSUFFICIENT_DATA or INITIALIZING; empty before the first report

	RegisteredAt     time.Time
	DeregisteredAt   time.Time // zero while registered
	Version          int64
	Tags             []workload.Tag
	CapacityProvider string // name; empty when it belongs to none

	// ClientToken of the last registration, so that a repeated one answers the same.
	ClientToken string
}

// AgentVersion is what an agent says of itself.
type AgentVersion struct {
	Version       string
	Hash          string
	DockerVersion string
	UpdateStatus  string
}

// Placeable tells whether new tasks may come to the instance, and if not why,
// in the word AWS uses in failures.
func (i *Instance) Placeable() (ok bool, reason string) {
	switch {
	case i.Status != InstanceActive:
		return false, "INACTIVE"
	case !i.Connected:
		return false, "AGENT"
	}
	return true, ""
}

// Share is what a task that demands d takes of the instance: on Fargate its CPU
// is divided by the overcommit, rounded up.
func (i *Instance) Share(d Demand, fargate bool) Demand {
	if fargate {
		over := max(1, i.FargateCPUOvercommit)
		d.CPU = (d.CPU + over - 1) / over
	}
	return d
}

// Attribute finds an attribute by name.
func (i *Instance) Attribute(name string) (value string, ok bool) {
	for _, a := range i.Attributes {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}
