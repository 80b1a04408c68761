package cluster

import (
	"fmt"
	"slices"
)

// Resources is what a machine offers.
type Resources struct {
	CPU      int      // units, 1024 to a core
	Memory   int      // MiB
	PortsTCP []int    // reserved: never given to tasks
	PortsUDP []int    // reserved: never given to tasks
	GPUs     []string // device ids
}

// Demand is what a task takes from an instance.
type Demand struct {
	CPU      int
	Memory   int
	PortsTCP []int // fixed host ports
	PortsUDP []int
	GPUs     int
}

// Usage is what the tasks on an instance hold.
type Usage struct {
	CPU      int
	Memory   int
	PortsTCP []int // sorted
	PortsUDP []int // sorted
	GPUs     []string
	Tasks    int
}

// Held is what one task was given: its demand with the GPUs chosen. It is
// stored with the assignment so that release gives back exactly what was taken.
type Held struct {
	CPU      int
	Memory   int
	PortsTCP []int
	PortsUDP []int
	GPUs     []string
}

// Lack is one missing resource of an instance.
type Lack struct {
	Resource string // CPU, MEMORY, PORTS or GPU: AWS's word after RESOURCE:
	Need     int
	Have     int
	Ports    []int // those taken, for PORTS
}

func (l Lack) String() string {
	if l.Resource == "PORTS" {
		return fmt.Sprintf("PORTS %v in use", l.Ports)
	}
	return fmt.Sprintf("%s needs %d, has %d", l.Resource, l.Need, l.Have)
}

// Lacks lists what the instance misses to take d; empty when it fits.
func Lacks(r *Resources, u *Usage, d *Demand) []Lack {
	var out []Lack
	if have := r.CPU - u.CPU; d.CPU > have {
		out = append(out, Lack{Resource: "CPU", Need: d.CPU, Have: have})
	}
	if have := r.Memory - u.Memory; d.Memory > have {
		out = append(out, Lack{Resource: "MEMORY", Need: d.Memory, Have: have})
	}
	taken := append(clashes(d.PortsTCP, r.PortsTCP, u.PortsTCP), clashes(d.PortsUDP, r.PortsUDP, u.PortsUDP)...)
	if len(taken) > 0 {
		out = append(out, Lack{Resource: "PORTS", Ports: taken})
	}
	if have := len(r.GPUs) - len(u.GPUs); d.GPUs > have {
		out = append(out, Lack{Resource: "GPU", Need: d.GPUs, Have: have})
	}
	return out
}

// PortsFree tells whether all host ports of d are free, for the hot path.
func PortsFree(r *Resources, u *Usage, d *Demand) bool {
	return free(d.PortsTCP, r.PortsTCP, u.PortsTCP) && free(d.PortsUDP, r.PortsUDP, u.PortsUDP)
}

func free(want, reserved, used []int) bool {
	for _, p := range want {
		if slices.Contains(reserved, p) {
			return false
		}
		if _, taken := slices.BinarySearch(used, p); taken {
			return false
		}
	}
	return true
}

func clashes(want, reserved, used []int) []int {
	var out []int
	for _, p := range want {
		if slices.Contains(reserved, p) {
			out = append(out, p)
		} else if _, taken := slices.BinarySearch(used, p); taken {
			out = append(out, p)
		}
	}
	return out
}

// Take adds d to u and returns what was given. The caller has checked Fits.
func (u Usage) Take(r *Resources, d *Demand) (Usage, Held) {
	held := Held{CPU: d.CPU, Memory: d.Memory, PortsTCP: slices.Clone(d.PortsTCP), PortsUDP: slices.Clone(d.PortsUDP)}
	for _, id := range r.GPUs {
		if len(held.GPUs) < d.GPUs && !slices.Contains(u.GPUs, id) {
			held.GPUs = append(held.GPUs, id)
		}
	}
	u.CPU += d.CPU
	u.Memory += d.Memory
	u.PortsTCP = merged(u.PortsTCP, d.PortsTCP)
	u.PortsUDP = merged(u.PortsUDP, d.PortsUDP)
	u.GPUs = append(slices.Clone(u.GPUs), held.GPUs...)
	u.Tasks++
	return u, held
}

// Release gives back what Take gave.
func (u Usage) Release(h *Held) Usage {
	u.CPU -= h.CPU
	u.Memory -= h.Memory
	u.PortsTCP = without(u.PortsTCP, h.PortsTCP)
	u.PortsUDP = without(u.PortsUDP, h.PortsUDP)
	u.GPUs = without(u.GPUs, h.GPUs)
	u.Tasks--
	return u
}

func merged(a, b []int) []int {
	if len(b) == 0 {
		return a
	}
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return out
}

func without[T comparable](a, b []T) []T {
	if len(b) == 0 {
		return a
	}
	return slices.DeleteFunc(slices.Clone(a), func(x T) bool { return slices.Contains(b, x) })
}
