package dispatch

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
)

// dockerAPI is the Docker Engine API version of the JSON in DockerConfig.
const dockerAPI = "1.18"

// official turns an order into the dialect of the unmodified amazon-ecs-agent.
// endpoint is our own address, for what its Docker daemon must reach.
func official(o *task.Order, endpoint string) acs.Task {
	t := acs.Task{
		ARN: o.ARN, TaskClusterARN: o.ClusterARN, Family: o.Family, Version: strconv.Itoa(o.Revision),
		DesiredStatus: o.Desired.String(), Overrides: "{}", NetworkMode: string(o.NetworkMode), LaunchType: string(o.LaunchType),
		TaskDefinitionAccountID: o.Account, Group: o.Group, ServiceName: o.ServiceName,
		CPU: float64(o.CPU) / 1024, Memory: o.Memory, PIDMode: o.PIDMode, IPCMode: o.IPCMode, Volumes: []acs.Volume{},
	}
	if o.TaskRole != nil {
		c := wireCredentials(o.TaskRole)
		t.RoleCredentials = &c
	}
	if o.ExecutionRole != nil {
		c := wireCredentials(o.ExecutionRole)
		t.ExecutionRoleCredentials = &c
	}
	for i := range o.Containers {
		t.Containers = append(t.Containers, officialContainer(o, &o.Containers[i], endpoint))
		for _, gpu := range o.Containers[i].GPUs {
			t.Associations = append(t.Associations, acs.Association{Type: "gpu", Name: gpu, Containers: []string{o.Containers[i].Name}})
		}
	}
	for _, v := range o.Volumes {
		t.Volumes = append(t.Volumes, officialVolume(v))
	}
	return t
}

func officialContainer(o *task.Order, c *task.OrderContainer, endpoint string) acs.Container {
	out := acs.Container{
		Name: c.Name, Image: c.Image, Essential: c.Essential, CPU: c.CPU, Memory: memoryLimit(c), Command: c.Command, EntryPoint: c.EntryPoint,
		Environment: map[string]string{}, PortMappings: []acs.PortMapping{}, MountPoints: []acs.MountPoint{}, VolumesFrom: []acs.VolumeFrom{},
		Links: append([]string{}, c.Links...), Overrides: "{}", ContainerARN: c.ARN,
		StartTimeout: deref(c.StartTimeout), StopTimeout: deref(c.StopTimeout), DockerConfig: dockerConfig(o, c, endpoint),
	}
	for _, e := range c.Environment {
		out.Environment[e.Name] = e.Value
	}
	for _, p := range c.PortMappings {
		out.PortMappings = append(out.PortMappings, acs.PortMapping{ContainerPort: p.ContainerPort, HostPort: deref(p.HostPort), Protocol: p.Protocol, ContainerPortRange: p.ContainerPortRange})
	}
	for _, m := range c.MountPoints {
		out.MountPoints = append(out.MountPoints, acs.MountPoint{SourceVolume: m.SourceVolume, ContainerPath: m.ContainerPath, ReadOnly: deref(m.ReadOnly)})
	}
	for _, v := range c.VolumesFrom {
		out.VolumesFrom = append(out.VolumesFrom, acs.VolumeFrom{SourceContainer: v.SourceContainer, ReadOnly: deref(v.ReadOnly)})
	}
	for _, d := range c.DependsOn {
		out.DependsOn = append(out.DependsOn, acs.DependsOn{ContainerName: d.ContainerName, Condition: string(d.Condition)})
	}
	for _, s := range c.Secrets {
		out.Secrets = append(out.Secrets, officialSecret(o, s, "CONTAINER"))
	}
	if c.HealthCheck != nil {
		out.HealthCheckType = "docker"
	}
	if p := c.RestartPolicy; p != nil {
		out.RestartPolicy = &acs.RestartPolicy{Enabled: p.Enabled, IgnoredExitCodes: p.IgnoredExitCodes, RestartAttemptPeriod: deref(p.RestartAttemptPeriod)}
	}
	if c.Log != nil {
		for _, s := range c.Log.SecretOptions {
			out.Secrets = append(out.Secrets, officialSecret(o, s, "LOG_DRIVER"))
		}
		if c.Log.Driver == "awslogs" && o.ExecutionRole != nil {
			out.LogsAuthStrategy = "ExecutionRole"
		}
	}
	if strings.Contains(c.Image, ".dkr.ecr.") {
		out.RegistryAuthentication = &acs.RegistryAuthentication{Type: "ecr", ECR: &acs.ECRAuth{
			RegistryID: strings.SplitN(c.Image, ".", 2)[0], Region: o.Region, EndpointOverride: endpoint, UseExecutionRole: o.ExecutionRole != nil,
		}}
	}
	return out
}

// memoryLimit is the container's limit in the official dialect: the hard one, else the
// soft one.
func memoryLimit(c *task.OrderContainer) int {
	if c.Memory != nil {
		return *c.Memory
	}
	return deref(c.MemoryReservation)
}

func officialSecret(o *task.Order, s workload.Secret, target string) acs.Secret {
	provider, region := "ssm", o.Region
	if parts := strings.Split(s.ValueFrom, ":"); len(parts) > 5 && parts[0] == "arn" {
		region = parts[3]
		if parts[2] == "secretsmanager" {
			provider = "asm"
		}
	}
	return acs.Secret{Name: s.Name, ValueFrom: s.ValueFrom, Region: region, Type: "ENVIRONMENT_VARIABLE", Provider: provider, Target: target}
}

