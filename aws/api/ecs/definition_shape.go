package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/workload"
)

// showDefinition is the definition as AWS echoes it. Lists that AWS always shows
// are there when empty, optional structures only when set.
func showDefinition(d *workload.Definition) *ecs.TaskDefinition {
	out := &ecs.TaskDefinition{
		TaskDefinitionArn: &d.ARN, Family: &d.Family, Revision: int32Of(d.Revision), Status: ecs.TaskDefinitionStatus(d.Status),
		ContainerDefinitions: member.Each(d.Containers, showContainerDefinition),
		TaskRoleArn:          member.Present(d.TaskRoleARN), ExecutionRoleArn: member.Present(d.ExecutionRoleARN), NetworkMode: ecs.NetworkMode(d.NetworkMode),
		Volumes: member.Each(d.Volumes, showVolume), RequiresAttributes: member.Some(d.RequiresAttributes, showAttribute),
		PlacementConstraints: member.Each(d.PlacementConstraints, func(c *workload.Constraint) ecs.TaskDefinitionPlacementConstraint {
			return ecs.TaskDefinitionPlacementConstraint{Type: ecs.TaskDefinitionPlacementConstraintType(c.Type), Expression: member.Present(c.Expression)}
		}),

		Compatibilities: words[ecs.Compatibility](d.Compatibilities),
		Cpu:             member.Present(d.CPU), Memory: member.Present(d.Memory), PidMode: ecs.PidMode(d.PIDMode), IpcMode: ecs.IpcMode(d.IPCMode),
		RegisteredAt: member.Time(d.RegisteredAt), DeregisteredAt: member.Time(d.DeregisteredAt), DeleteRequestedAt: member.Time(d.DeleteRequestedAt),
		RegisteredBy: member.Present(d.RegisteredBy), EnableFaultInjection: d.EnableFaultInjection,
	}
	if len(d.RequiresCompatibilities) > 0 {
		out.RequiresCompatibilities = words[ecs.Compatibility](d.RequiresCompatibilities)
	}
	if p := d.RuntimePlatform; p != nil {
		out.RuntimePlatform = &ecs.RuntimePlatform{
			CpuArchitecture: ecs.CPUArchitecture(p.CPUArchitecture), OperatingSystemFamily: ecs.OSFamily(p.OperatingSystemFamily),
		}
	}
	if p := d.ProxyConfiguration; p != nil {
		out.ProxyConfiguration = &ecs.ProxyConfiguration{
			Type: ecs.ProxyConfigurationType(p.Type), ContainerName: &p.ContainerName, Properties: member.Some(p.Properties, showKeyValue),
		}
	}
	if d.EphemeralStorageGiB > 0 {
		out.EphemeralStorage = &ecs.EphemeralStorage{SizeInGiB: int32Of(d.EphemeralStorageGiB)}
	}
	return out
}

