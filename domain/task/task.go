package task

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/workload"
)

// Task is the stored record of a task. Each part has one writer, named beside it;
// nobody else changes it. LastStatus is derived, never stored.
type Task struct {
	Scope arn.Scope
	ARN   string // primary key
	ID    string // 32 hex digits

	Spec        Spec         // RunTask, StartTask or the rollout; written once
	Desired     Desired      // the servers
	Assignment  *Assignment  // placement; nil until placed
	Observed    Observed     // the agent, through dispatch
	Attachments []Attachment // attach
	Registered  Registration // attach

	// Noted is set by the planner once a stopped task of a service or daemon has been
	// counted and talked about.
	Noted bool
	// ProtectedUntil shields a task of a service from being stopped by a scale-in
	// or a deployment; zero for not at all. UpdateTaskProtection writes it.
	ProtectedUntil time.Time

	Version   int64 // rises with each change
	CreatedAt time.Time
	Tags      []workload.Tag
}

// Spec is what was asked for.
type Spec struct {
	ClusterARN           string
	DefinitionARN        string
	LaunchType           workload.LaunchType
	Group                string
	StartedBy            string
	Overrides            Overrides
	NetworkConfiguration *NetworkConfiguration // nil outside awsvpc
	PlatformVersion      string                // Fargate; "1.4.0" when LATEST was asked for
	PlatformFamily       string                // Fargate: "Linux"
	CapacityProvider     string                // empty when launched by type
	EnableExecuteCommand bool
	EnableECSManagedTags bool
	Constraints          []workload.Constraint // those of the call; the definition's apply too
	Strategy             []workload.Strategy
	EphemeralStorageGiB  int // 0 when not given
	ReferenceID          string

	// CPU and Memory are the task's size as shown: the override's, else the
	// definition's. Empty when neither gives one.
	CPU    string
	Memory string

	// Containers are the ids given to the containers at creation, in
	// definition order: the last part of each container's ARN.
	Containers []ContainerID
	// Digests fix the images of containers that a service's revision has resolved;
	// the others run what their tag means on the day.
	Digests []ImageDigest
	// Links are what it is registered with while it runs.
	Links []Link
	// Namespace is the id of the Cloud Map namespace whose services it calls by Service
	// Connect; empty for none.
	Namespace string
}

// ImageDigest fixes the image of a container.
type ImageDigest struct {
	Container string
	Digest    string // "sha256:..."
}

// ContainerID names a container of a task.
type ContainerID struct {
	Name string
	ID   string // uuid
}

// NetworkConfiguration is the awsvpc configuration of a task.
type NetworkConfiguration struct {
	Subnets        []string
	SecurityGroups []string
	AssignPublicIP string // "ENABLED" or "DISABLED"
}

// Public tells whether the task is assigned a public address; nil is not.
func (c *NetworkConfiguration) Public() bool { return c != nil && c.AssignPublicIP == "ENABLED" }

// Overrides are what RunTask changes in the definition.
type Overrides struct {
	Containers            []ContainerOverride
	CPU                   string
	Memory                string
	TaskRoleARN           string
	ExecutionRoleARN      string
	EphemeralStorageGiB   int
	InferenceAccelerators []workload.InferenceAccelerator
}

// ContainerOverride changes one container. nil means unchanged; an empty,
// non-nil command is what the caller gave.
type ContainerOverride struct {
	Name                 string
	Command              []string
	Environment          []workload.KeyValue
	EnvironmentFiles     []workload.EnvironmentFile
	CPU                  *int
	Memory               *int
	MemoryReservation    *int
	ResourceRequirements []workload.ResourceRequirement
}

// Desired is what the servers want of the task: RUNNING, then STOPPED for good.
type Desired struct {
	Status        Status // Running or Stopped
	StopCode      string // set with Stopped; the agent's own reason wins when it stopped first
	StoppedReason string
	StoppingAt    time.Time // when Stopped was first wanted
}

// Assignment is where the task was placed.
type Assignment struct {
	InstanceARN string
	At          time.Time
	Held        cluster.Held // taken from the instance's ledger, given back at the end
	InterfaceID string       // of the leased interface; empty outside awsvpc
	// Released is true once Held went back to the instance: the agent said that
	// the task is gone, or the instance is.
	Released bool
}

// Observed is what the agent last said of the task.
type Observed struct {
	Status                                                                 Status // 0 before the first word, then Pending, Running or Stopped
	Containers                                                             []Container
	PullStartedAt, PullStoppedAt, StartedAt, ExecutionStoppedAt, StoppedAt time.Time
	StopCode                                                               string
	StoppedReason                                                          string
	ConnectivityAt                                                         time.Time // when an agent first knew of the task
	Acknowledged                                                           bool      // the agent has the order
}

// Container is what the agent last said of one container.
type Container struct {
	Name         string
	Status       string // PENDING, RUNNING or STOPPED
	RuntimeID    string
	ImageDigest  string
	ExitCode     *int
	Reason       string
	Health       Health // empty when it has no health check
	HealthSince  time.Time
	Bindings     []Binding
	GPUs         []string
	RestartCount int
}

