package store

import "github.com/berthhq/berth/domain/workload"

// TaskDefinitions by ARN, those of daemons included.
var TaskDefinitions = &Table[workload.Definition]{
	ID: taskDefinitions, Noun: "task-definition", Schema: 1,
	Primary: func(d *workload.Definition) string { return d.ARN },
	Indexes: []*Index[workload.Definition]{TaskDefinitionsByFamily, TaskDefinitionsByStatus, DaemonDefinitionsByFamily},
}

// TaskDefinitionsByFamily orders the revisions of a family, by workload.FamilyKey.
var TaskDefinitionsByFamily = &Index[workload.Definition]{
	Key: func(d *workload.Definition) string {
		if d.Daemon {
			return ""
		}
		return workload.FamilyKey(d.Scope, d.Family)
	},
	Rank: func(d *workload.Definition) int64 { return int64(d.Revision) },
}

// TaskDefinitionsByStatus finds the definitions that are on their way out, by
// their status; those ACTIVE or INACTIVE, which are most, it leaves out.
var TaskDefinitionsByStatus = &Index[workload.Definition]{
	Key: func(d *workload.Definition) string {
		if d.Status != workload.DeleteInProgress {
			return ""
		}
		return string(d.Status)
	},
}

// Families by workload.FamilyKey. A family stays when all its revisions are gone,
// so that no revision is given out twice.
var Families = &Table[workload.Family]{
	ID: families, Noun: "family", Schema: 1,
	Primary: func(f *workload.Family) string { return f.Key() },
}
