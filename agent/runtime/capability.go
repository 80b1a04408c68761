package runtime

import (
	"slices"
	"strings"

	kernelcap "github.com/containerd/containerd/v2/pkg/cap"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// defaultCapabilities are those that Docker gives a container.
// https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
func defaultCapabilities() []string {
	return []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
		"CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"}
}

// ownCapabilities are those that this process can hand on.
func ownCapabilities() []string {
	own, err := kernelcap.Current()
	if err != nil {
		return defaultCapabilities()
	}
	return own
}

func capabilities(c *Container) *specs.LinuxCapabilities {
	set := defaultCapabilities()
	if c.Privileged || slices.Contains(c.CapAdd, "ALL") {
		set = ownCapabilities()
	}
	if slices.Contains(c.CapDrop, "ALL") && !c.Privileged {
		set = nil
	}
	for _, name := range c.CapAdd {
		if name := capabilityName(name); name != "CAP_ALL" && !slices.Contains(set, name) {
			set = append(set, name)
		}
	}
	for _, name := range c.CapDrop {
		set = slices.DeleteFunc(set, func(have string) bool { return have == capabilityName(name) })
	}
	return &specs.LinuxCapabilities{Bounding: set, Effective: set, Permitted: set}
}

// capabilityName accepts "NET_ADMIN" and "CAP_NET_ADMIN".
func capabilityName(s string) string {
	s = strings.ToUpper(s)
	if strings.HasPrefix(s, "CAP_") {
		return s
	}
	return "CAP_" + s
}
