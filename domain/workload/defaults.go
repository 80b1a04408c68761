package workload

// applyDefaults fills in what AWS echoes though the caller did not say it.
// Lists that AWS always shows are made empty, not nil.
func applyDefaults(d *Definition) {
	for i := range d.Containers {
		c := &d.Containers[i]
		c.PortMappings = present(c.PortMappings)
		c.Environment = present(c.Environment)
		c.MountPoints = present(c.MountPoints)
		c.VolumesFrom = present(c.VolumesFrom)
		c.SystemControls = present(c.SystemControls)
		for j := range c.PortMappings {
			defaultMapping(d.Mode(), &c.PortMappings[j])
		}
	}
	d.Volumes = present(d.Volumes)
	d.PlacementConstraints = present(d.PlacementConstraints)
	for i := range d.Volumes {
		defaultVolume(&d.Volumes[i])
	}
}

func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func defaultMapping(mode NetworkMode, m *PortMapping) {
	if m.Protocol == "" {
		m.Protocol = "tcp"
	}
	if m.HostPort != nil || m.ContainerPortRange != "" {
		return
	}
	port := 0
	if mode == AWSVPC || mode == Host {
		port = m.ContainerPort
	}
	m.HostPort = &port
}

func defaultVolume(v *Volume) {
	if v.Docker == nil && v.EFS == nil && v.FSx == nil && v.S3Files == nil && v.Host == nil && !isTrue(v.ConfiguredAtLaunch) {
		v.Host = &HostVolume{}
	}
	if v.EFS != nil && v.EFS.RootDirectory == "" {
		v.EFS.RootDirectory = "/"
	}
	if v.Docker == nil {
		return
	}
	if v.Docker.Scope == "" {
		v.Docker.Scope = "task"
	}
	if v.Docker.Driver == "" {
		v.Docker.Driver = "local"
	}
}
