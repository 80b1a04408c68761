package acs

// Metadata heads each TCS publication.
type Metadata struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	MessageID         string `json:"messageId,omitempty"`
	RequestID         string `json:"requestId,omitempty"`
	Idle              bool   `json:"idle,omitempty"`
	Fin               bool   `json:"fin,omitempty"`
}

// PublishMetrics carries the use of resources since the last one. At most ten
// tasks a frame; the last frame of a round has Fin.
type PublishMetrics struct {
	Metadata    Metadata     `json:"metadata"`
	TaskMetrics []TaskMetric `json:"taskMetrics,omitempty"`
	Timestamp   float64      `json:"timestamp"` // Unix seconds
}

// TaskMetric is the use of one task.
type TaskMetric struct {
	TaskARN               string            `json:"taskArn"`
	ClusterARN            string            `json:"clusterArn,omitempty"`
	TaskDefinitionFamily  string            `json:"taskDefinitionFamily"`
	TaskDefinitionVersion string            `json:"taskDefinitionVersion"`
	ContainerMetrics      []ContainerMetric `json:"containerMetrics"`
}

// ContainerMetric is the use of one container.
type ContainerMetric struct {
	ContainerName string    `json:"containerName"`
	ContainerARN  string    `json:"containerArn,omitempty"`
	CPU           *StatsSet `json:"cpuStatsSet,omitempty"`    // percent of one core
	Memory        *StatsSet `json:"memoryStatsSet,omitempty"` // MiB
}

// StatsSet sums samples.
type StatsSet struct {
	Min         float64 `json:"min"`
	Max         float64 `json:"max"`
	SampleCount int     `json:"sampleCount"`
	Sum         float64 `json:"sum"`
}

// PublishHealth carries the health of containers that have a health check.
type PublishHealth struct {
	Metadata  Metadata     `json:"metadata"`
	Tasks     []TaskHealth `json:"tasks"`
	Timestamp float64      `json:"timestamp"`
}

// TaskHealth is the health of one task's containers.
type TaskHealth struct {
	TaskARN               string            `json:"taskArn"`
	TaskDefinitionFamily  string            `json:"taskDefinitionFamily"`
	TaskDefinitionVersion string            `json:"taskDefinitionVersion"`
	Containers            []ContainerHealth `json:"containers"`
}

// ContainerHealth is the health of one container since a time (Unix seconds).
type ContainerHealth struct {
	ContainerName string  `json:"containerName"`
	HealthStatus  string  `json:"healthStatus"`
	StatusSince   float64 `json:"statusSince"`
}

// PublishInstanceStatus carries the health of the instance itself.
type PublishInstanceStatus struct {
	Metadata  Metadata         `json:"metadata"`
	Statuses  []InstanceStatus `json:"statuses"`
	Timestamp float64          `json:"timestamp"`
}

// InstanceStatus is one check of an instance.
type InstanceStatus struct {
	Type             string  `json:"type"`   // ContainerRuntime
	Status           string  `json:"status"` // OK, IMPAIRED, INITIALIZING, INSUFFICIENT_DATA
	LastUpdated      float64 `json:"lastUpdated"`
	LastStatusChange float64 `json:"lastStatusChange"`
}
