package host

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"

	"github.com/berthhq/berth/agent/logs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
)

// reserve is the memory, in MiB, that is left to the machine and to berth.
const reserve = 512

// offer is what tasks may have of the machine.
func (h *Host) offer() cluster.Resources {
	r := cluster.Resources{CPU: h.CPU, Memory: h.Memory, PortsTCP: []int{22, 51678, 51679}}
	if r.CPU == 0 {
		r.CPU = goruntime.NumCPU() * 1024
	}
	if r.Memory == 0 {
		r.Memory = max(reserve, totalMemory()-reserve)
	}
	return r
}

// totalMemory is the machine's, in MiB.
func totalMemory() int {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemTotal:" {
			kib, _ := strconv.Atoi(f[1])
			return kib / 1024
		}
	}
	return 0
}

func architecture() string {
	return map[string]string{"amd64": "x86_64", "arm64": "arm64"}[goruntime.GOARCH]
}

// localAddress is the machine's own in its network; invalid when it has none.
func localAddress() netip.Addr {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if ip, ok := netip.AddrFromSlice(n.IP.To4()); ok && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			return ip
		}
	}
	return netip.Addr{}
}

// attributes say what the agent can do and what it offers.
func (h *Host) attributes() []workload.Attribute {
	list := append(workload.AgentCapabilities(logs.Drivers()...),
		workload.Attribute{Name: "ecs.availability-zone", Value: h.zone()},
		workload.Attribute{Name: "ecs.cpu-architecture", Value: architecture()},
		workload.Attribute{Name: "ecs.os-type", Value: "linux"},
		workload.Attribute{Name: "ecs.os-family", Value: "LINUX"},
		workload.Attribute{Name: acs.BerthCapability},
		workload.Attribute{Name: acs.AttributeOffersEC2, Value: fmt.Sprint(h.OffersEC2)},
		workload.Attribute{Name: acs.AttributeOffersFargate, Value: fmt.Sprint(h.OffersFargate)},
		workload.Attribute{Name: acs.AttributeFargateOvercommit, Value: fmt.Sprint(max(1, h.Overcommit))},
	)
	if h.Edge {
		list = append(list, workload.Attribute{Name: acs.AttributeEdge, Value: "true"})
	}
	if a := localAddress(); a.IsValid() {
		list = append(list, workload.Attribute{Name: acs.AttributePrivateIP, Value: a.String()})
	}
	if h.BlockIMDS {
		list = append(list, workload.Attribute{Name: "ecs.capability.task-eni-block-instance-metadata"})
	}
	if h.underlay.IsValid() {
		list = append(list, workload.Attribute{Name: acs.AttributeUnderlay, Value: h.underlay.String()})
	}
	if h.CapacityProvider != "" {
		list = append(list, workload.Attribute{Name: acs.AttributeCapacityProvider, Value: h.CapacityProvider})
	}
	return list
}
