package task

import "github.com/berthhq/berth/domain/workload"

// ContainerGPUs are the devices of the task that each container has, by name: in
// definition order, as many as it asks for.
func (t *Task) ContainerGPUs(def *workload.Definition) map[string][]string {
	if t.Assignment == nil || len(t.Assignment.Held.GPUs) == 0 {
		return nil
	}
	left, out := t.Assignment.Held.GPUs, map[string][]string{}
	for _, c := range t.Spec.Overrides.Merged(def) {
		n := min(c.GPUs(), len(left))
		out[c.Name], left = left[:n:n], left[n:]
	}
	return out
}
