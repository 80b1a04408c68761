package workload

// Container is one container definition of a task definition. Optional numbers
// and booleans are pointers where AWS tells absent from zero in what it echoes;
// nil means the caller did not say.
type Container struct {
	Name      string
	Image     string
	Essential bool // true unless the caller said otherwise

	CPU               int  // CPU units; 0 when not given
	Memory            *int // hard limit, MiB
	MemoryReservation *int // soft limit, MiB

	Command          []string
	EntryPoint       []string
	Environment      []KeyValue
	EnvironmentFiles []EnvironmentFile
	Secrets          []Secret
	User             string
	WorkingDirectory string

	PortMappings      []PortMapping
	Links             []string
	Hostname          string
	DNSServers        []string
	DNSSearch         []string
	ExtraHosts        []HostEntry
	DisableNetworking *bool

	MountPoints []MountPoint
	VolumesFrom []VolumeFrom

	Privileged             *bool
	ReadonlyRootFilesystem *bool
	Interactive            *bool
	PseudoTerminal         *bool
	DockerSecurityOptions  []string
	DockerLabels           map[string]string
	Ulimits                []Ulimit
	SystemControls         []SystemControl
	Linux                  *LinuxParameters

	DependsOn     []Dependency
	StartTimeout  *int // seconds
	StopTimeout   *int // seconds
	RestartPolicy *RestartPolicy
	HealthCheck   *HealthCheck

	Log                   *LogConfiguration
	Firelens              *FirelensConfiguration
	RepositoryCredentials string // ARN of the secret; empty when none
	ResourceRequirements  []ResourceRequirement
	CredentialSpecs       []string
	VersionConsistency    string // "enabled", "disabled" or empty
}

// EnvironmentFile is a file in S3 with environment variables.
type EnvironmentFile struct {
	Value string
	Type  string
}

// Secret names where a value comes from at start.
type Secret struct {
	Name      string
	ValueFrom string
}

// PortMapping publishes a container's port.
type PortMapping struct {
	ContainerPort      int // 0 when a range is given
	HostPort           *int
	Protocol           string // "tcp" or "udp"
	Name               string
	AppProtocol        string
	ContainerPortRange string
}

// HostEntry is one line of the container's hosts file.
type HostEntry struct {
	Hostname  string
	IPAddress string
}

// MountPoint mounts a task volume in a container.
type MountPoint struct {
	SourceVolume  string
	ContainerPath string
	ReadOnly      *bool
}

// VolumeFrom mounts all volumes of another container of the task.
type VolumeFrom struct {
	SourceContainer string
	ReadOnly        *bool
}

// Ulimit is a resource limit of the container's processes.
type Ulimit struct {
	Name string
	Soft int64
	Hard int64
}

// SystemControl is a namespaced kernel parameter.
type SystemControl struct {
	Namespace string
	Value     string
}

// LinuxParameters are Linux-specific container options.
type LinuxParameters struct {
	Capabilities       *Capabilities
	Devices            []Device
	InitProcessEnabled *bool
	SharedMemorySize   *int // MiB
	Tmpfs              []Tmpfs
	MaxSwap            *int // MiB
	Swappiness         *int
}

// Capabilities are added to or dropped from Docker's default set.
type Capabilities struct {
	Add  []string
	Drop []string
}

// Device exposes a host device.
type Device struct {
	HostPath      string
	ContainerPath string
	Permissions   []string // "read", "write", "mknod"
}

// Tmpfs is a memory file system.
type Tmpfs struct {
	ContainerPath string
	Size          int // MiB
	MountOptions  []string
}

// Condition is what a container waits for in another.
type Condition string

// Conditions of dependsOn.
const (
	ConditionStart    Condition = "START"
	ConditionComplete Condition = "COMPLETE"
	ConditionSuccess  Condition = "SUCCESS"
	ConditionHealthy  Condition = "HEALTHY"
)

// Dependency makes a container wait for another.
type Dependency struct {
	ContainerName string
	Condition     Condition
}

// RestartPolicy restarts a container without restarting its task.
type RestartPolicy struct {
	Enabled              bool
	IgnoredExitCodes     []int
	RestartAttemptPeriod *int // seconds a container must run before it is restarted; AWS's default is 300
}

// HealthCheck is a command run in the container. Defaults are AWS's: interval 30,
// timeout 5, retries 3, no start period.
type HealthCheck struct {
	Command     []string // "CMD" or "CMD-SHELL" first
	Interval    *int     // seconds
	Timeout     *int     // seconds
	Retries     *int
	StartPeriod *int // seconds
}

// LogConfiguration is where a container's output goes.
type LogConfiguration struct {
	Driver        string
	Options       map[string]string
	SecretOptions []Secret
}

// FirelensConfiguration makes the container a log router.
type FirelensConfiguration struct {
	Type    string
	Options map[string]string
}

// ResourceRequirement asks for GPUs or inference accelerators.
type ResourceRequirement struct {
	Type  string // "GPU" or "InferenceAccelerator"
	Value string
}
