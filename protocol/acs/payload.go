package acs

import "github.com/berthhq/berth/domain/task"

// Payload starts and stops tasks. SeqNum rises for each payload of an instance
// and is at least the time in Unix nanoseconds, so that a restored store is never
// below an agent's memory.
type Payload struct {
	MessageID            string `json:"messageId"`
	ClusterARN           string `json:"clusterArn"`
	ContainerInstanceARN string `json:"containerInstanceArn"`
	SeqNum               int64  `json:"seqNum"`
	GeneratedAt          int64  `json:"generatedAt"`
	Tasks                []Task `json:"tasks"`
}

// Task is one task of a payload in the official dialect. DesiredStatus STOPPED
// for a known ARN stops it.
type Task struct {
	ARN                      string           `json:"arn"`
	TaskClusterARN           string           `json:"taskClusterArn"`
	Family                   string           `json:"family"`
	Version                  string           `json:"version"`
	DesiredStatus            string           `json:"desiredStatus"`
	Overrides                string           `json:"overrides"` // JSON text
	Containers               []Container      `json:"containers"`
	Volumes                  []Volume         `json:"volumes"`
	NetworkMode              string           `json:"networkMode"`
	LaunchType               string           `json:"launchType"`
	TaskDefinitionAccountID  string           `json:"taskDefinitionAccountId"`
	Group                    string           `json:"group,omitempty"`
	ServiceName              string           `json:"serviceName,omitempty"`
	RoleCredentials          *RoleCredentials `json:"roleCredentials,omitempty"`
	ExecutionRoleCredentials *RoleCredentials `json:"executionRoleCredentials,omitempty"`
	CPU                      float64          `json:"cpu,omitempty"`    // vCPU
	Memory                   int              `json:"memory,omitempty"` // MiB
	PIDMode                  string           `json:"pidMode,omitempty"`
	IPCMode                  string           `json:"ipcMode,omitempty"`
	Associations             []Association    `json:"associations,omitempty"`

	// Berth is the whole order for our own agent; nil for the official one.
	Berth *task.Order `json:"berth,omitempty"`
}

// RoleCredentials are a role's keys. Expiration is RFC 3339.
type RoleCredentials struct {
	CredentialsID   string `json:"credentialsId"`
	RoleARN         string `json:"roleArn"`
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
	Expiration      string `json:"expiration"`
}

// Container is one container of a task in the official dialect.
type Container struct {
	Name             string            `json:"name"`
	Image            string            `json:"image"`
	Essential        bool              `json:"essential"`
	CPU              int               `json:"cpu"`
	Memory           int               `json:"memory"`
	Command          []string          `json:"command,omitempty"`
	EntryPoint       []string          `json:"entryPoint,omitempty"`
	Environment      map[string]string `json:"environment"`
	PortMappings     []PortMapping     `json:"portMappings"`
	MountPoints      []MountPoint      `json:"mountPoints"`
	VolumesFrom      []VolumeFrom      `json:"volumesFrom"`
	Links            []string          `json:"links"`
	Overrides        string            `json:"overrides"` // JSON text
	DependsOn        []DependsOn       `json:"dependsOn,omitempty"`
	HealthCheckType  string            `json:"healthCheckType,omitempty"` // "docker"
	Secrets          []Secret          `json:"secrets,omitempty"`
	LogsAuthStrategy string            `json:"logsAuthStrategy,omitempty"` // "ExecutionRole"
	StartTimeout     int               `json:"startTimeout,omitempty"`
	StopTimeout      int               `json:"stopTimeout,omitempty"`
	RestartPolicy    *RestartPolicy    `json:"restartPolicy,omitempty"`
	ContainerARN     string            `json:"containerArn"`
	DockerConfig     DockerConfig      `json:"dockerConfig"`

	RegistryAuthentication *RegistryAuthentication `json:"registryAuthentication,omitempty"`
}

// PortMapping of the official dialect. HostPort 0 lets the agent choose.
type PortMapping struct {
	ContainerPort      int    `json:"containerPort,omitempty"`
	HostPort           int    `json:"hostPort"`
	Protocol           string `json:"protocol"`
	ContainerPortRange string `json:"containerPortRange,omitempty"`
}

// MountPoint of the official dialect.
type MountPoint struct {
	SourceVolume  string `json:"sourceVolume"`
	ContainerPath string `json:"containerPath"`
	ReadOnly      bool   `json:"readOnly"`
}

// VolumeFrom of the official dialect.
type VolumeFrom struct {
	SourceContainer string `json:"sourceContainer"`
	ReadOnly        bool   `json:"readOnly"`
}

// DependsOn of the official dialect.
type DependsOn struct {
	ContainerName string `json:"containerName"`
	Condition     string `json:"condition"`
}

// Secret tells the agent where to fetch a value.
type Secret struct {
	Name          string `json:"name"`
	ValueFrom     string `json:"valueFrom"`
	Region        string `json:"region"`
	ContainerPath string `json:"containerPath,omitempty"`
	Type          string `json:"type"`     // ENVIRONMENT_VARIABLE, MOUNT_POINT, BOOTSTRAP
	Provider      string `json:"provider"` // ssm or asm
	Target        string `json:"target,omitempty"`
}

// RestartPolicy of the official dialect.
type RestartPolicy struct {
	Enabled              bool  `json:"enabled"`
	IgnoredExitCodes     []int `json:"ignoredExitCodes,omitempty"`
	RestartAttemptPeriod int   `json:"restartAttemptPeriod,omitempty"`
}

// DockerConfig carries Docker Engine API JSON as text: log configuration, health
// check, user, ulimits, capabilities and the like.
type DockerConfig struct {
	Config     string `json:"config"`
	HostConfig string `json:"hostConfig"`
	Version    string `json:"version"`
}

// RegistryAuthentication tells the agent how to log in to a registry.
type RegistryAuthentication struct {
	Type string   `json:"type"` // "ecr" or "asm"
	ECR  *ECRAuth `json:"ecrAuthData,omitempty"`
}

// ECRAuth is how to get an ECR token.
type ECRAuth struct {
	RegistryID       string `json:"registryId"`
	Region           string `json:"region"`
	EndpointOverride string `json:"endpointOverride,omitempty"`
	UseExecutionRole bool   `json:"useExecutionRole"`
}

// Volume of the official dialect.
type Volume struct {
	Name   string        `json:"name"`
	Type   string        `json:"type"` // "host" or "docker"
	Host   *HostVolume   `json:"host,omitempty"`
	Docker *DockerVolume `json:"dockerVolumeConfiguration,omitempty"`
}

// HostVolume of the official dialect; an empty path is a directory of the task's.
type HostVolume struct {
	SourcePath string `json:"sourcePath,omitempty"`
}

// DockerVolume of the official dialect.
type DockerVolume struct {
	Scope         string            `json:"scope"`
	Autoprovision bool              `json:"autoprovision"`
	Driver        string            `json:"driver,omitempty"`
	DriverOpts    map[string]string `json:"driverOpts,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
}

// Association gives a device to containers.
type Association struct {
	Type       string   `json:"type"` // "gpu"
	Name       string   `json:"name"`
	Containers []string `json:"containers"`
}
