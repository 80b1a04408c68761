package workload

import (
	"slices"
	"strings"
)

// Prefixes of the capability attributes by which agents say what they can do.
const (
	agentCapability  = "com.amazonaws.ecs.capability."
	ecsCapability    = "ecs.capability."
	dockerCapability = agentCapability + "docker-remote-api."
)

// requiredAttributes lists what an instance's agent must be capable of to run
// the definition, as AWS derives it, each attribute once.
func requiredAttributes(d *Definition) []Attribute {
	var need attributeSet
	needForLogs(d, &need)
	needForImages(d, &need)
	needForTask(d, &need)
	for i := range d.Containers {
		needForContainer(&d.Containers[i], &need)
	}
	needForVolumes(d, &need)
	return need.list
}

// PlacementNeeds are the attributes that an instance must have for the definition:
// its agent's capabilities and, where the definition names one, the platform.
func (d *Definition) PlacementNeeds() []Attribute {
	needs := slices.Clone(d.RequiresAttributes)
	if p := d.RuntimePlatform; p != nil && p.CPUArchitecture != "" {
		needs = append(needs, Attribute{Name: "ecs.cpu-architecture", Value: strings.ToLower(p.CPUArchitecture)})
	}
	return needs
}

type attributeSet struct{ list []Attribute }

func (s *attributeSet) addIf(wanted bool, names ...string) {
	if !wanted {
		return
	}
	for _, name := range names {
		a := Attribute{Name: name}
		if !slices.Contains(s.list, a) {
			s.list = append(s.list, a)
		}
	}
}

// docker asks for a version of the Docker Remote API.
func docker(version string) string { return dockerCapability + version }

func needForLogs(d *Definition, need *attributeSet) {
	for i := range d.Containers {
		c := &d.Containers[i]
		if c.Log == nil {
			continue
		}
		awslogs := c.Log.Driver == "awslogs"
		need.addIf(true, agentCapability+"logging-driver."+c.Log.Driver)
		need.addIf(awslogs && d.ExecutionRoleARN != "", ecsCapability+"execution-role-awslogs")
		need.addIf(awslogs, docker("1.19"))
		need.addIf(!awslogs, docker("1.18"))
		for _, s := range c.Log.SecretOptions {
			need.addIf(true, ecsCapability+"secrets."+secretStore(s.ValueFrom)+".bootstrap.log-driver")
		}
	}
}

// secretStore is the agent's word for where a secret is kept.
func secretStore(valueFrom string) string {
	if strings.Contains(valueFrom, ":secretsmanager:") {
		return "asm"
	}
	return "ssm"
}

func needForImages(d *Definition, need *attributeSet) {
	for i := range d.Containers {
		c := &d.Containers[i]
		ecr := IsECRImage(c.Image)
		need.addIf(ecr, agentCapability+"ecr-auth")
		need.addIf(ecr && d.ExecutionRoleARN != "", ecsCapability+"execution-role-ecr-pull")
		need.addIf(c.RepositoryCredentials != "", ecsCapability+"private-registry-authentication.secretsmanager")
	}
}

func needForTask(d *Definition, need *attributeSet) {
	host := d.Mode() == Host
	need.addIf(d.TaskRoleARN != "" && !host, agentCapability+"task-iam-role")
	need.addIf(d.TaskRoleARN != "" && host, agentCapability+"task-iam-role-network-host")
	need.addIf(d.Mode() == AWSVPC, docker("1.18"), ecsCapability+"task-eni")
	need.addIf(d.PIDMode != "" || d.IPCMode != "", ecsCapability+"pid-ipc-namespace-sharing")
	need.addIf(d.ProxyConfiguration != nil, ecsCapability+"aws-appmesh")
	need.addIf(isTrue(d.EnableFaultInjection), ecsCapability+"fault-injection")
}

func needForContainer(c *Container, need *attributeSet) {
	for _, s := range c.Secrets {
		need.addIf(true, ecsCapability+"secrets."+secretStore(s.ValueFrom)+".environment-variables")
	}
	need.addIf(len(c.EnvironmentFiles) > 0, ecsCapability+"env-files.s3")
	need.addIf(isTrue(c.Privileged), agentCapability+"privileged-container")
	need.addIf(isTrue(c.ReadonlyRootFilesystem), docker("1.17"))
	need.addIf(len(c.DockerLabels) > 0 || len(c.Ulimits) > 0, docker("1.18"))
	need.addIf(c.MemoryReservation != nil, docker("1.21"))
	need.addIf(c.HealthCheck != nil, docker("1.24"), docker("1.29"), ecsCapability+"container-health-check")
	need.addIf(len(c.DependsOn) > 0 || c.StartTimeout != nil || c.StopTimeout != nil, ecsCapability+"container-ordering")
	need.addIf(c.RestartPolicy != nil && c.RestartPolicy.Enabled, ecsCapability+"container-restart-policy")
	need.addIf(hasPortRange(c), ecsCapability+"network.container-port-range")
	if c.Firelens != nil {
		need.addIf(true, ecsCapability+"firelens."+c.Firelens.Type)
		kind := c.Firelens.Options["config-file-type"]
		need.addIf(kind != "", ecsCapability+"firelens.options.config."+kind)
	}
	for _, option := range c.DockerSecurityOptions {
		need.addIf(strings.HasPrefix(option, "label:"), agentCapability+"selinux")
		need.addIf(strings.HasPrefix(option, "apparmor:"), agentCapability+"apparmor")
	}
	needForLinux(c.Linux, need)
}

func hasPortRange(c *Container) bool {
	return slices.ContainsFunc(c.PortMappings, func(m PortMapping) bool { return m.ContainerPortRange != "" })
}

func needForLinux(l *LinuxParameters, need *attributeSet) {
	if l == nil {
		return
	}
	need.addIf(len(l.Devices) > 0 || l.Capabilities != nil || len(l.Tmpfs) > 0 || l.SharedMemorySize != nil, docker("1.22"))
	need.addIf(isTrue(l.InitProcessEnabled), docker("1.25"))
}

func needForVolumes(d *Definition, need *attributeSet) {
	for i := range d.Volumes {
		v := &d.Volumes[i]
		need.addIf(v.EFS != nil, docker("1.25"), ecsCapability+"efs")
		need.addIf(v.EFS != nil && v.EFS.Authorization != nil, ecsCapability+"efsAuth")
		need.addIf(v.FSx != nil, ecsCapability+"fsxWindowsFileServer")
		need.addIf(isTrue(v.ConfiguredAtLaunch), ecsCapability+"storage.ebs-task-volume-attach")
		if v.Docker != nil {
			need.addIf(true, docker("1.25"), ecsCapability+"docker-plugin."+v.Docker.Driver)
		}
	}
}
