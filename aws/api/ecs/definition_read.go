package ecs

import (
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// readDefinition makes the definition a caller registers, unchecked.
func readDefinition(call *gateway.Call, in *ecs.RegisterTaskDefinitionRequest) *workload.Definition {
	d := &workload.Definition{
		Scope: call.Scope, Family: deref(in.Family), Status: workload.Active,
		TaskRoleARN: roleARN(call.Scope, deref(in.TaskRoleArn)), ExecutionRoleARN: roleARN(call.Scope, deref(in.ExecutionRoleArn)),
		NetworkMode: workload.NetworkMode(in.NetworkMode), PIDMode: string(in.PidMode), IPCMode: string(in.IpcMode),
		Containers: each(in.ContainerDefinitions, readContainer), Volumes: some(in.Volumes, readVolume),
		PlacementConstraints: some(in.PlacementConstraints, func(c *ecs.TaskDefinitionPlacementConstraint) workload.Constraint {
			return workload.Constraint{Type: string(c.Type), Expression: deref(c.Expression)}
		}),
		RequiresCompatibilities: words[workload.LaunchType](in.RequiresCompatibilities),
		CPU:                     deref(in.Cpu), Memory: deref(in.Memory),
		EnableFaultInjection: in.EnableFaultInjection,
		RegisteredAt:         call.Now, RegisteredBy: call.Principal.ARN,
		InferenceAccelerators: some(in.InferenceAccelerators, func(a *ecs.InferenceAccelerator) workload.InferenceAccelerator {
			return workload.InferenceAccelerator{DeviceName: deref(a.DeviceName), DeviceType: deref(a.DeviceType)}
		}),
	}
	if p := in.RuntimePlatform; p != nil {
		d.RuntimePlatform = &workload.RuntimePlatform{CPUArchitecture: string(p.CpuArchitecture), OperatingSystemFamily: string(p.OperatingSystemFamily)}
	}
	if p := in.ProxyConfiguration; p != nil {
		d.ProxyConfiguration = &workload.ProxyConfiguration{Type: string(p.Type), ContainerName: deref(p.ContainerName), Properties: some(p.Properties, readKeyValue)}
	}
	if e := in.EphemeralStorage; e != nil {
		d.EphemeralStorageGiB = max(int(deref(e.SizeInGiB)), 1) // 0 means that none was asked for
	}
	return d
}

// roleARN completes the short name of a role.
func roleARN(scope arn.Scope, role string) string {
	if role == "" || arn.IsARN(role) {
		return role
	}
	return scope.Global("iam", "role/"+role)
}

func readContainer(in *ecs.ContainerDefinition) workload.Container {
	return workload.Container{
		Name: deref(in.Name), Image: deref(in.Image), Essential: in.Essential == nil || *in.Essential,
		CPU: int(deref(in.Cpu)), Memory: optionalInt(in.Memory), MemoryReservation: optionalInt(in.MemoryReservation),
		Command: in.Command, EntryPoint: in.EntryPoint, Environment: some(in.Environment, readKeyValue),
		EnvironmentFiles: some(in.EnvironmentFiles, readEnvironmentFile), Secrets: some(in.Secrets, readSecret),
		User: deref(in.User), WorkingDirectory: deref(in.WorkingDirectory),
		PortMappings: some(in.PortMappings, readPortMapping), Links: in.Links, Hostname: deref(in.Hostname),
		DNSServers: in.DnsServers, DNSSearch: in.DnsSearchDomains,
		ExtraHosts: some(in.ExtraHosts, func(h *ecs.HostEntry) workload.HostEntry {
			return workload.HostEntry{Hostname: deref(h.Hostname), IPAddress: deref(h.IpAddress)}
		}),
		DisableNetworking: in.DisableNetworking,
		MountPoints: some(in.MountPoints, func(m *ecs.MountPoint) workload.MountPoint {
			return workload.MountPoint{SourceVolume: deref(m.SourceVolume), ContainerPath: deref(m.ContainerPath), ReadOnly: m.ReadOnly}
		}),
		VolumesFrom: some(in.VolumesFrom, func(v *ecs.VolumeFrom) workload.VolumeFrom {
			return workload.VolumeFrom{SourceContainer: deref(v.SourceContainer), ReadOnly: v.ReadOnly}
		}),
		Privileged: in.Privileged, ReadonlyRootFilesystem: in.ReadonlyRootFilesystem, Interactive: in.Interactive, PseudoTerminal: in.PseudoTerminal,
		DockerSecurityOptions: in.DockerSecurityOptions, DockerLabels: in.DockerLabels,
		Ulimits: some(in.Ulimits, func(u *ecs.Ulimit) workload.Ulimit {
			return workload.Ulimit{Name: string(u.Name), Soft: int64(deref(u.SoftLimit)), Hard: int64(deref(u.HardLimit))}
		}),
		SystemControls: some(in.SystemControls, func(s *ecs.SystemControl) workload.SystemControl {
			return workload.SystemControl{Namespace: deref(s.Namespace), Value: deref(s.Value)}
		}),
		Linux: readLinux(in.LinuxParameters),
		DependsOn: some(in.DependsOn, func(d *ecs.ContainerDependency) workload.Dependency {
			return workload.Dependency{ContainerName: deref(d.ContainerName), Condition: workload.Condition(d.Condition)}
		}),
		StartTimeout: optionalInt(in.StartTimeout), StopTimeout: optionalInt(in.StopTimeout),
		RestartPolicy: readRestartPolicy(in.RestartPolicy), HealthCheck: readHealthCheck(in.HealthCheck), Log: readLog(in.LogConfiguration),
		Firelens: readFirelens(in.FirelensConfiguration), RepositoryCredentials: readRepositoryCredentials(in.RepositoryCredentials),
		ResourceRequirements: some(in.ResourceRequirements, readResourceRequirement), CredentialSpecs: in.CredentialSpecs,
		VersionConsistency: string(in.VersionConsistency),
	}
}

func readKeyValue(kv *ecs.KeyValuePair) workload.KeyValue {
	return workload.KeyValue{Name: deref(kv.Name), Value: deref(kv.Value)}
}

func readEnvironmentFile(f *ecs.EnvironmentFile) workload.EnvironmentFile {
	return workload.EnvironmentFile{Value: deref(f.Value), Type: string(f.Type)}
}

func readSecret(s *ecs.Secret) workload.Secret {
	return workload.Secret{Name: deref(s.Name), ValueFrom: deref(s.ValueFrom)}
}

func readResourceRequirement(r *ecs.ResourceRequirement) workload.ResourceRequirement {
	return workload.ResourceRequirement{Type: string(r.Type), Value: deref(r.Value)}
}

func readPortMapping(m *ecs.PortMapping) workload.PortMapping {
	return workload.PortMapping{
		ContainerPort: int(deref(m.ContainerPort)), HostPort: optionalInt(m.HostPort), Protocol: string(m.Protocol),
		Name: deref(m.Name), AppProtocol: string(m.AppProtocol), ContainerPortRange: deref(m.ContainerPortRange),
	}
}

func readRestartPolicy(in *ecs.ContainerRestartPolicy) *workload.RestartPolicy {
	if in == nil {
		return nil
	}
	return &workload.RestartPolicy{
		Enabled: deref(in.Enabled), IgnoredExitCodes: some(in.IgnoredExitCodes, func(n *int32) int { return int(*n) }),
		RestartAttemptPeriod: optionalInt(in.RestartAttemptPeriod),
	}
}

func readHealthCheck(in *ecs.HealthCheck) *workload.HealthCheck {
	if in == nil {
		return nil
	}
	return &workload.HealthCheck{
		Command: in.Command, Interval: optionalInt(in.Interval), Timeout: optionalInt(in.Timeout),
		Retries: optionalInt(in.Retries), StartPeriod: optionalInt(in.StartPeriod),
	}
}

func readLog(in *ecs.LogConfiguration) *workload.LogConfiguration {
	if in == nil {
		return nil
	}
	return &workload.LogConfiguration{Driver: string(in.LogDriver), Options: in.Options, SecretOptions: some(in.SecretOptions, readSecret)}
}

func readFirelens(in *ecs.FirelensConfiguration) *workload.FirelensConfiguration {
	if in == nil {
		return nil
	}
	return &workload.FirelensConfiguration{Type: string(in.Type), Options: in.Options}
}

func readRepositoryCredentials(in *ecs.RepositoryCredentials) string {
	if in == nil {
		return ""
	}
	return deref(in.CredentialsParameter)
}

func readLinux(in *ecs.LinuxParameters) *workload.LinuxParameters {
	if in == nil {
		return nil
	}
	out := &workload.LinuxParameters{
		Devices: some(in.Devices, func(d *ecs.Device) workload.Device {
			return workload.Device{HostPath: deref(d.HostPath), ContainerPath: deref(d.ContainerPath), Permissions: words[string](d.Permissions)}
		}),
		InitProcessEnabled: in.InitProcessEnabled, SharedMemorySize: optionalInt(in.SharedMemorySize),
		Tmpfs: some(in.Tmpfs, func(t *ecs.Tmpfs) workload.Tmpfs {
			return workload.Tmpfs{ContainerPath: deref(t.ContainerPath), Size: int(deref(t.Size)), MountOptions: t.MountOptions}
		}),
		MaxSwap: optionalInt(in.MaxSwap), Swappiness: optionalInt(in.Swappiness),
	}
	if c := in.Capabilities; c != nil {
		out.Capabilities = &workload.Capabilities{Add: c.Add, Drop: c.Drop}
	}
	return out
}

func readVolume(in *ecs.Volume) workload.Volume {
	v := workload.Volume{Name: deref(in.Name), ConfiguredAtLaunch: in.ConfiguredAtLaunch}
	if h := in.Host; h != nil {
		v.Host = &workload.HostVolume{SourcePath: deref(h.SourcePath)}
	}
	if d := in.DockerVolumeConfiguration; d != nil {
		v.Docker = &workload.DockerVolume{
			Scope: string(d.Scope), Autoprovision: d.Autoprovision, Driver: deref(d.Driver), DriverOpts: d.DriverOpts, Labels: d.Labels,
		}
	}
	if e := in.EfsVolumeConfiguration; e != nil {
		v.EFS = &workload.EFSVolume{
			FileSystemID: deref(e.FileSystemId), RootDirectory: deref(e.RootDirectory),
			TransitEncryption: string(e.TransitEncryption), TransitEncryptionPort: e.TransitEncryptionPort,
		}
		if auth := e.AuthorizationConfig; auth != nil {
			v.EFS.Authorization = &workload.EFSAuthorization{AccessPointID: deref(auth.AccessPointId), IAM: string(auth.Iam)}
		}
	}
	if f := in.FsxWindowsFileServerVolumeConfiguration; f != nil {
		v.FSx = &workload.FSxVolume{FileSystemID: deref(f.FileSystemId), RootDirectory: deref(f.RootDirectory)}
		if auth := f.AuthorizationConfig; auth != nil {
			v.FSx.CredentialsParameter, v.FSx.Domain = deref(auth.CredentialsParameter), deref(auth.Domain)
		}
	}
	if s := in.S3filesVolumeConfiguration; s != nil {
		v.S3Files = &workload.S3FilesVolume{
			FileSystemARN: deref(s.FileSystemArn), AccessPointARN: deref(s.AccessPointArn), RootDirectory: deref(s.RootDirectory),
			TransitEncryptionPort: s.TransitEncryptionPort,
		}
	}
	return v
}
