package task

import (
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/workload"
)

// Demand is what a task takes from the ledger of its instance: the task's size
// where one is given, else what its containers reserve; the host ports it asks
// for by number; and its GPUs. Ports that the agent chooses, and those of a
// namespace of the task's own, take nothing.
func Demand(def *workload.Definition, spec *Spec) cluster.Demand {
	var d cluster.Demand
	for _, c := range spec.Overrides.Merged(def) {
		d.CPU += c.CPU
		d.Memory += reserved(&c)
		d.GPUs += c.GPUs()
		addHostPorts(&d, def.Mode(), c.PortMappings)
	}
	if n, ok := workload.ParseCPU(spec.CPU); ok {
		d.CPU = n
	}
	if n, ok := workload.ParseMemory(spec.Memory); ok {
		d.Memory = n
	}
	return d
}

// reserved is the memory a container takes, in MiB: the soft limit where there
// is one.
func reserved(c *workload.Container) int {
	switch {
	case c.MemoryReservation != nil:
		return *c.MemoryReservation
	case c.Memory != nil:
		return *c.Memory
	}
	return 0
}

func addHostPorts(d *cluster.Demand, mode workload.NetworkMode, mappings []workload.PortMapping) {
	if mode != workload.Bridge && mode != workload.Host {
		return
	}
	for _, m := range mappings {
		switch {
		case m.HostPort == nil || *m.HostPort == 0:
		case m.Protocol == "udp":
			d.PortsUDP = append(d.PortsUDP, *m.HostPort)
		default:
			d.PortsTCP = append(d.PortsTCP, *m.HostPort)
		}
	}
}
