package ecs

import (
	"cmp"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/why"
	"github.com/berthhq/berth/store"
)

// showTasks shows tasks as they are in r; the list is never absent.
func showTasks(r store.Reader, tasks []*task.Task, include []ecs.TaskField) []ecs.Task {
	return member.Each(tasks, func(t **task.Task) ecs.Task { return *showTask(r, *t, include) })
}

func showTask(r store.Reader, t *task.Task, include []ecs.TaskField) *ecs.Task {
	def, ok := store.TaskDefinitions.Get(r, t.Spec.DefinitionARN)
	if !ok {
		def = &workload.Definition{ARN: t.Spec.DefinitionARN} // deleted since: the containers show without their images
	}
	out := &ecs.Task{
		TaskArn: &t.ARN, ClusterArn: &t.Spec.ClusterARN, TaskDefinitionArn: &t.Spec.DefinitionARN,
		Attachments: showAttachments(t), Attributes: []ecs.Attribute{}, Tags: []ecs.Tag{},
		LastStatus: new(t.LastStatus().String()), DesiredStatus: new(t.DesiredStatus().String()),
		LaunchType: ecs.LaunchType(t.Spec.LaunchType), CapacityProviderName: member.Present(t.Spec.CapacityProvider),
		Group: member.Present(t.Spec.Group), StartedBy: member.Present(t.Spec.StartedBy), Cpu: member.Present(t.Spec.CPU), Memory: member.Present(t.Spec.Memory),
		PlatformVersion: member.Present(t.Spec.PlatformVersion), PlatformFamily: member.Present(t.Spec.PlatformFamily),
		EnableExecuteCommand: &t.Spec.EnableExecuteCommand, InferenceAccelerators: []ecs.InferenceAccelerator{},
		Overrides: showOverrides(t), Version: &t.Version, CreatedAt: member.Time(t.CreatedAt), HealthStatus: ecs.HealthStatus(t.Health(def.Essential)),
		Connectivity: ecs.Connectivity(t.Connectivity()), ConnectivityAt: member.Time(t.Observed.ConnectivityAt),
		PullStartedAt: member.Time(t.Observed.PullStartedAt), PullStoppedAt: member.Time(t.Observed.PullStoppedAt), StartedAt: member.Time(t.Observed.StartedAt),
		StoppingAt: member.Time(t.StoppingAt()), ExecutionStoppedAt: member.Time(t.Observed.ExecutionStoppedAt),
		StopCode: ecs.TaskStopCode(t.StopCode()), StoppedReason: member.Present(stoppedReason(t)),
	}
	if t.LastStatus() == task.Stopped {
		out.StoppedAt = member.Time(store.StoppedAt(t))
	}
	if contains(include, ecs.TaskFieldTags) {
		out.Tags = showTags(t.Tags)
	}
	if gib := t.Spec.EphemeralStorageGiB; gib > 0 {
		out.EphemeralStorage = &ecs.EphemeralStorage{SizeInGiB: int32Of(gib)}
		if t.Spec.LaunchType == workload.Fargate {
			out.FargateEphemeralStorage = &ecs.TaskEphemeralStorage{SizeInGiB: int32Of(gib)}
		}
	}
	showPlace(r, t, out)
	out.Containers = showContainers(t, def)
	return out
}

// stoppedReason is the task's, with AWS's words first; a task that could not start
// says in the end what to do about it.
func stoppedReason(t *task.Task) string {
	reason := t.StoppedReason()
	if t.StopCode() != task.StopTaskFailedToStart {
		return reason
	}
	if hint := why.Hint(reason); hint != "" {
		return reason + " (hint: " + hint + ")"
	}
	return reason
}

// showPlace adds where the task is. The instance under a Fargate task is nobody's
// business.
func showPlace(r store.Reader, t *task.Task, out *ecs.Task) {
	if t.Assignment == nil {
		return
	}
	inst, _ := store.Instances.Get(r, t.Assignment.InstanceARN)
	zone := ""
	if inst != nil {
		zone = inst.Zone
		if arch, ok := inst.Attribute(attributeArchitecture); ok {
			out.Attributes = []ecs.Attribute{{Name: new(attributeArchitecture), Value: &arch}}
		}
	}
	if i, ok := store.Interfaces.Get(r, network.Key(t.Scope, t.Assignment.InterfaceID)); ok {
		zone = cmp.Or(i.Zone, zone)
	}
	out.AvailabilityZone = member.Present(zone)
	if t.Spec.LaunchType != workload.Fargate {
		out.ContainerInstanceArn = &t.Assignment.InstanceARN
		if inst != nil && out.CapacityProviderName == nil {
			out.CapacityProviderName = member.Present(inst.CapacityProvider)
		}
	}
}

func showAttachments(t *task.Task) []ecs.Attachment {
	return member.Each(t.Attachments, func(a *task.Attachment) ecs.Attachment {
		return ecs.Attachment{Id: &a.ID, Type: &a.Type, Status: new(t.AttachmentStatus(a)), Details: member.Each(a.Details, showKeyValue)}
	})

}

