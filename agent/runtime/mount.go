package runtime

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const defaultShmSize = 64 << 20

// mounts lists the kernel's file systems, then the container's own, parents
// before what lies below them.
func mounts(c *Container) []specs.Mount {
	own := make([]specs.Mount, 0, len(c.Mounts))
	for _, m := range c.Mounts {
		own = append(own, mountOf(m))
	}
	slices.SortStableFunc(own, func(a, b specs.Mount) int { return depth(a.Destination) - depth(b.Destination) })
	taken := func(m specs.Mount) bool {
		return slices.ContainsFunc(own, func(o specs.Mount) bool { return o.Destination == m.Destination })
	}
	return append(slices.DeleteFunc(kernelMounts(c), taken), own...)
}

func depth(target string) int { return strings.Count(path.Clean(target), "/") }

func mountOf(m Mount) specs.Mount {
	options := slices.Clone(m.Options)
	if m.ReadOnly {
		options = append(options, "ro")
	}
	if m.Kind == Tmpfs {
		options = append([]string{"nosuid", "nodev"}, options...)
		if m.Size > 0 {
			options = append(options, "size="+strconv.FormatInt(m.Size, 10))
		}
		return specs.Mount{Destination: path.Clean(m.Target), Type: "tmpfs", Source: "tmpfs", Options: options}
	}
	if !slices.ContainsFunc(options, isPropagation) {
		options = append(options, "rprivate")
	}
	return specs.Mount{Destination: path.Clean(m.Target), Type: "bind", Source: m.Source, Options: append([]string{"rbind"}, options...)}
}

func isPropagation(option string) bool {
	return slices.Contains([]string{"private", "rprivate", "shared", "rshared", "slave", "rslave"}, option)
}

func kernelMounts(c *Container) []specs.Mount {
	shm := specs.Mount{Destination: "/dev/shm", Type: "tmpfs", Source: "shm",
		Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=" + strconv.FormatInt(shmSize(c), 10)}}
	if c.IPC.Host {
		shm = specs.Mount{Destination: "/dev/shm", Type: "bind", Source: "/dev/shm", Options: []string{"rbind", "rprivate"}}
	}
	access := "ro"
	if c.Privileged {
		access = "rw"
	}
	out := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		shm,
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		sysfs(c, access),
	}
	if c.Isolation == Namespaces {
		out = append(out, specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "relatime", access}})
	}
	return out
}

// sysfs belongs to a network namespace, so one that sees the host's gets a bind.
func sysfs(c *Container, access string) specs.Mount {
	options := []string{"nosuid", "noexec", "nodev", access}
	if c.Network.Host && c.Isolation == Namespaces {
		return specs.Mount{Destination: "/sys", Type: "bind", Source: "/sys", Options: append([]string{"rbind"}, options...)}
	}
	return specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: options}
}

func shmSize(c *Container) int64 {
	if c.ShmSize > 0 {
		return c.ShmSize
	}
	return defaultShmSize
}
