// Package daemon holds managed daemons: agents of a cluster's owner that run once
// on each container instance of the capacity providers they are given.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-daemons.html
//
// On AWS they run on Managed Instances only, and a changed daemon comes with a new
// instance. Here they run on the instances of any capacity provider that has
// container instances, and one task takes the place of the other on the instance.
package daemon

import (
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
)

// Status is the life of a daemon. One that is gone is not described.
type Status string

// Statuses of a daemon.
const (
	Active   Status = "ACTIVE"
	Deleting Status = "DELETE_IN_PROGRESS"
)

// Daemon is the stored record of a daemon. The API writes what is asked for; a
// rollback is the planner's, and so are the members from Good on.
type Daemon struct {
	Scope       arn.Scope
	ARN         string // primary key
	Name        string
	ClusterARN  string
	Status      Status
	Spec        Spec // of Revision
	Revision    string
	Deployment  string // ARN of the newest
	ClientToken string // of its creation; empty for none
	Tags        []workload.Tag
	CreatedAt   time.Time
	UpdatedAt   time.Time

	Good string // ARN of the revision that was deployed last; empty before
	// Pause is how long to wait after tasks that failed; it grows while they go on
	// to, and is over at RetryAt.
	Pause    time.Duration
	RetryAt  time.Time
	FailedAt time.Time
	Version  int64 // rises with each change
}

// Spec is what the tasks of a revision have in common.
type Spec struct {
	DefinitionARN  string
	Providers      []string // names of the capacity providers
	PropagateTags  bool
	ManagedTags    bool
	ExecuteCommand bool
	// Critical is true when an instance takes no other task while the daemon does
	// not run on it.
	Critical bool
}

// Revision is an immutable snapshot of what a daemon runs, but for Images.
type Revision struct {
	Scope      arn.Scope
	ARN        string // primary key
	DaemonARN  string
	ClusterARN string
	Spec       Spec
	CreatedAt  time.Time
	Images     []service.Image // as service.Revision has them
}

// GroupPrefix begins the group of the tasks of a daemon.
const GroupPrefix = "daemon:"

// Group is what the tasks of the named daemon say as their group.
func Group(name string) string { return GroupPrefix + name }

// StartedBy is what the tasks of a revision, by its ARN, say that started them.
func StartedBy(revisionARN string) string {
	return "ecs-daemon/" + revisionARN[strings.LastIndexByte(revisionARN, '/')+1:]
}

// Owns tells whether a group is that of a daemon's tasks.
func Owns(group string) bool { return strings.HasPrefix(group, GroupPrefix) }
