package task

import (
	"slices"

	"github.com/berthhq/berth/domain/workload"
)

// Merged are the definition's containers with the overrides applied. The
// definition is left as it is.
func (o *Overrides) Merged(def *workload.Definition) []workload.Container {
	out := slices.Clone(def.Containers)
	for i := range out {
		for j := range o.Containers {
			if o.Containers[j].Name == out[i].Name {
				merge(&out[i], &o.Containers[j])
			}
		}
	}
	return out
}

func merge(c *workload.Container, o *ContainerOverride) {
	if o.Command != nil {
		c.Command = o.Command
	}
	if o.EnvironmentFiles != nil {
		c.EnvironmentFiles = o.EnvironmentFiles
	}
	if o.ResourceRequirements != nil {
		c.ResourceRequirements = o.ResourceRequirements
	}
	if o.CPU != nil {
		c.CPU = *o.CPU
	}
	if o.Memory != nil {
		c.Memory = o.Memory
	}
	if o.MemoryReservation != nil {
		c.MemoryReservation = o.MemoryReservation
	}
	c.Environment = mergeEnvironment(c.Environment, o.Environment)
}

// mergeEnvironment replaces variables by name and appends those that are new.
func mergeEnvironment(have, said []workload.KeyValue) []workload.KeyValue {
	out := slices.Clone(have)
	for _, v := range said {
		at := slices.IndexFunc(out, func(x workload.KeyValue) bool { return x.Name == v.Name })
		if at < 0 {
			out = append(out, v)
			continue
		}
		out[at] = v
	}
	return out
}

// TaskRole is the role the containers act as: the override's, else the
// definition's; empty when there is none.
func (s *Spec) TaskRole(def *workload.Definition) string {
	if s.Overrides.TaskRoleARN != "" {
		return s.Overrides.TaskRoleARN
	}
	return def.TaskRoleARN
}

// ExecutionRole is the role the agent acts as for the task: the override's, else
// the definition's; empty when there is none.
func (s *Spec) ExecutionRole(def *workload.Definition) string {
	if s.Overrides.ExecutionRoleARN != "" {
		return s.Overrides.ExecutionRoleARN
	}
	return def.ExecutionRoleARN
}