func officialVolume(v workload.Volume) acs.Volume {
	if d := v.Docker; d != nil {
		return acs.Volume{Name: v.Name, Type: "docker", Docker: &acs.DockerVolume{
			Scope: d.Scope, Autoprovision: deref(d.Autoprovision), Driver: d.Driver, DriverOpts: d.DriverOpts, Labels: d.Labels,
		}}
	}
	out := acs.Volume{Name: v.Name, Type: "host", Host: &acs.HostVolume{}}
	if v.Host != nil {
		out.Host.SourcePath = v.Host.SourcePath
	}
	return out
}

// dockerConfig carries as Docker Engine API JSON what the dialect has no fields
// for. https://docs.docker.com/reference/api/engine/version/v1.24/
func dockerConfig(o *task.Order, c *task.OrderContainer, endpoint string) acs.DockerConfig {
	config := map[string]any{}
	host := map[string]any{"NetworkMode": string(o.NetworkMode), "CapAdd": []string{}, "CapDrop": []string{}}
	set(config, "User", c.User)
	set(config, "WorkingDir", c.WorkingDirectory)
	set(config, "Hostname", c.Hostname)
	set(config, "Labels", c.DockerLabels)
	set(config, "Tty", deref(c.PseudoTerminal))
	set(config, "OpenStdin", deref(c.Interactive))
	if h := c.HealthCheck; h != nil {
		config["Healthcheck"] = dockerHealth(h)
	}
	set(host, "Privileged", deref(c.Privileged))
	set(host, "ReadonlyRootfs", deref(c.ReadonlyRootFilesystem))
	set(host, "Dns", c.DNSServers)
	set(host, "DnsSearch", c.DNSSearch)
	set(host, "SecurityOpt", c.DockerSecurityOptions)
	if len(c.ExtraHosts) > 0 {
		var hosts []string
		for _, h := range c.ExtraHosts {
			hosts = append(hosts, h.Hostname+":"+h.IPAddress)
		}
		host["ExtraHosts"] = hosts
	}
	if len(c.Ulimits) > 0 {
		var limits []map[string]any
		for _, u := range c.Ulimits {
			limits = append(limits, map[string]any{"Name": u.Name, "Soft": u.Soft, "Hard": u.Hard})
		}
		host["Ulimits"] = limits
	}
	if len(c.SystemControls) > 0 {
		sysctls := map[string]string{}
		for _, s := range c.SystemControls {
			sysctls[s.Namespace] = s.Value
		}
		host["Sysctls"] = sysctls
	}
	if c.MemoryReservation != nil && c.Memory != nil {
		host["MemoryReservation"] = int64(*c.MemoryReservation) << 20
	}
	dockerLinux(host, c.Linux)
	dockerLog(host, o, c, endpoint)
	return acs.DockerConfig{Config: text(config), HostConfig: text(host), Version: dockerAPI}
}

func dockerHealth(h *workload.HealthCheck) map[string]any {
	seconds := func(n *int, byDefault int) int64 {
		if n != nil {
			byDefault = *n
		}
		return int64(byDefault) * 1e9
	}
	retries := 3
	if h.Retries != nil {
		retries = *h.Retries
	}
	return map[string]any{
		"Test": h.Command, "Interval": seconds(h.Interval, 30), "Timeout": seconds(h.Timeout, 5),
		"StartPeriod": seconds(h.StartPeriod, 0), "Retries": retries,
	}
}

func dockerLinux(host map[string]any, l *workload.LinuxParameters) {
	if l == nil {
		return
	}
	if l.Capabilities != nil {
		host["CapAdd"], host["CapDrop"] = append([]string{}, l.Capabilities.Add...), append([]string{}, l.Capabilities.Drop...)
	}
	set(host, "Init", deref(l.InitProcessEnabled))
	set(host, "ShmSize", int64(deref(l.SharedMemorySize))<<20)
	if len(l.Tmpfs) > 0 {
		mounts := map[string]string{}
		for _, t := range l.Tmpfs {
			mounts[t.ContainerPath] = strings.Join(append([]string{"size=" + strconv.Itoa(t.Size) + "m"}, t.MountOptions...), ",")
		}
		host["Tmpfs"] = mounts
	}
	var devices []map[string]any
	for _, d := range l.Devices {
		to, perms := d.ContainerPath, ""
		if to == "" {
			to = d.HostPath
		}
		for _, p := range d.Permissions {
			perms += p[:1]
		}
		if perms == "" {
			perms = "rwm"
		}
		devices = append(devices, map[string]any{"PathOnHost": d.HostPath, "PathInContainer": to, "CgroupPermissions": perms})
	}
	set(host, "Devices", devices)
}

func dockerLog(host map[string]any, o *task.Order, c *task.OrderContainer, endpoint string) {
	if c.Log == nil {
		return
	}
	options := map[string]string{}
	maps.Copy(options, c.Log.Options)
	if c.Log.Driver == "awslogs" {
		if prefix := options["awslogs-stream-prefix"]; prefix != "" {
			options["awslogs-stream"] = prefix + "/" + c.Name + "/" + o.ID
			delete(options, "awslogs-stream-prefix")
		}
		if endpoint != "" {
			options["awslogs-endpoint"] = endpoint
		}
	}
	host["LogConfig"] = map[string]any{"Type": c.Log.Driver, "Config": options}
}

// set adds a value unless it is empty.
func set(m map[string]any, key string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case bool:
		if !v {
			return
		}
	case int64:
		if v == 0 {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	case map[string]string:
		if len(v) == 0 {
			return
		}
	case []map[string]any:
		if len(v) == 0 {
			return
		}
	}
	m[key] = value
}

func text(v map[string]any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "{}" // maps of strings and numbers always encode
	}
	return string(data)
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
