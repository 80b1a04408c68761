package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// readDefinition makes the definition a caller registers, unchecked.
func readDefinition(call *gateway.Call, in *ecs.RegisterTaskDefinitionRequest) *workload.Definition {
	d := &workload.Definition{
		Scope: call.Scope, Family: member.Value(in.Family), Status: workload.Active,
		TaskRoleARN: roleARN(call.Scope, member.Value(in.TaskRoleArn)), ExecutionRoleARN: roleARN(call.Scope, member.Value(in.ExecutionRoleArn)),
		NetworkMode: workload.NetworkMode(in.NetworkMode), PIDMode: string(in.PidMode), IPCMode: string(in.IpcMode),
		Containers: member.Each(in.ContainerDefinitions, readContainer), Volumes: member.Some(in.Volumes, readVolume),
		PlacementConstraints: member.Some(in.PlacementConstraints, func(c *ecs.TaskDefinitionPlacementConstraint) workload.Constraint {
			return workload.Constraint{Type: string(c.Type), Expression: member.Value(c.Expression)}
		}),

		RequiresCompatibilities: words[workload.LaunchType](in.RequiresCompatibilities),
		CPU:                     member.Value(in.Cpu), Memory: member.Value(in.Memory),
		EnableFaultInjection: in.EnableFaultInjection,
		RegisteredAt:         call.Now, RegisteredBy: call.Principal.ARN,
		InferenceAccelerators: member.Some(in.InferenceAccelerators, func(a *ecs.InferenceAccelerator) workload.InferenceAccelerator {
			return workload.InferenceAccelerator{DeviceName: member.Value(a.DeviceName), DeviceType: member.Value(a.DeviceType)}
		}),
	}
	if p := in.RuntimePlatform; p != nil {
		d.RuntimePlatform = &workload.RuntimePlatform{CPUArchitecture: string(p.CpuArchitecture), OperatingSystemFamily: string(p.OperatingSystemFamily)}
	}
	if p := in.ProxyConfiguration; p != nil {
		d.ProxyConfiguration = &workload.ProxyConfiguration{Type: string(p.Type), ContainerName: member.Value(p.ContainerName), Properties: member.Some(p.Properties, readKeyValue)}
	}
	if e := in.EphemeralStorage; e != nil {
		d.EphemeralStorageGiB = max(int(member.Value(e.SizeInGiB)), 1) // 0 means that none was asked for
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
		Name: member.Value(in.Name), Image: member.Value(in.Image), Essential: in.Essential == nil || *in.Essential,
		CPU: int(member.Value(in.Cpu)), Memory: optionalInt(in.Memory), MemoryReservation: optionalInt(in.MemoryReservation),
		Command: in.Command, EntryPoint: in.EntryPoint, Environment: member.Some(in.Environment, readKeyValue),
		EnvironmentFiles: member.Some(in.EnvironmentFiles, readEnvironmentFile), Secrets: member.Some(in.Secrets, readSecret),
		User: member.Value(in.User), WorkingDirectory: member.Value(in.WorkingDirectory),
		PortMappings: member.Some(in.PortMappings, readPortMapping), Links: in.Links, Hostname: member.Value(in.Hostname),
		DNSServers: in.DnsServers, DNSSearch: in.DnsSearchDomains,
		ExtraHosts: member.Some(in.ExtraHosts, func(h *ecs.HostEntry) workload.HostEntry {
			return workload.HostEntry{Hostname: member.Value(h.Hostname), IPAddress: member.Value(h.IpAddress)}
		}),

		DisableNetworking: in.DisableNetworking,
		MountPoints: member.Some(in.MountPoints, func(m *ecs.MountPoint) workload.MountPoint {
			return workload.MountPoint{SourceVolume: member.Value(m.SourceVolume), ContainerPath: member.Value(m.ContainerPath), ReadOnly: m.ReadOnly}
		}),

		VolumesFrom: member.Some(in.VolumesFrom, func(v *ecs.VolumeFrom) workload.VolumeFrom {
			return workload.VolumeFrom{SourceContainer: member.Value(v.SourceContainer), ReadOnly: v.ReadOnly}
		}),

		Privileged: in.Privileged, ReadonlyRootFilesystem: in.ReadonlyRootFilesystem, Interactive: in.Interactive, PseudoTerminal: in.PseudoTerminal,
		DockerSecurityOptions: in.DockerSecurityOptions, DockerLabels: in.DockerLabels,
		Ulimits: member.Some(in.Ulimits, func(u *ecs.Ulimit) workload.Ulimit {
			return workload.Ulimit{Name: string(u.Name), Soft: int64(member.Value(u.SoftLimit)), Hard: int64(member.Value(u.HardLimit))}
		}),

		SystemControls: member.Some(in.SystemControls, func(s *ecs.SystemControl) workload.SystemControl {
			return workload.SystemControl{Namespace: member.Value(s.Namespace), Value: member.Value(s.Value)}
		}),

		Linux: readLinux(in.LinuxParameters),
		DependsOn: member.Some(in.DependsOn, func(d *ecs.ContainerDependency) workload.Dependency {
			return workload.Dependency{ContainerName: member.Value(d.ContainerName), Condition: workload.Condition(d.Condition)}
		}),

		StartTimeout: optionalInt(in.StartTimeout), StopTimeout: optionalInt(in.StopTimeout),
		RestartPolicy: readRestartPolicy(in.RestartPolicy), HealthCheck: readHealthCheck(in.HealthCheck), Log: readLog(in.LogConfiguration),
		Firelens: readFirelens(in.FirelensConfiguration), RepositoryCredentials: readRepositoryCredentials(in.RepositoryCredentials),
		ResourceRequirements: member.Some(in.ResourceRequirements, readResourceRequirement), CredentialSpecs: in.CredentialSpecs,
		VersionConsistency: string(in.VersionConsistency),
	}
}