func showContainerDefinition(c *workload.Container) ecs.ContainerDefinition {
	return ecs.ContainerDefinition{
		Name: &c.Name, Image: &c.Image, Essential: &c.Essential, Cpu: int32Of(c.CPU),
		Memory: optionalInt32(c.Memory), MemoryReservation: optionalInt32(c.MemoryReservation),
		Command: c.Command, EntryPoint: c.EntryPoint, Environment: member.Each(c.Environment, showKeyValue),
		EnvironmentFiles: member.Some(c.EnvironmentFiles, showEnvironmentFile), Secrets: member.Some(c.Secrets, showSecret),
		User: member.Present(c.User), WorkingDirectory: member.Present(c.WorkingDirectory),
		PortMappings: member.Each(c.PortMappings, showPortMapping), Links: c.Links, Hostname: member.Present(c.Hostname),
		DnsServers: c.DNSServers, DnsSearchDomains: c.DNSSearch,
		ExtraHosts: member.Some(c.ExtraHosts, func(h *workload.HostEntry) ecs.HostEntry {
			return ecs.HostEntry{Hostname: &h.Hostname, IpAddress: &h.IPAddress}
		}),

		DisableNetworking: c.DisableNetworking,
		MountPoints: member.Each(c.MountPoints, func(m *workload.MountPoint) ecs.MountPoint {
			return ecs.MountPoint{SourceVolume: &m.SourceVolume, ContainerPath: &m.ContainerPath, ReadOnly: m.ReadOnly}
		}),

		VolumesFrom: member.Each(c.VolumesFrom, func(v *workload.VolumeFrom) ecs.VolumeFrom {
			return ecs.VolumeFrom{SourceContainer: &v.SourceContainer, ReadOnly: v.ReadOnly}
		}),

		Privileged: c.Privileged, ReadonlyRootFilesystem: c.ReadonlyRootFilesystem, Interactive: c.Interactive, PseudoTerminal: c.PseudoTerminal,
		DockerSecurityOptions: c.DockerSecurityOptions, DockerLabels: c.DockerLabels,
		Ulimits: member.Some(c.Ulimits, func(u *workload.Ulimit) ecs.Ulimit {
			return ecs.Ulimit{Name: ecs.UlimitName(u.Name), SoftLimit: int32Of(int(u.Soft)), HardLimit: int32Of(int(u.Hard))}
		}),

		SystemControls: member.Each(c.SystemControls, func(s *workload.SystemControl) ecs.SystemControl {
			return ecs.SystemControl{Namespace: &s.Namespace, Value: &s.Value}
		}),

		LinuxParameters: showLinux(c.Linux),
		DependsOn: member.Some(c.DependsOn, func(d *workload.Dependency) ecs.ContainerDependency {
			return ecs.ContainerDependency{ContainerName: &d.ContainerName, Condition: ecs.ContainerCondition(d.Condition)}
		}),

		StartTimeout: optionalInt32(c.StartTimeout), StopTimeout: optionalInt32(c.StopTimeout),
		RestartPolicy: showRestartPolicy(c.RestartPolicy), HealthCheck: showHealthCheck(c.HealthCheck), LogConfiguration: showLog(c.Log),
		FirelensConfiguration: showFirelens(c.Firelens), RepositoryCredentials: showRepositoryCredentials(c.RepositoryCredentials),
		ResourceRequirements: member.Some(c.ResourceRequirements, showResourceRequirement), CredentialSpecs: c.CredentialSpecs,
		VersionConsistency: ecs.VersionConsistency(c.VersionConsistency),
	}
}

func showAttribute(a *workload.Attribute) ecs.Attribute {
	return ecs.Attribute{Name: &a.Name, Value: member.Present(a.Value), TargetType: ecs.TargetType(a.TargetType), TargetId: member.Present(a.TargetID)}
}

func showKeyValue(kv *workload.KeyValue) ecs.KeyValuePair {
	return ecs.KeyValuePair{Name: &kv.Name, Value: &kv.Value}
}

func showEnvironmentFile(f *workload.EnvironmentFile) ecs.EnvironmentFile {
	return ecs.EnvironmentFile{Value: &f.Value, Type: ecs.EnvironmentFileType(f.Type)}
}

func showSecret(s *workload.Secret) ecs.Secret {
	return ecs.Secret{Name: &s.Name, ValueFrom: &s.ValueFrom}
}

func showResourceRequirement(r *workload.ResourceRequirement) ecs.ResourceRequirement {
	return ecs.ResourceRequirement{Type: ecs.ResourceType(r.Type), Value: &r.Value}
}

func showPortMapping(m *workload.PortMapping) ecs.PortMapping {
	out := ecs.PortMapping{
		HostPort: optionalInt32(m.HostPort), Protocol: ecs.TransportProtocol(m.Protocol), Name: member.Present(m.Name),
		AppProtocol: ecs.ApplicationProtocol(m.AppProtocol), ContainerPortRange: member.Present(m.ContainerPortRange),
	}
	if m.ContainerPort != 0 {
		out.ContainerPort = int32Of(m.ContainerPort)
	}
	return out
}

func showRestartPolicy(p *workload.RestartPolicy) *ecs.ContainerRestartPolicy {
	if p == nil {
		return nil
	}
	return &ecs.ContainerRestartPolicy{
		Enabled: &p.Enabled, IgnoredExitCodes: member.Some(p.IgnoredExitCodes, func(n *int) int32 { return int32(*n) }),
		RestartAttemptPeriod: optionalInt32(p.RestartAttemptPeriod),
	}
}

// What AWS echoes of a health check that does not say more than its command.
const (
	defaultInterval = 30 // seconds
	defaultTimeout  = 5  // seconds
	defaultRetries  = 3
)

func showHealthCheck(h *workload.HealthCheck) *ecs.HealthCheck {
	if h == nil {
		return nil
	}
	or := func(n *int, otherwise int) *int32 {
		if n == nil {
			return int32Of(otherwise)
		}
		return int32Of(*n)
	}
	return &ecs.HealthCheck{
		Command: h.Command, Interval: or(h.Interval, defaultInterval), Timeout: or(h.Timeout, defaultTimeout), Retries: or(h.Retries, defaultRetries),
		StartPeriod: optionalInt32(h.StartPeriod),
	}
}

