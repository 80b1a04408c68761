package runtime

import (
	"cmp"
	"maps"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthhq/berth/agent/cgroup"
)

func cpu(r Resources) *specs.LinuxCPU {
	out := &specs.LinuxCPU{Cpus: r.CPUSet}
	if r.CPUShares > 0 {
		shares := uint64(max(r.CPUShares, 2)) // the kernel's least
		out.Shares = &shares
	}
	if r.CPUQuota > 0 {
		period := uint64(cmp.Or(r.CPUPeriod, cgroup.Period))
		out.Quota, out.Period = &r.CPUQuota, &period
	}
	return out
}

// memory allows as much swap as memory unless told otherwise, as Docker does.
func memory(r Resources) *specs.LinuxMemory {
	out := &specs.LinuxMemory{}
	if r.Memory > 0 {
		both := 2 * r.Memory
		if r.Swap != nil {
			both = r.Memory + *r.Swap
		}
		out.Limit, out.Swap = &r.Memory, &both
	}
	if r.Reservation > 0 {
		out.Reservation = &r.Reservation
	}
	if r.Swappiness != nil {
		n := uint64(*r.Swappiness)
		out.Swappiness = &n
	}
	return out
}

func rlimits(ulimits []Ulimit) []specs.POSIXRlimit {
	var out []specs.POSIXRlimit
	for _, u := range ulimits {
		out = append(out, specs.POSIXRlimit{Type: "RLIMIT_" + strings.ToUpper(u.Name), Soft: u.Soft, Hard: u.Hard})
	}
	return out
}

// sysctls lets unprivileged processes ping and listen on any port of a network
// namespace that is not the host's, as Docker does. gVisor has no such files.
func sysctls(c *Container) map[string]string {
	out := map[string]string{}
	if !c.Network.Host && c.Isolation == Namespaces {
		out["net.ipv4.ip_unprivileged_port_start"] = "0"
		out["net.ipv4.ping_group_range"] = "0 2147483647"
	}
	maps.Copy(out, c.Sysctls)
	return out
}
