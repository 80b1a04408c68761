// Package workload holds what a user asks to run: task definitions, their
// containers and volumes, and the rules a definition must meet.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
package workload

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// LaunchType is where a task runs.
type LaunchType string

// Launch types of ECS.
const (
	EC2              LaunchType = "EC2"
	Fargate          LaunchType = "FARGATE"
	External         LaunchType = "EXTERNAL"
	ManagedInstances LaunchType = "MANAGED_INSTANCES"
)

// NetworkMode is the Docker networking mode of a task's containers.
type NetworkMode string

// Network modes. The empty mode means Bridge on Linux.
const (
	Bridge NetworkMode = "bridge"
	Host   NetworkMode = "host"
	AWSVPC NetworkMode = "awsvpc"
	None   NetworkMode = "none"
)

// DefinitionStatus is the life of a task definition revision.
type DefinitionStatus string

// Statuses of a revision.
const (
	Active           DefinitionStatus = "ACTIVE"
	Inactive         DefinitionStatus = "INACTIVE"
	DeleteInProgress DefinitionStatus = "DELETE_IN_PROGRESS"
)

// KeyValue is a named value: an environment variable, a sysctl, an option.
type KeyValue struct {
	Name  string
	Value string
}

// Definition is one revision of a task definition. It is written once at
// registration; only Status, DeregisteredAt and Tags change later.
type Definition struct {
	Scope    arn.Scope
	ARN      string // primary key
	Family   string
	Revision int
	Status   DefinitionStatus
	Daemon   bool // of a managed daemon

	TaskRoleARN      string
	ExecutionRoleARN string
	NetworkMode      NetworkMode // empty when the caller named none
	Containers       []Container
	Volumes          []Volume

	PlacementConstraints    []Constraint
	RequiresCompatibilities []LaunchType
	Compatibilities         []LaunchType // what the definition can run on; computed
	RequiresAttributes      []Attribute  // what an instance must have; computed

	CPU    string // task size as registered, in CPU units; empty when none
	Memory string // task size as registered, in MiB; empty when none

	PIDMode string
	IPCMode string

	ProxyConfiguration    *ProxyConfiguration
	InferenceAccelerators []InferenceAccelerator
	EphemeralStorageGiB   int // 0 when not given
	RuntimePlatform       *RuntimePlatform
	EnableFaultInjection  *bool
	RegisteredAt          time.Time
	RegisteredBy          string
	DeregisteredAt        time.Time // zero while ACTIVE
	DeleteRequestedAt     time.Time
	Tags                  []Tag
}

// Family remembers the highest revision ever given out, so that revisions of a
// family are never used twice.
type Family struct {
	Scope        arn.Scope
	Name         string
	LastRevision int
}

// Key is the family's primary key.
func (f *Family) Key() string { return FamilyKey(f.Scope, f.Name) }

// FamilyKey is the primary key of a family of a scope.
func FamilyKey(s arn.Scope, name string) string { return s.Account + "/" + s.Region + "/" + name }

// Attribute is a name and optional value an instance carries or a task needs.
type Attribute struct {
	Name       string
	Value      string
	TargetType string // "container-instance" or empty
	TargetID   string
}

// Constraint restricts where a task may be placed.
type Constraint struct {
	Type       string // "distinctInstance" or "memberOf"
	Expression string // cluster query language; for memberOf
}

// Strategy orders the instances a task may be placed on.
type Strategy struct {
	Type  string // "random", "spread" or "binpack"
	Field string
}

// RuntimePlatform is the operating system and architecture a task needs.
type RuntimePlatform struct {
	CPUArchitecture       string
	OperatingSystemFamily string
}

// ProxyConfiguration is App Mesh's; stored and echoed, without effect.
type ProxyConfiguration struct {
	Type          string
	ContainerName string
	Properties    []KeyValue
}

// InferenceAccelerator is Elastic Inference's, retired by AWS; stored and echoed.
type InferenceAccelerator struct {
	DeviceName string
	DeviceType string
}

// Volume is a task-level volume that containers mount by name.
type Volume struct {
	Name               string
	Host               *HostVolume
	Docker             *DockerVolume
	EFS                *EFSVolume
	FSx                *FSxVolume
	S3Files            *S3FilesVolume
	ConfiguredAtLaunch *bool
}

// HostVolume is a bind of the host's path, or an empty directory that lives as
// long as the task when SourcePath is empty.
type HostVolume struct{ SourcePath string }

// DockerVolume is a volume managed like Docker's.
type DockerVolume struct {
	Scope         string // "task" or "shared"
	Autoprovision *bool
	Driver        string
	DriverOpts    map[string]string
	Labels        map[string]string
}

// EFSVolume mounts an EFS file system.
type EFSVolume struct {
	FileSystemID          string
	RootDirectory         string
	TransitEncryption     string
	TransitEncryptionPort *int32
	Authorization         *EFSAuthorization
}

// EFSAuthorization is how an EFS mount proves who it is.
type EFSAuthorization struct {
	AccessPointID string
	IAM           string
}

// FSxVolume mounts an FSx for Windows file system; stored and refused at run.
type FSxVolume struct {
	FileSystemID         string
	RootDirectory        string
	CredentialsParameter string
	Domain               string
}

// S3FilesVolume mounts an S3 Files file system; stored and refused at run.
type S3FilesVolume struct {
	FileSystemARN         string
	AccessPointARN        string
	RootDirectory         string
	TransitEncryptionPort *int32
}
