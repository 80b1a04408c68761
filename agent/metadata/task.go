package metadata

import (
	"time"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/task"
)

// Task is a task as its metadata shows it.
type Task struct {
	Order         *task.Order
	DesiredStatus string // RUNNING or STOPPED
	KnownStatus   string // NONE, PULLED, CREATED, RUNNING, STOPPED
	Zone          string
	Containers    []Container

	// Zero until they happen.
	PullStartedAt, PullStoppedAt, ExecutionStoppedAt time.Time

	Tags         map[string]string // nil when not known
	InstanceTags map[string]string
	StorageUsed  int64 // MiB of the ephemeral storage; Fargate only
}

// Container is a container as its metadata shows it.
type Container struct {
	Name          string
	RuntimeID     string
	RuntimeName   string
	Image         string
	ImageID       string // digest
	Labels        map[string]string
	DesiredStatus string
	KnownStatus   string
	ExitCode      *int
	CreatedAt     time.Time
	StartedAt     time.Time
	FinishedAt    time.Time
	Address       string // empty without an interface
	Bindings      []task.Binding
	Volumes       []Volume
	Health        *Health // nil without health check
	RestartCount  *int    // nil without restart policy
	LogDriver     string
	LogOptions    map[string]string
}

// Volume is a mount of a container.
type Volume struct{ Name, Source, Destination string }

// Health is the outcome of the last health check.
type Health struct {
	Status   string // HEALTHY, UNHEALTHY or UNKNOWN
	Since    time.Time
	ExitCode int
	Output   string
}

// Sample is what a container had used at one time.
type Sample struct {
	Usage    *cgroup.Usage
	Networks map[string]network.Counters // by interface name
	HostCPU  time.Duration               // used by all of the machine since boot
	Cores    int
}

func (t *Task) container(name string) *Container {
	for i := range t.Containers {
		if t.Containers[i].Name == name {
			return &t.Containers[i]
		}
	}
	return nil
}
