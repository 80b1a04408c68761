package store

import (
	"strings"

	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// Daemons by ARN.
var Daemons = &Table[daemon.Daemon]{
	ID: daemons, Noun: "daemon", Schema: 1,
	Primary: func(d *daemon.Daemon) string { return d.ARN },
	Indexes: []*Index[daemon.Daemon]{DaemonsByCluster},
}

// DaemonsByCluster finds the daemons of a cluster by its ARN.
var DaemonsByCluster = &Index[daemon.Daemon]{
	Key: func(d *daemon.Daemon) string { return d.ClusterARN },
}

// DaemonRevisions by ARN.
var DaemonRevisions = &Table[daemon.Revision]{
	ID: daemonRevisions, Noun: "daemon-revision", Schema: 1,
	Primary: func(r *daemon.Revision) string { return r.ARN },
	Indexes: []*Index[daemon.Revision]{DaemonRevisionsByDaemon, DaemonRevisionsByDefinition},
}

// DaemonRevisionsByDaemon finds the revisions of a daemon by its ARN.
var DaemonRevisionsByDaemon = &Index[daemon.Revision]{
	Key: func(r *daemon.Revision) string { return r.DaemonARN },
}

// DaemonRevisionsByDefinition finds the revisions with a definition, by its ARN.
var DaemonRevisionsByDefinition = &Index[daemon.Revision]{
	Key: func(r *daemon.Revision) string { return r.Spec.DefinitionARN },
}

// DaemonDeployments by ARN.
var DaemonDeployments = &Table[daemon.Deployment]{
	ID: daemonDeployments, Noun: "daemon-deployment", Schema: 1,
	Primary: func(d *daemon.Deployment) string { return d.ARN },
	Indexes: []*Index[daemon.Deployment]{DaemonDeploymentsByDaemon},
}

// DaemonDeploymentsByDaemon orders the deployments of a daemon, by its ARN, by age.
var DaemonDeploymentsByDaemon = &Index[daemon.Deployment]{
	Key:  func(d *daemon.Deployment) string { return d.DaemonARN },
	Rank: func(d *daemon.Deployment) int64 { return d.CreatedAt.UnixNano() },
}

// DaemonFamilies are the families of daemon task definitions by
// workload.FamilyKey: their names are apart from those of Families.
var DaemonFamilies = &Table[workload.Family]{
	ID: daemonFamilies, Noun: "daemon-family", Schema: 1,
	Primary: func(f *workload.Family) string { return f.Key() },
}

// DaemonDefinitionsByFamily orders the revisions of a family of daemon task
// definitions, by workload.FamilyKey.
var DaemonDefinitionsByFamily = &Index[workload.Definition]{
	Key: func(d *workload.Definition) string {
		if !d.Daemon {
			return ""
		}
		return workload.FamilyKey(d.Scope, d.Family)
	},
	Rank: func(d *workload.Definition) int64 { return int64(d.Revision) },
}

// TasksOfDaemon finds the tasks that a daemon still has to do with, as
// TasksOfService does for services.
var TasksOfDaemon = &Index[task.Task]{
	Key: func(t *task.Task) string {
		if !strings.HasPrefix(t.Spec.Group, daemon.GroupPrefix) || t.Noted && t.LastStatus() == task.Stopped {
			return ""
		}
		return InCluster(t.Spec.ClusterARN, t.Spec.Group)
	},
}