func showLog(l *workload.LogConfiguration) *ecs.LogConfiguration {
	if l == nil {
		return nil
	}
	return &ecs.LogConfiguration{LogDriver: ecs.LogDriver(l.Driver), Options: l.Options, SecretOptions: member.Some(l.SecretOptions, showSecret)}
}

func showFirelens(f *workload.FirelensConfiguration) *ecs.FirelensConfiguration {
	if f == nil {
		return nil
	}
	return &ecs.FirelensConfiguration{Type: ecs.FirelensConfigurationType(f.Type), Options: f.Options}
}

func showRepositoryCredentials(secret string) *ecs.RepositoryCredentials {
	if secret == "" {
		return nil
	}
	return &ecs.RepositoryCredentials{CredentialsParameter: &secret}
}

func showLinux(l *workload.LinuxParameters) *ecs.LinuxParameters {
	if l == nil {
		return nil
	}
	out := &ecs.LinuxParameters{
		Devices: member.Some(l.Devices, func(d *workload.Device) ecs.Device {
			dev := ecs.Device{HostPath: &d.HostPath, ContainerPath: member.Present(d.ContainerPath)}
			if len(d.Permissions) > 0 {
				dev.Permissions = words[ecs.DeviceCgroupPermission](d.Permissions)
			}
			return dev
		}),

		InitProcessEnabled: l.InitProcessEnabled, SharedMemorySize: optionalInt32(l.SharedMemorySize),
		Tmpfs: member.Some(l.Tmpfs, func(t *workload.Tmpfs) ecs.Tmpfs {
			return ecs.Tmpfs{ContainerPath: &t.ContainerPath, Size: int32Of(t.Size), MountOptions: t.MountOptions}
		}),

		MaxSwap: optionalInt32(l.MaxSwap), Swappiness: optionalInt32(l.Swappiness),
	}
	if c := l.Capabilities; c != nil {
		out.Capabilities = &ecs.KernelCapabilities{Add: c.Add, Drop: c.Drop}
	}
	return out
}

func showVolume(v *workload.Volume) ecs.Volume {
	out := ecs.Volume{Name: &v.Name, ConfiguredAtLaunch: v.ConfiguredAtLaunch}
	if h := v.Host; h != nil {
		out.Host = &ecs.HostVolumeProperties{SourcePath: member.Present(h.SourcePath)}
	}
	if d := v.Docker; d != nil {
		out.DockerVolumeConfiguration = &ecs.DockerVolumeConfiguration{
			Scope: ecs.Scope(d.Scope), Autoprovision: d.Autoprovision, Driver: member.Present(d.Driver), DriverOpts: d.DriverOpts, Labels: d.Labels,
		}
	}
	if e := v.EFS; e != nil {
		out.EfsVolumeConfiguration = &ecs.EFSVolumeConfiguration{
			FileSystemId: &e.FileSystemID, RootDirectory: member.Present(e.RootDirectory),
			TransitEncryption: ecs.EFSTransitEncryption(e.TransitEncryption), TransitEncryptionPort: e.TransitEncryptionPort,
		}
		if auth := e.Authorization; auth != nil {
			out.EfsVolumeConfiguration.AuthorizationConfig = &ecs.EFSAuthorizationConfig{
				AccessPointId: member.Present(auth.AccessPointID), Iam: ecs.EFSAuthorizationConfigIAM(auth.IAM),
			}
		}
	}
	if f := v.FSx; f != nil {
		out.FsxWindowsFileServerVolumeConfiguration = &ecs.FSxWindowsFileServerVolumeConfiguration{
			FileSystemId: &f.FileSystemID, RootDirectory: &f.RootDirectory,
			AuthorizationConfig: &ecs.FSxWindowsFileServerAuthorizationConfig{CredentialsParameter: &f.CredentialsParameter, Domain: &f.Domain},
		}
	}
	if s := v.S3Files; s != nil {
		out.S3filesVolumeConfiguration = &ecs.S3FilesVolumeConfiguration{
			FileSystemArn: &s.FileSystemARN, AccessPointArn: member.Present(s.AccessPointARN), RootDirectory: member.Present(s.RootDirectory),
			TransitEncryptionPort: s.TransitEncryptionPort,
		}
	}
	return out
}
