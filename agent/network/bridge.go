package network

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// published is a run of container ports on host ports.
type published struct {
	Protocol      string
	ContainerPort int
	HostPort      int
	Count         int  // 1, or the length of a range
	Ranged        bool `json:",omitempty"` // reported as a range
}

func (p published) binding() task.Binding {
	b := task.Binding{BindIP: "0.0.0.0", Protocol: p.Protocol}
	if p.Ranged {
		b.ContainerPortRange, b.HostPortRange = span(p.ContainerPort, p.Count), span(p.HostPort, p.Count)
		return b
	}
	b.ContainerPort, b.HostPort = p.ContainerPort, p.HostPort
	return b
}

func span(first, count int) string { return fmt.Sprintf("%d-%d", first, first+count-1) }

// targets are the host ports that lead to the wire.
func (w *wire) targets() map[binding]target {
	all := map[binding]target{}
	for _, p := range w.Published {
		for i := range p.Count {
			all[binding{protocolNumber(p.Protocol), p.HostPort + i}] = target{w.Address, p.ContainerPort + i}
		}
	}
	return all
}

func (n *Network) buildBridge(o *task.Order, a *attachment) (err error) {
	a.Range = bridgeRange(n.host.private)
	if a.router, err = n.router("", a.Range); err != nil {
		return err
	}
	ports := map[binding]target{}
	for i := range o.Containers {
		c := &o.Containers[i]
		if isolated(c) {
			continue
		}
		ip, err := n.leaseBridge(a.router)
		if err != nil {
			return err
		}
		a.Wires = append(a.Wires, wire{Container: c.Name, Link: newLink(), Address: ip, MAC: hardwareAddress(ip)})
		w := &a.Wires[len(a.Wires)-1]
		if err := n.takePorts(w, c.PortMappings); err != nil {
			return fmt.Errorf("container %s: %w", c.Name, err)
		}
		if err := n.connect(a, w); err != nil {
			return fmt.Errorf("container %s: %w", c.Name, err)
		}
		maps.Copy(ports, w.targets())
	}
	if len(a.Wires) < len(o.Containers) {
		a.Bare = newLink()
		if err := n.bare(a.Bare); err != nil {
			return err
		}
	}
	return n.host.publish(ports)
}

// isolated tells whether a container wants no network at all.
func isolated(c *task.OrderContainer) bool { return c.DisableNetworking != nil && *c.DisableNetworking }

// leaseBridge gives out an address of the bridge range; the longest unused first,
// so that a new container does not get what others still call a dead one.
func (n *Network) leaseBridge(r *Router) (netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	used := map[netip.Addr]bool{}
	for _, e := range r.ends {
		used[e.address] = true
	}
	for range 1 << (32 - r.Range.Bits()) {
		r.lastLease = r.lastLease.Next()
		if !r.Range.Contains(r.lastLease) {
			r.lastLease = r.Range.Addr().Next() // not the range's own address
		}
		if ip := r.lastLease; !used[ip] && ip.As4()[3] != 255 {
			return ip, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("all addresses of %s are taken by bridge mode containers", r.Range)
}

// takePorts holds the host ports of the mappings and notes them in the wire.
func (n *Network) takePorts(w *wire, mappings []workload.PortMapping) error {
	for _, m := range mappings {
		p, err := plan(m)
		if err != nil {
			return err
		}
		if p.HostPort == 0 {
			p.HostPort, err = n.host.ports.takeDynamic(p.Protocol, p.Count)
		} else {
			err = n.host.ports.take(p.Protocol, p.HostPort)
		}
		if err != nil {
			return err
		}
		w.Published = append(w.Published, p)
	}
	return nil
}

// plan reads a port mapping; host port 0 asks for a dynamic one.
func plan(m workload.PortMapping) (published, error) {
	p := published{Protocol: m.Protocol, ContainerPort: m.ContainerPort, Count: 1}
	if p.Protocol == "" {
		p.Protocol = "tcp"
	}
	if m.HostPort != nil {
		p.HostPort = *m.HostPort
	}
	if m.ContainerPortRange == "" {
		return p, nil
	}
	first, last, ok := strings.Cut(m.ContainerPortRange, "-")
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(last)
	if err := errors.Join(errA, errB); !ok || err != nil || a < 1 || b < a || b > 65535 {
		return p, fmt.Errorf("container port range %q is not FIRST-LAST", m.ContainerPortRange)
	}
	p.ContainerPort, p.Count, p.Ranged = a, b-a+1, true
	return p, nil
}
