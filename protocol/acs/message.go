package acs

import "github.com/berthhq/berth/domain/network"

// Heartbeat asks the agent for a sign of life.
type Heartbeat struct {
	MessageID string `json:"messageId"`
	Healthy   bool   `json:"healthy"`
}

// HeartbeatAck answers a heartbeat.
type HeartbeatAck struct {
	MessageID string `json:"messageId"`
}

// Ack confirms a message; the agent persists what it acknowledges first.
type Ack struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	MessageID         string `json:"messageId"`
}

// Nack refuses an update.
type Nack struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	MessageID         string `json:"messageId"`
	Reason            string `json:"reason"`
}

// Credentials refreshes the keys of one role of a task.
type Credentials struct {
	MessageID       string          `json:"messageId"`
	TaskARN         string          `json:"taskArn"`
	TaskClusterARN  string          `json:"taskClusterArn,omitempty"`
	RoleType        string          `json:"roleType"` // TaskApplication or TaskExecution
	RoleCredentials RoleCredentials `json:"roleCredentials"`
}

// InstanceCredentials gives the machine a session of its instance profile's role,
// which it shows at 169.254.169.254. Nothing but the session's own end ends it
// sooner, unless a message without keys follows: then the role is gone.
type InstanceCredentials struct {
	MessageID       string           `json:"messageId"`
	ProfileARN      string           `json:"profileArn"`
	RoleCredentials *RoleCredentials `json:"roleCredentials,omitempty"`
}

// NetworkStates are what the host must know of VPCs: those whose state differs from
// what this session sent before, each whole.
type NetworkStates struct {
	MessageID string          `json:"messageId"`
	States    []network.State `json:"states"`
	// Complete is true of the first of a session: the host has to do with no other VPCs.
	Complete bool `json:"complete,omitempty"`
}

// Roles of Credentials.RoleType.
const (
	RoleTaskApplication = "TaskApplication"
	RoleTaskExecution   = "TaskExecution"
)

// CredentialsAck confirms credentials.
type CredentialsAck struct {
	MessageID     string `json:"messageId"`
	CredentialsID string `json:"credentialsId"`
	Expiration    string `json:"expiration"`
}

// Manifest lists the tasks the instance should have; whatever else runs there is
// a candidate for stopping.
type Manifest struct {
	MessageID            string         `json:"messageId"`
	ClusterARN           string         `json:"clusterArn"`
	ContainerInstanceARN string         `json:"containerInstanceArn"`
	GeneratedAt          int64          `json:"generatedAt"`
	Timeline             int64          `json:"timeline"`
	Tasks                []TaskIdentity `json:"tasks"`
}

// TaskIdentity names a task and what is wanted of it.
type TaskIdentity struct {
	TaskARN        string `json:"taskArn"`
	TaskClusterARN string `json:"taskClusterArn"`
	DesiredStatus  string `json:"desiredStatus"`
}

// StopVerification asks whether tasks that are not in the manifest shall stop.
type StopVerification struct {
	MessageID      string         `json:"messageId"`
	StopCandidates []TaskIdentity `json:"stopCandidates"`
}

// StopVerificationAck confirms which of the candidates shall stop. MessageID is
// the manifest's.
type StopVerificationAck struct {
	MessageID   string         `json:"messageId"`
	GeneratedAt int64          `json:"generatedAt"`
	StopTasks   []TaskIdentity `json:"stopTasks"`
}

// Text is a message that carries only words: CloseMessage, ErrorMessage and the
// handshake refusals.
type Text struct {
	Message string `json:"message"`
}