func readKeyValue(kv *ecs.KeyValuePair) workload.KeyValue {
	return workload.KeyValue{Name: member.Value(kv.Name), Value: member.Value(kv.Value)}
}

func readEnvironmentFile(f *ecs.EnvironmentFile) workload.EnvironmentFile {
	return workload.EnvironmentFile{Value: member.Value(f.Value), Type: string(f.Type)}
}

func readSecret(s *ecs.Secret) workload.Secret {
	return workload.Secret{Name: member.Value(s.Name), ValueFrom: member.Value(s.ValueFrom)}
}

func readResourceRequirement(r *ecs.ResourceRequirement) workload.ResourceRequirement {
	return workload.ResourceRequirement{Type: string(r.Type), Value: member.Value(r.Value)}
}

func readPortMapping(m *ecs.PortMapping) workload.PortMapping {
	return workload.PortMapping{
		ContainerPort: int(member.Value(m.ContainerPort)), HostPort: optionalInt(m.HostPort), Protocol: string(m.Protocol),
		Name: member.Value(m.Name), AppProtocol: string(m.AppProtocol), ContainerPortRange: member.Value(m.ContainerPortRange),
	}
}

func readRestartPolicy(in *ecs.ContainerRestartPolicy) *workload.RestartPolicy {
	if in == nil {
		return nil
	}
	return &workload.RestartPolicy{
		Enabled: member.Value(in.Enabled), IgnoredExitCodes: member.Some(in.IgnoredExitCodes, func(n *int32) int { return int(*n) }),
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
	return &workload.LogConfiguration{Driver: string(in.LogDriver), Options: in.Options, SecretOptions: member.Some(in.SecretOptions, readSecret)}
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
	return member.Value(in.CredentialsParameter)
}

func readLinux(in *ecs.LinuxParameters) *workload.LinuxParameters {
	if in == nil {
		return nil
	}
	out := &workload.LinuxParameters{
		Devices: member.Some(in.Devices, func(d *ecs.Device) workload.Device {
			return workload.Device{HostPath: member.Value(d.HostPath), ContainerPath: member.Value(d.ContainerPath), Permissions: words[string](d.Permissions)}
		}),

		InitProcessEnabled: in.InitProcessEnabled, SharedMemorySize: optionalInt(in.SharedMemorySize),
		Tmpfs: member.Some(in.Tmpfs, func(t *ecs.Tmpfs) workload.Tmpfs {
			return workload.Tmpfs{ContainerPath: member.Value(t.ContainerPath), Size: int(member.Value(t.Size)), MountOptions: t.MountOptions}
		}),

		MaxSwap: optionalInt(in.MaxSwap), Swappiness: optionalInt(in.Swappiness),
	}
	if c := in.Capabilities; c != nil {
		out.Capabilities = &workload.Capabilities{Add: c.Add, Drop: c.Drop}
	}
	return out
}

func readVolume(in *ecs.Volume) workload.Volume {
	v := workload.Volume{Name: member.Value(in.Name), ConfiguredAtLaunch: in.ConfiguredAtLaunch}
	if h := in.Host; h != nil {
		v.Host = &workload.HostVolume{SourcePath: member.Value(h.SourcePath)}
	}
	if d := in.DockerVolumeConfiguration; d != nil {
		v.Docker = &workload.DockerVolume{
			Scope: string(d.Scope), Autoprovision: d.Autoprovision, Driver: member.Value(d.Driver), DriverOpts: d.DriverOpts, Labels: d.Labels,
		}
	}
	if e := in.EfsVolumeConfiguration; e != nil {
		v.EFS = &workload.EFSVolume{
			FileSystemID: member.Value(e.FileSystemId), RootDirectory: member.Value(e.RootDirectory),
			TransitEncryption: string(e.TransitEncryption), TransitEncryptionPort: e.TransitEncryptionPort,
		}
		if auth := e.AuthorizationConfig; auth != nil {
			v.EFS.Authorization = &workload.EFSAuthorization{AccessPointID: member.Value(auth.AccessPointId), IAM: string(auth.Iam)}
		}
	}
	if f := in.FsxWindowsFileServerVolumeConfiguration; f != nil {
		v.FSx = &workload.FSxVolume{FileSystemID: member.Value(f.FileSystemId), RootDirectory: member.Value(f.RootDirectory)}
		if auth := f.AuthorizationConfig; auth != nil {
			v.FSx.CredentialsParameter, v.FSx.Domain = member.Value(auth.CredentialsParameter), member.Value(auth.Domain)
		}
	}
	if s := in.S3filesVolumeConfiguration; s != nil {
		v.S3Files = &workload.S3FilesVolume{
			FileSystemARN: member.Value(s.FileSystemArn), AccessPointARN: member.Value(s.AccessPointArn), RootDirectory: member.Value(s.RootDirectory),
			TransitEncryptionPort: s.TransitEncryptionPort,
		}
	}
	return v
}
