// Package cluster holds clusters, the instances in them and the arithmetic of
// what an instance has, uses and has left.
package cluster

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// Cluster statuses.
const (
	Active   = "ACTIVE"
	Inactive = "INACTIVE"
)

// Cluster is a named group of tasks and capacity.
type Cluster struct {
	Scope  arn.Scope
	ARN    string // primary key
	Name   string
	Status string

	Settings                []workload.KeyValue
	Configuration           *Configuration
	CapacityProviders       []string
	DefaultStrategy         []CapacityProviderStrategyItem
	ServiceConnectNamespace string // empty when none
	Tags                    []workload.Tag
	CreatedAt               time.Time
}

// Configuration is what UpdateCluster's configuration member holds.
type Configuration struct {
	ExecuteCommand *ExecuteCommandConfiguration
	ManagedStorage *ManagedStorageConfiguration
}

// ExecuteCommandConfiguration is where the output of ECS Exec goes.
type ExecuteCommandConfiguration struct {
	KMSKeyID string
	Logging  string
	Log      *ExecuteCommandLog
}

// ExecuteCommandLog is the OVERRIDE target of ECS Exec output.
type ExecuteCommandLog struct {
	CloudWatchLogGroup   string
	CloudWatchEncryption *bool
	S3Bucket             string
	S3Encryption         *bool
	S3KeyPrefix          string
}

// ManagedStorageConfiguration names keys for storage that AWS manages.
type ManagedStorageConfiguration struct {
	KMSKeyID                        string
	FargateEphemeralStorageKMSKeyID string
}

// CapacityProviderStrategyItem is one term of a capacity provider strategy.
type CapacityProviderStrategyItem struct {
	Provider string
	Weight   int
	Base     int
}
