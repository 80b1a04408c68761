package workload

import (
	"slices"
	"strings"
)

func capabilityNames() []string {
	return []string{
		"ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK",
		"IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST",
		"NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT",
		"SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM",
	}
}

func checkLinuxParameters(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		l := c.Linux
		if l == nil {
			continue
		}
		if err := checkCapabilities(c.Name, l.Capabilities); err != nil {
			return err
		}
		if err := checkDevices(c.Name, l.Devices); err != nil {
			return err
		}
		if err := checkTmpfs(c.Name, l.Tmpfs); err != nil {
			return err
		}
		if err := between("sharedMemorySize", c.Name, l.SharedMemorySize, 1, maxTimeout); err != nil {
			return err
		}
		if err := between("swappiness", c.Name, l.Swappiness, 0, 100); err != nil {
			return err
		}
		if l.MaxSwap != nil && *l.MaxSwap < 0 {
			return refuse("the 'maxSwap' setting for container '%s' must be 0 or any positive integer", c.Name)
		}
	}
	return nil
}

func checkCapabilities(container string, c *Capabilities) error {
	if c == nil {
		return nil
	}
	for _, name := range slices.Concat(c.Add, c.Drop) {
		if !slices.Contains(capabilityNames(), name) {
			return refuse("Unsupported capability '%s' for container '%s'.", name, container)
		}
	}
	return nil
}

func checkDevices(container string, devices []Device) error {
	for _, dev := range devices {
		if dev.HostPath == "" {
			return refuse("Device hostPath should not be null or empty in container '%s'.", container)
		}
		for _, p := range dev.Permissions {
			if err := oneOf("device permissions", p, "read", "write", "mknod"); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkTmpfs(container string, mounts []Tmpfs) error {
	for _, t := range mounts {
		if !strings.HasPrefix(t.ContainerPath, "/") {
			return refuse("Tmpfs containerPath should be an absolute path in container '%s'.", container)
		}
		if t.Size < 1 {
			return refuse("Tmpfs size should be at least 1 in container '%s'.", container)
		}
	}
	return nil
}

func checkSystemControls(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		for _, s := range c.SystemControls {
			if s.Namespace == "" || s.Value == "" {
				return refuse("Invalid 'systemControls' setting for container '%s'. namespace and value are required.", c.Name)
			}
			switch {
			case strings.HasPrefix(s.Namespace, "net."):
				if d.Mode() == Host {
					return refuse("Network namespace systemControls are not supported when networkMode=host: '%s'.", s.Namespace)
				}
			case isIPCControl(s.Namespace):
				if d.IPCMode == "host" {
					return refuse("IPC namespace systemControls are not supported when ipcMode=host: '%s'.", s.Namespace)
				}
			default:
				return refuse("Invalid 'systemControls' setting for container '%s'. Unsupported namespace: '%s'.", c.Name, s.Namespace)
			}
		}
	}
	return nil
}

func isIPCControl(name string) bool {
	return strings.HasPrefix(name, "fs.mqueue.") || slices.Contains([]string{
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	}, name)
}
