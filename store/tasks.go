package store

import (
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
)

// Tasks by ARN.
var Tasks = &Table[task.Task]{
	ID: tasks, Noun: "task", Schema: 1,
	Primary: func(t *task.Task) string { return t.ARN },
	Indexes: []*Index[task.Task]{TasksByCluster, TasksByInstance, TasksByGroup, TasksByFamily, TasksByStartedBy, TasksByDefinition, TasksByPhase, TasksToDetach, TasksOfService, TasksOfDaemon, TasksByLinks},
}

// TasksByCluster finds the tasks of a cluster that are wanted running, or
// stopped; see ClusterTasks.
var TasksByCluster = &Index[task.Task]{
	Key: func(t *task.Task) string { return ClusterTasks(t.Spec.ClusterARN, t.DesiredStatus()) },
}

// ClusterTasks is a key of TasksByCluster: desired is task.Running or task.Stopped.
func ClusterTasks(clusterARN string, desired task.Status) string {
	return clusterARN + " " + desired.String()
}

// TasksByInstance finds the tasks ever assigned to an instance, by its ARN, those
// wanted running first. The stopped follow in order of when the stop was known.
var TasksByInstance = &Index[task.Task]{
	Key: func(t *task.Task) string {
		if t.Assignment == nil {
			return ""
		}
		return t.Assignment.InstanceARN
	},
	Rank: func(t *task.Task) int64 {
		if t.LastStatus() == task.Stopped {
			return StoppedAt(t).UnixNano()
		}
		return 0
	},
}

// TasksByGroup finds tasks by InCluster(cluster ARN, group).
var TasksByGroup = &Index[task.Task]{
	Key: func(t *task.Task) string { return InCluster(t.Spec.ClusterARN, t.Spec.Group) },
}

// TasksOfService finds the tasks that a service still has to do with, by
// InCluster(cluster ARN, group): those not stopped, and those stopped that it has
// not taken note of. Those of one deployment come together; see CountCrews.
var TasksOfService = &Index[task.Task]{
	Key: func(t *task.Task) string {
		if !strings.HasPrefix(t.Spec.Group, service.GroupPrefix) || t.Noted && t.LastStatus() == task.Stopped {
			return ""
		}
		return InCluster(t.Spec.ClusterARN, t.Spec.Group)
	},
	Rank: crewRank,
}

// TasksByFamily finds tasks by InCluster(cluster ARN, family).
var TasksByFamily = &Index[task.Task]{
	Key: func(t *task.Task) string { return InCluster(t.Spec.ClusterARN, Family(t)) },
}

// TasksByStartedBy finds tasks by InCluster(cluster ARN, startedBy).
var TasksByStartedBy = &Index[task.Task]{
	Key: func(t *task.Task) string { return InCluster(t.Spec.ClusterARN, t.Spec.StartedBy) },
}

// TasksByDefinition finds the unfinished tasks of a definition, by its ARN.
var TasksByDefinition = &Index[task.Task]{
	Key: func(t *task.Task) string {
		if t.LastStatus() == task.Stopped {
			return ""
		}
		return t.Spec.DefinitionARN
	},
}

// InCluster is a key of the indexes that look for a word within a cluster; empty,
// and so in no index, for the empty word.
func InCluster(clusterARN, word string) string {
	if word == "" {
		return ""
	}
	return clusterARN + " " + word
}

// Family of the task's definition.
func Family(t *task.Task) string {
	a, err := arn.Parse(t.Spec.DefinitionARN)
	if err != nil {
		return ""
	}
	family, _, _ := strings.Cut(a.Name(), ":")
	return family
}

// Phases of a task's life, as keys of TasksByPhase: what somebody still has to do
// for it.
const (
	Unplaced  = "unplaced"  // wanted running, no instance yet
	Placed    = "placed"    // has an instance; not stopped
	Releasing = "releasing" // stopped there, what it held is not given back yet
	Ended     = "ended"     // nothing left to do but keep it for a while
)

// TasksByPhase finds tasks by phase, the ended ones in order of their end.
var TasksByPhase = &Index[task.Task]{
	Key: Phase,
	Rank: func(t *task.Task) int64 {
		if t.LastStatus() == task.Stopped {
			return StoppedAt(t).UnixNano()
		}
		return t.CreatedAt.UnixNano()
	},
}

// Phase a task is in.
func Phase(t *task.Task) string {
	switch t.LastStatus() {
	case task.Stopped:
		return Ended
	case task.Provisioning:
		return Unplaced
	case task.Deprovisioning:
		return Releasing
	default:
		return Placed
	}
}

// StoppedAt is when a stopped task stopped: by its agent's word, else when the
// stop was asked for.
func StoppedAt(t *task.Task) time.Time {
	if !t.Observed.StoppedAt.IsZero() {
		return t.Observed.StoppedAt
	}
	return t.Desired.StoppingAt
}

// Held is the one key of TasksToDetach.
const Held = "held"

// TasksToDetach finds stopped tasks that still hold attachments, the longest
// stopped first.
var TasksToDetach = &Index[task.Task]{
	Key: func(t *task.Task) string {
		if t.LastStatus() != task.Stopped {
			return ""
		}
		for i := range t.Attachments {
			if t.Attachments[i].Status != task.AttachmentDeleted {
				return Held
			}
		}
		return ""
	},
	Rank: func(t *task.Task) int64 { return StoppedAt(t).UnixNano() },
}

// TasksByLinks finds tasks by what is to be done about their links, a task.Stage.
var TasksByLinks = &Index[task.Task]{
	Key: func(t *task.Task) string { return string(t.Stage()) },
}
