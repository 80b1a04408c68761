package runtime

import (
	"path/filepath"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// specVersion is the oldest that has all we say; crun 1.8 refuses newer ones.
const specVersion = "1.0.2"

// Annotations by which runsc puts several containers into one sandbox.
const (
	annotationKind    = "io.kubernetes.cri.container-type"
	annotationSandbox = "io.kubernetes.cri.sandbox-id"
)

// identity is who a container's process is, as its image's user database says.
type identity struct {
	uid, gid uint32
	groups   []uint32
	home     string
}

// translate writes a Container in the words of the OCI runtime specification.
func (r *Runtime) translate(c *Container, who identity) (*specs.Spec, error) {
	devices, rules, err := devices(c)
	if err != nil {
		return nil, err
	}
	s := &specs.Spec{
		Version:     specVersion,
		Root:        &specs.Root{Path: "rootfs", Readonly: c.ReadonlyRootfs},
		Hostname:    c.Hostname,
		Process:     firstProcess(c, who),
		Mounts:      mounts(c),
		Annotations: annotations(c),
		Linux: &specs.Linux{
			Namespaces:  namespaces(c),
			CgroupsPath: r.group(c),
			Resources:   resources(c.Resources, rules),
			Devices:     devices,
			Sysctl:      sysctls(c),
		},
	}
	if c.HostUTS {
		s.Hostname = ""
	}
	if !c.Privileged {
		s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = maskedPaths(), readonlyPaths()
	}
	if !c.Privileged && !c.Unconfined && c.Isolation == Namespaces {
		s.Linux.Seccomp = seccomp.DefaultProfile(s)
	}
	if c.Init {
		if err := r.withInit(s); err != nil {
			return nil, err
		}
	}
	if err := injectCDI(s, c.CDIDevices); err != nil {
		return nil, err
	}
	return s, nil
}

func firstProcess(c *Container, who identity) *specs.Process {
	p := &specs.Process{
		Terminal: c.Terminal, Args: c.Args, Env: environment(c.Env, who.home, c.Terminal), Cwd: c.Cwd,
		User:            specs.User{UID: who.uid, GID: who.gid, AdditionalGids: who.groups},
		Capabilities:    capabilities(c),
		NoNewPrivileges: c.NoNewPrivileges,
		Rlimits:         rlimits(c.Ulimits),
	}
	if p.Cwd == "" {
		p.Cwd = "/"
	}
	if c.OOMScoreAdj != 0 {
		p.OOMScoreAdj = &c.OOMScoreAdj
	}
	return p
}

// group is where the container's own cgroup lies.
func (r *Runtime) group(c *Container) string {
	parent := c.Group
	if parent == "" {
		parent = r.config.Group
	}
	return filepath.Join(parent, c.ID)
}

func namespaces(c *Container) []specs.LinuxNamespace {
	out := []specs.LinuxNamespace{{Type: specs.MountNamespace}}
	add := func(kind specs.LinuxNamespaceType, n Namespace) {
		if !n.Host {
			out = append(out, specs.LinuxNamespace{Type: kind, Path: n.Path})
		}
	}
	add(specs.NetworkNamespace, Namespace(c.Network))
	add(specs.PIDNamespace, c.PID)
	add(specs.IPCNamespace, c.IPC)
	add(specs.UTSNamespace, Namespace{Host: c.HostUTS})
	return out
}

func annotations(c *Container) map[string]string {
	switch {
	case c.Isolation != GVisor:
		return nil
	case c.Pause:
		return map[string]string{annotationKind: "sandbox", annotationSandbox: c.ID}
	case c.Sandbox != "":
		return map[string]string{annotationKind: "container", annotationSandbox: c.Sandbox}
	}
	return nil
}

func resources(r Resources, rules []specs.LinuxDeviceCgroup) *specs.LinuxResources {
	out := &specs.LinuxResources{Devices: rules}
	if r.CPUShares > 0 || r.CPUQuota > 0 || r.CPUSet != "" {
		out.CPU = cpu(r)
	}
	if r.Memory > 0 || r.Reservation > 0 || r.Swappiness != nil {
		out.Memory = memory(r)
	}
	if r.PIDs > 0 {
		out.Pids = &specs.LinuxPids{Limit: &r.PIDs}
	}
	return out
}

func maskedPaths() []string {
	return []string{"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"}
}

func readonlyPaths() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
}