// Binding is a published port.
type Binding struct {
	BindIP             string
	ContainerPort      int
	HostPort           int
	Protocol           string
	ContainerPortRange string // set instead of the two ports for a range
	HostPortRange      string
}

// Attachment is a network interface (or later a volume) of the task as
// DescribeTasks shows it.
type Attachment struct {
	ID      string // uuid
	Type    string // "ElasticNetworkInterface"
	Status  string // AttachmentAttaching, then AttachmentDeleted; see AttachmentStatus
	Details []workload.KeyValue
}

// New makes a task that is wanted running. containerID gives ids to its
// containers.
func New(scope arn.Scope, clusterName, id string, spec Spec, def *workload.Definition, containerID func() string, now time.Time) *Task {
	t := &Task{
		Scope: scope, ARN: scope.Task(clusterName, id), ID: id, Spec: spec,
		Desired: Desired{Status: Running}, Version: 1, CreatedAt: now,
	}
	t.Spec.Containers = make([]ContainerID, len(def.Containers))
	for i := range def.Containers {
		t.Spec.Containers[i] = ContainerID{Name: def.Containers[i].Name, ID: containerID()}
	}
	return t
}

// Statuses of an attachment. Attached is derived: what a task was given is in its
// place once it runs.
const (
	AttachmentAttaching = "ATTACHING"
	AttachmentAttached  = "ATTACHED"
	AttachmentDeleted   = "DELETED"
)

// AttachmentStatus is the status as shown.
func (t *Task) AttachmentStatus(a *Attachment) string {
	if a.Status == AttachmentAttaching && (t.Observed.Status == Running || !t.Observed.StartedAt.IsZero()) {
		return AttachmentAttached
	}
	return a.Status
}

// LastStatus derives what DescribeTasks calls lastStatus.
func (t *Task) LastStatus() Status {
	o := t.Observed.Status
	switch {
	case t.Assignment == nil && t.Desired.Status == Stopped:
		return Stopped
	case t.Assignment == nil:
		return Provisioning
	case o == Stopped && !t.Assignment.Released:
		return Deprovisioning
	case o == Stopped:
		return Stopped
	case t.Desired.Status == Stopped && t.Assignment.Released:
		return Stopped // the instance is gone, and with it the agent's last word
	case t.Served():
		return Deactivating
	case t.Desired.Status == Stopped:
		return Stopping
	case o == Running && t.linking():
		return Activating
	case o == Running:
		return Running
	}
	return Pending
}

// StopCode and reason as shown: the first cause wins. What the agent reports
// counts unless the servers had asked for the stop before.
func (t *Task) stopped() (code, reason string) {
	if t.Desired.Status == Stopped && t.Desired.StoppedReason != "" {
		return t.Desired.StopCode, t.Desired.StoppedReason
	}
	return t.Observed.StopCode, t.Observed.StoppedReason
}

// StopCode is the shown stop code; empty while nothing has stopped the task.
func (t *Task) StopCode() string { code, _ := t.stopped(); return code }

// StoppedReason is the shown reason; empty while nothing has stopped the task.
func (t *Task) StoppedReason() string { _, reason := t.stopped(); return reason }

// StoppingAt is when the task began to stop: when the servers wanted it to, else
// when it ended by itself. Zero while neither is so.
func (t *Task) StoppingAt() time.Time {
	switch {
	case t.Desired.Status == Stopped:
		return t.Desired.StoppingAt
	case t.Observed.ExecutionStoppedAt.IsZero():
		return t.Observed.StoppedAt
	}
	return t.Observed.ExecutionStoppedAt
}

// DesiredStatus as shown. A task whose essential container ended on its own is
// wanted STOPPED from then on.
func (t *Task) DesiredStatus() Status {
	if t.Observed.Status == Stopped {
		return Stopped
	}
	return t.Desired.Status
}

// Connectivity as shown: CONNECTED once an agent has the task.
func (t *Task) Connectivity() string {
	if t.Observed.ConnectivityAt.IsZero() {
		return ""
	}
	return "CONNECTED"
}

// Checked tells whether an essential container has a health check.
func (t *Task) Checked(essential func(name string) bool) bool {
	return slices.ContainsFunc(t.Observed.Containers, func(c Container) bool { return c.Health != "" && essential(c.Name) })
}

// Health of the task: UNHEALTHY if any essential container with a health check is,
// HEALTHY if all are, else UNKNOWN.
func (t *Task) Health(essential func(name string) bool) Health {
	checked, healthy := 0, 0
	for _, c := range t.Observed.Containers {
		if c.Health == "" || !essential(c.Name) {
			continue
		}
		checked++
		switch c.Health {
		case Unhealthy:
			return Unhealthy
		case Healthy:
			healthy++
		}
	}
	if checked > 0 && checked == healthy {
		return Healthy
	}
	return UnknownHealth
}