func showContainers(t *task.Task, def *workload.Definition) []ecs.Container {
	merged, gpus := t.Spec.Overrides.Merged(def), t.ContainerGPUs(def)
	return member.Each(t.Spec.Containers, func(id *task.ContainerID) ecs.Container {
		out := ecs.Container{
			ContainerArn: new(t.ContainerARN(id.Name)), TaskArn: &t.ARN, Name: &id.Name, LastStatus: new(containerStatus(t, nil)),
			NetworkInterfaces: showNetworkInterfaces(t), HealthStatus: ecs.HealthStatus(task.UnknownHealth), GpuIds: gpus[id.Name],
			Cpu: new("0"),
		}
		if networkBindingsShown(def) {
			out.NetworkBindings = []ecs.NetworkBinding{}
		}
		for i := range merged {
			if merged[i].Name == id.Name {
				addDefined(&out, &merged[i])
			}
		}
		for i := range t.Observed.Containers {
			if t.Observed.Containers[i].Name == id.Name {
				addObserved(&out, t, &t.Observed.Containers[i])
			}
		}
		return out
	})

}

// networkBindingsShown tells whether the containers of a definition have ports
// bound on their host.
func networkBindingsShown(def *workload.Definition) bool { return def.Mode() != workload.AWSVPC }

func addDefined(out *ecs.Container, c *workload.Container) {
	out.Image, out.Cpu = &c.Image, new(strconv.Itoa(c.CPU))
	out.Memory, out.MemoryReservation = decimal(c.Memory), decimal(c.MemoryReservation)
}

func addObserved(out *ecs.Container, t *task.Task, c *task.Container) {
	out.LastStatus = new(containerStatus(t, c))
	out.RuntimeId, out.ImageDigest, out.Reason = member.Present(c.RuntimeID), member.Present(c.ImageDigest), member.Present(c.Reason)
	out.ExitCode = optionalInt32(c.ExitCode)
	if c.Health != "" {
		out.HealthStatus = ecs.HealthStatus(c.Health)
	}
	if out.NetworkBindings != nil {
		out.NetworkBindings = member.Each(c.Bindings, showBinding)
	}
}

// containerStatus is what the agent said of the container; a container of a task
// that ended without a word of it is stopped too.
func containerStatus(t *task.Task, c *task.Container) string {
	switch {
	case t.LastStatus() == task.Stopped:
		return task.Stopped.String()
	case c == nil || c.Status == "":
		return task.Pending.String()
	}
	return c.Status
}

func showBinding(b *task.Binding) ecs.NetworkBinding {
	out := ecs.NetworkBinding{
		BindIP: member.Present(b.BindIP), Protocol: ecs.TransportProtocol(b.Protocol),
		ContainerPortRange: member.Present(b.ContainerPortRange), HostPortRange: member.Present(b.HostPortRange),
	}
	if b.ContainerPortRange == "" {
		out.ContainerPort, out.HostPort = int32Of(b.ContainerPort), int32Of(b.HostPort)
	}
	return out
}

// showNetworkInterfaces are the task's own, shown with each container.
func showNetworkInterfaces(t *task.Task) []ecs.NetworkInterface {
	out := []ecs.NetworkInterface{}
	for i := range t.Attachments {
		a := &t.Attachments[i]
		for j := range a.Details {
			if a.Details[j].Name == "privateIPv4Address" {
				out = append(out, ecs.NetworkInterface{AttachmentId: &a.ID, PrivateIpv4Address: &a.Details[j].Value})
			}
		}
	}
	return out
}

// showResources shows what a machine has, or has left, as AWS does: every member
// of a resource is there, whatever its type.
func showResources(cpu, memory int, tcp, udp []int, gpus []string) []ecs.Resource {
	integer := func(name string, n int) ecs.Resource {
		return ecs.Resource{Name: &name, Type: new("INTEGER"), DoubleValue: new(0.0), LongValue: new(int64(0)), IntegerValue: int32Of(n)}
	}
	set := func(name string, values []string) ecs.Resource {
		return ecs.Resource{
			Name: &name, Type: new("STRINGSET"), DoubleValue: new(0.0), LongValue: new(int64(0)), IntegerValue: int32Of(0), StringSetValue: values,
		}
	}
	ports := func(p *int) string { return strconv.Itoa(*p) }
	out := []ecs.Resource{
		integer("CPU", cpu), integer("MEMORY", memory), set("PORTS", member.Each(tcp, ports)), set("PORTS_UDP", member.Each(udp, ports)),
	}
	if gpus != nil {
		out = append(out, set("GPU", gpus))
	}
	return out
}

func registered(i *cluster.Instance) []ecs.Resource {
	r := &i.Registered
	return showResources(r.CPU, r.Memory, r.PortsTCP, r.PortsUDP, r.GPUs)
}
