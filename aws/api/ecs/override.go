package ecs

import (
	"encoding/json"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// maxOverrides is how long the container overrides of a run may be, as JSON.
const maxOverrides = 8192

// readOverrides checks the overrides of a run against the definition.
func readOverrides(call *gateway.Call, in *ecs.TaskOverride, def *workload.Definition) (task.Overrides, error) {
	var out task.Overrides
	if in == nil {
		return out, nil
	}
	if len(in.InferenceAcceleratorOverrides) > 0 {
		return out, invalid("Unsupported field 'inferenceAcceleratorOverrides'.")
	}
	out.TaskRoleARN, out.ExecutionRoleARN = roleARN(call.Scope, member.Value(in.TaskRoleArn)), roleARN(call.Scope, member.Value(in.ExecutionRoleArn))
	if in.EphemeralStorage != nil {
		out.EphemeralStorageGiB = max(int(member.Value(in.EphemeralStorage.SizeInGiB)), 1)
	}
	if err := workload.CheckEphemeralStorage(out.EphemeralStorageGiB); err != nil {
		return out, asInvalid(err)
	}
	var err error
	if out.CPU, err = overrideSize("cpu", in.Cpu, workload.ParseCPU); err != nil {
		return out, err
	}
	if out.Memory, err = overrideSize("memory", in.Memory, workload.ParseMemory); err != nil {
		return out, err
	}
	for i := range in.ContainerOverrides {
		if err := checkSharing(in.ContainerOverrides[i].ResourceRequirements); err != nil {
			return out, err
		}
	}
	out.Containers = member.Some(in.ContainerOverrides, readContainerOverride)
	for i := range out.Containers {
		if err := checkContainerOverride(&out.Containers[i], def); err != nil {
			return out, err
		}
	}
	if data, _ := json.Marshal(out.Containers); len(data) > maxOverrides { // plain data always marshals
		return out, invalid("Container Overrides length must be at most %d", maxOverrides)
	}
	return out, nil
}

func overrideSize(field string, in *string, parse func(string) (int, bool)) (string, error) {
	if in == nil || *in == "" {
		return "", nil
	}
	n, ok := parse(*in)
	if !ok {
		return "", invalid("Invalid '%s' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.", field)
	}
	return strconv.Itoa(n), nil
}

// asInvalid turns what registration calls a ClientException into the exception
// that running answers with.
func asInvalid(err error) error {
	f := *fault.Of(err)
	f.Kind = fault.InvalidParameter
	return &f
}

func readContainerOverride(in *ecs.ContainerOverride) task.ContainerOverride {
	return task.ContainerOverride{
		Name: member.Value(in.Name), Command: in.Command, Environment: member.Some(in.Environment, readKeyValue),
		EnvironmentFiles: member.Some(in.EnvironmentFiles, readEnvironmentFile),
		CPU:              optionalInt(in.Cpu), Memory: optionalInt(in.Memory), MemoryReservation: optionalInt(in.MemoryReservation),
		ResourceRequirements: member.Some(in.ResourceRequirements, readResourceRequirement),
	}
}

func checkContainerOverride(o *task.ContainerOverride, def *workload.Definition) error {
	c := def.Container(o.Name)
	if c == nil {
		return invalid("Override for container named %s is not a container in the TaskDefinition.", o.Name)
	}
	if err := workload.CheckEnvironmentFiles(o.EnvironmentFiles); err != nil {
		return asInvalid(err)
	}
	if err := workload.CheckResourceRequirements(o.Name, o.ResourceRequirements); err != nil {
		return asInvalid(err)
	}
	for field, n := range map[string]*int{"cpu": o.CPU, "memory": o.Memory, "memoryReservation": o.MemoryReservation} {
		if n != nil && *n < 0 {
			return invalid("Invalid '%s' override for container '%s'.", field, o.Name)
		}
	}
	merged := (&task.Overrides{Containers: []task.ContainerOverride{*o}}).Merged(def)
	for _, m := range merged {
		if m.Memory != nil && m.MemoryReservation != nil && *m.Memory < *m.MemoryReservation {
			return invalid("Invalid setting for container '%s'. 'memory' must be greater than or equal to 'memoryReservation'.", m.Name)
		}
	}
	return nil
}

// showOverrides names every container, as AWS does, with what was overridden.
func showOverrides(t *task.Task) *ecs.TaskOverride {
	o := &t.Spec.Overrides
	out := &ecs.TaskOverride{
		InferenceAcceleratorOverrides: []ecs.InferenceAcceleratorOverride{},
		Cpu:                           member.Present(o.CPU), Memory: member.Present(o.Memory), TaskRoleArn: member.Present(o.TaskRoleARN), ExecutionRoleArn: member.Present(o.ExecutionRoleARN),
	}
	if o.EphemeralStorageGiB > 0 {
		out.EphemeralStorage = &ecs.EphemeralStorage{SizeInGiB: int32Of(o.EphemeralStorageGiB)}
	}
	out.ContainerOverrides = member.Each(t.Spec.Containers, func(c *task.ContainerID) ecs.ContainerOverride {
		for i := range o.Containers {
			if o.Containers[i].Name == c.Name {
				return showContainerOverride(&o.Containers[i])
			}
		}
		return ecs.ContainerOverride{Name: &c.Name}
	})

	return out
}

func showContainerOverride(o *task.ContainerOverride) ecs.ContainerOverride {
	return ecs.ContainerOverride{
		Name: &o.Name, Command: o.Command, Environment: member.Some(o.Environment, showKeyValue),
		EnvironmentFiles: member.Some(o.EnvironmentFiles, showEnvironmentFile),
		Cpu:              optionalInt32(o.CPU), Memory: optionalInt32(o.Memory), MemoryReservation: optionalInt32(o.MemoryReservation),
		ResourceRequirements: member.Some(o.ResourceRequirements, showResourceRequirement),
	}
}
