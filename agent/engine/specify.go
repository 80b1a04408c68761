package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// specify writes a container definition in the runtime's words: all of it that
// depends on nothing but the definition and the image.
func specify(o *task.Order, c *task.OrderContainer, img *image.Image, env []string) (runtime.Container, error) {
	args := arguments(c, img)
	if len(args) == 0 {
		return runtime.Container{}, fmt.Errorf("no command specified: neither container %s nor its image %s names a program", c.Name, c.Image)
	}
	s := runtime.Container{
		Labels: labels(o, c.Name), Args: args, Env: env,
		Cwd: first(c.WorkingDirectory, img.Config.WorkingDir), User: first(c.User, img.Config.User),
		Terminal: is(c.PseudoTerminal), StopSignal: img.Config.StopSignal,
		ReadonlyRootfs: is(c.ReadonlyRootFilesystem), Privileged: is(c.Privileged),
		Ulimits: ulimits(o, c), Sysctls: sysctls(c), Resources: resources(c), CDIDevices: gpus(c),
	}
	maps.Copy(s.Labels, c.DockerLabels)
	for _, option := range c.DockerSecurityOptions {
		s.NoNewPrivileges = s.NoNewPrivileges || option == "no-new-privileges" || option == "no-new-privileges:true"
		s.Unconfined = s.Unconfined || option == "seccomp:unconfined" || option == "seccomp=unconfined"
	}
	if c.Linux != nil {
		linux(&s, c.Linux)
	}
	return s, nil
}

// arguments follow Docker: a definition's entry point drops the image's command
// with the image's entry point.
func arguments(c *task.OrderContainer, img *image.Image) []string {
	entry, command := c.EntryPoint, c.Command
	if len(entry) == 0 {
		entry = img.Config.Entrypoint
		if len(command) == 0 {
			command = img.Config.Cmd
		}
	}
	return slices.Concat(entry, command)
}

// labels are those that ECS puts on containers, by which the engine knows its own.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-labels.html
func labels(o *task.Order, container string) map[string]string {
	return map[string]string{
		"com.amazonaws.ecs.cluster": o.ClusterName, "com.amazonaws.ecs.container-name": container, labelTask: o.ARN,
		"com.amazonaws.ecs.task-definition-family": o.Family, "com.amazonaws.ecs.task-definition-version": strconv.Itoa(o.Revision),
	}
}

const labelTask = "com.amazonaws.ecs.task-arn"

// resources follow ECS: a container's CPU is a weight and may burst, its memory is
// a hard limit, its reservation a soft one.
func resources(c *task.OrderContainer) runtime.Resources {
	r := runtime.Resources{CPUShares: max(c.CPU, 2)} // AWS: 0 and 1 mean the kernel's least
	if c.Memory != nil {
		r.Memory = int64(*c.Memory) << 20
	}
	if c.MemoryReservation != nil {
		r.Reservation = int64(*c.MemoryReservation) << 20
	}
	if c.Linux == nil {
		return r
	}
	if c.Linux.MaxSwap != nil {
		swap := int64(*c.Linux.MaxSwap) << 20
		r.Swap, r.Swappiness = &swap, c.Linux.Swappiness
	}
	return r
}

func linux(s *runtime.Container, l *workload.LinuxParameters) {
	s.Init = is(l.InitProcessEnabled)
	if l.SharedMemorySize != nil {
		s.ShmSize = int64(*l.SharedMemorySize) << 20
	}
	if l.Capabilities != nil {
		s.CapAdd, s.CapDrop = l.Capabilities.Add, l.Capabilities.Drop
	}
	for _, d := range l.Devices {
		s.Devices = append(s.Devices, runtime.Device{Host: d.HostPath, Container: d.ContainerPath, Access: access(d.Permissions)})
	}
}

func access(permissions []string) string {
	var letters strings.Builder
	for _, p := range permissions {
		letters.WriteString(map[string]string{"read": "r", "write": "w", "mknod": "m"}[p])
	}
	return letters.String()
}

// fargateFiles is what Fargate gives every process of open files.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
const fargateFiles = 65535

func ulimits(o *task.Order, c *task.OrderContainer) []runtime.Ulimit {
	var out []runtime.Ulimit
	files := false
	for _, u := range c.Ulimits {
		out = append(out, runtime.Ulimit{Name: u.Name, Soft: uint64(u.Soft), Hard: uint64(u.Hard)})
		files = files || u.Name == "nofile"
	}
	if o.Isolation == task.Sandbox && !files {
		out = append(out, runtime.Ulimit{Name: "nofile", Soft: fargateFiles, Hard: fargateFiles})
	}
	return out
}

func sysctls(c *task.OrderContainer) map[string]string {
	out := map[string]string{}
	for _, s := range c.SystemControls {
		out[s.Namespace] = s.Value
	}
	return out
}

// gpus names the container's GPUs as CDI does.
func gpus(c *task.OrderContainer) []string {
	var out []string
	for _, id := range c.GPUs {
		if !strings.Contains(id, "=") {
			id = "nvidia.com/gpu=" + id
		}
		out = append(out, id)
	}
	return out
}

// appendMissing adds the variables that are not set.
func appendMissing(env []string, more map[string]string) []string {
	for _, name := range slices.Sorted(maps.Keys(more)) {
		if !slices.ContainsFunc(env, func(pair string) bool { return strings.HasPrefix(pair, name+"=") }) {
			env = append(env, name+"="+more[name])
		}
	}
	return env
}

func appendSorted(env []string, more map[string]string) []string {
	for _, name := range slices.Sorted(maps.Keys(more)) {
		env = append(env, name+"="+more[name])
	}
	return env
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func is(b *bool) bool { return b != nil && *b }
