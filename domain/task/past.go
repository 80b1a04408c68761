package task

import (
	"time"

	"github.com/berthhq/berth/domain/workload"
)

// Past is a task that has ended, with what it takes to show it when its definition
// and its instance are gone.
type Past struct {
	Task         Task
	Definition   workload.Definition // what Remembered keeps of it
	Zone         string              // availability zone; empty when it was never placed
	Architecture string              // of the instance: "x86_64"; empty when not known
	StoppedAt    time.Time
}

// Remembered is what a task that has ended shows of its definition. Its values and
// secrets are not among it.
func Remembered(def *workload.Definition) workload.Definition {
	out := workload.Definition{Scope: def.Scope, ARN: def.ARN, Family: def.Family, Revision: def.Revision, NetworkMode: def.NetworkMode}
	for i := range def.Containers {
		c := &def.Containers[i]
		out.Containers = append(out.Containers, workload.Container{
			Name: c.Name, Image: c.Image, Essential: c.Essential,
			CPU: c.CPU, Memory: c.Memory, MemoryReservation: c.MemoryReservation, ResourceRequirements: c.ResourceRequirements,
		})
	}
	return out
}

// PastQuery asks for the ended tasks of a cluster, the last that stopped first.
// Empty words say nothing.
type PastQuery struct {
	ClusterARN  string
	Family      string
	Group       string // "family:x" or "service:y"
	StartedBy   string
	InstanceARN string
	LaunchType  workload.LaunchType
	After       PastPlace // where the last page ended; zero for the first page
}

// PastPlace is a task's place among the ended ones of its cluster.
type PastPlace struct {
	StoppedAt int64 // nanoseconds since 1970
	ARN       string
}
