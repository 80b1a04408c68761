package ecs

import (
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/workload"
)

// shared is what pidMode and ipcMode of a daemon say for the host's.
const shared = "shared"

// daemonDefinition is the task definition that says the same.
func daemonDefinition(in *ecs.RegisterDaemonTaskDefinitionRequest) (*ecs.RegisterTaskDefinitionRequest, error) {
	for _, v := range in.Volumes {
		if v.LogDriverVolumeConfiguration != nil {
			return nil, client("Log driver volumes of daemons are not supported yet.")
		}
	}
	out := &ecs.RegisterTaskDefinitionRequest{
		Family: in.Family, TaskRoleArn: in.TaskRoleArn, ExecutionRoleArn: in.ExecutionRoleArn, Cpu: in.Cpu, Memory: in.Memory, Tags: in.Tags,
		ContainerDefinitions: member.Each(in.ContainerDefinitions, fromDaemonContainer),
		Volumes:              member.Some(in.Volumes, func(v *ecs.DaemonVolume) ecs.Volume { return ecs.Volume{Name: v.Name, Host: v.Host} }),
	}
	switch {
	case in.PidMode != "" && !slices.Contains(in.PidMode.Values(), string(in.PidMode)):
		return nil, client("pidMode should be one of [none,shared]")
	case in.IpcMode != "" && !slices.Contains(in.IpcMode.Values(), string(in.IpcMode)):
		return nil, client("ipcMode should be one of [none,shared]")
	}
	if string(in.PidMode) == shared {
		out.PidMode = ecs.PidModeHost
	}
	if string(in.IpcMode) == shared {
		out.IpcMode = ecs.IpcModeHost
	}
	return out, nil
}

func fromDaemonContainer(in *ecs.DaemonContainerDefinition) ecs.ContainerDefinition {
	out := ecs.ContainerDefinition{
		Name: in.Name, Image: in.Image, Memory: in.Memory, MemoryReservation: in.MemoryReservation, RepositoryCredentials: in.RepositoryCredentials,
		HealthCheck: in.HealthCheck, Cpu: in.Cpu, Essential: in.Essential, EntryPoint: in.EntryPoint, Command: in.Command,
		WorkingDirectory: in.WorkingDirectory, EnvironmentFiles: in.EnvironmentFiles, Environment: in.Environment, Secrets: in.Secrets,
		ReadonlyRootFilesystem: in.ReadonlyRootFilesystem, MountPoints: in.MountPoints, LogConfiguration: in.LogConfiguration,
		FirelensConfiguration: in.FirelensConfiguration, Privileged: in.Privileged, User: in.User, Ulimits: in.Ulimits, DependsOn: in.DependsOn,
		StartTimeout: in.StartTimeout, StopTimeout: in.StopTimeout, SystemControls: in.SystemControls, Interactive: in.Interactive,
		PseudoTerminal: in.PseudoTerminal, RestartPolicy: in.RestartPolicy,
	}
	if l := in.LinuxParameters; l != nil {
		out.LinuxParameters = &ecs.LinuxParameters{Capabilities: l.Capabilities, Devices: l.Devices, InitProcessEnabled: l.InitProcessEnabled, Tmpfs: l.Tmpfs}
	}
	return out
}

func showDaemonDefinition(d *workload.Definition) *ecs.DaemonTaskDefinition {
	return &ecs.DaemonTaskDefinition{
		DaemonTaskDefinitionArn: &d.ARN, Family: &d.Family, Revision: int32Of(d.Revision), TaskRoleArn: member.Present(d.TaskRoleARN), ExecutionRoleArn: member.Present(d.ExecutionRoleARN),
		ContainerDefinitions: member.Each(d.Containers, showDaemonContainer), Cpu: member.Present(d.CPU), Memory: member.Present(d.Memory), Status: ecs.DaemonTaskDefinitionStatus(d.Status),
		Volumes: member.Each(d.Volumes, func(v *workload.Volume) ecs.DaemonVolume {
			shown := showVolume(v)
			return ecs.DaemonVolume{Name: shown.Name, Host: shown.Host}
		}),

		RegisteredAt: member.Time(d.RegisteredAt), DeleteRequestedAt: member.Time(d.DeleteRequestedAt), RegisteredBy: member.Present(d.RegisteredBy),
		PidMode: ecs.DaemonPidMode(sharing(d.PIDMode)), IpcMode: ecs.DaemonIpcMode(sharing(d.IPCMode)),
	}
}

// sharing is a namespace mode in a daemon's words.
func sharing(mode string) string {
	if mode == "" {
		return "none"
	}
	return shared
}

func showDaemonContainer(c *workload.Container) ecs.DaemonContainerDefinition {
	s := showContainerDefinition(c)
	out := ecs.DaemonContainerDefinition{
		Name: s.Name, Image: s.Image, Memory: s.Memory, MemoryReservation: s.MemoryReservation, RepositoryCredentials: s.RepositoryCredentials,
		HealthCheck: s.HealthCheck, Cpu: s.Cpu, Essential: s.Essential, EntryPoint: s.EntryPoint, Command: s.Command,
		WorkingDirectory: s.WorkingDirectory, EnvironmentFiles: s.EnvironmentFiles, Environment: s.Environment, Secrets: s.Secrets,
		ReadonlyRootFilesystem: s.ReadonlyRootFilesystem, MountPoints: s.MountPoints, LogConfiguration: s.LogConfiguration,
		FirelensConfiguration: s.FirelensConfiguration, Privileged: s.Privileged, User: s.User, Ulimits: s.Ulimits, DependsOn: s.DependsOn,
		StartTimeout: s.StartTimeout, StopTimeout: s.StopTimeout, SystemControls: s.SystemControls, Interactive: s.Interactive,
		PseudoTerminal: s.PseudoTerminal, RestartPolicy: s.RestartPolicy,
	}
	if l := s.LinuxParameters; l != nil {
		out.LinuxParameters = &ecs.DaemonLinuxParameters{Capabilities: l.Capabilities, Devices: l.Devices, InitProcessEnabled: l.InitProcessEnabled, Tmpfs: l.Tmpfs}
	}
	return out
}
