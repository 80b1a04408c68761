package workload

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxPortRanges is AWS's limit of port ranges in one container.
const maxPortRanges = 100

// checkNetworkMode refuses container settings that the task's network mode has
// no use for.
func checkNetworkMode(d *Definition) error {
	mode := d.Mode()
	for i := range d.Containers {
		c := &d.Containers[i]
		if len(c.Links) > 0 && mode != Bridge {
			return refuse("Links are not supported when networkMode=%s.", mode)
		}
		if len(c.PortMappings) > 0 && mode == None {
			return refuse("Port mappings are not supported on container when networkMode=none.")
		}
		if mode != AWSVPC {
			continue
		}
		switch {
		case c.Hostname != "":
			return refuse("hostname is not supported on container when networkMode=awsvpc.")
		case len(c.ExtraHosts) > 0:
			return refuse("Extra hosts are not supported on container when networkMode=awsvpc.")
		case isTrue(c.DisableNetworking):
			return refuse("Disable Networking is not supported on container when networkMode=awsvpc.")
		case len(c.DNSServers) > 0:
			return refuse("DNS servers are not supported on container when networkMode=awsvpc.")
		case len(c.DNSSearch) > 0:
			return refuse("DNS search domains are not supported on container when networkMode=awsvpc.")
		}
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }

// ports remembers which ports a task's mappings have taken, by protocol. In
// awsvpc and host mode the containers share one namespace, so container ports
// are counted over the task; in bridge mode over one container.
type ports struct {
	container map[string][]span
	host      map[string][]span
	names     []string
}

// span is an inclusive range of ports.
type span struct{ first, last int }

func (a span) meets(b span) bool { return a.first <= b.last && b.first <= a.last }

func taken(in map[string][]span, protocol string, s span) bool {
	if slices.ContainsFunc(in[protocol], s.meets) {
		return true
	}
	in[protocol] = append(in[protocol], s)
	return false
}

func checkPorts(d *Definition) error {
	shared := d.Mode() == AWSVPC || d.Mode() == Host
	used := ports{container: map[string][]span{}, host: map[string][]span{}}
	for i := range d.Containers {
		c := &d.Containers[i]
		if !shared {
			used.container = map[string][]span{}
		}
		ranges := 0
		for j := range c.PortMappings {
			if c.PortMappings[j].ContainerPortRange != "" {
				ranges++
			}
			if err := checkMapping(d.Mode(), c.Name, &c.PortMappings[j], &used); err != nil {
				return err
			}
		}
		if ranges > maxPortRanges {
			return refuse("Invalid setting for container '%s'. At most %d container port ranges can be specified.", c.Name, maxPortRanges)
		}
	}
	return nil
}

func checkMapping(mode NetworkMode, container string, m *PortMapping, used *ports) error {
	if err := oneOf("protocol", m.Protocol, "tcp", "udp"); err != nil {
		return err
	}
	if err := oneOf("appProtocol", m.AppProtocol, "http", "http2", "grpc"); err != nil {
		return err
	}
	if err := checkMappingName(m.Name, used); err != nil {
		return err
	}
	s, err := mappingSpan(mode, container, m)
	if err != nil {
		return err
	}
	protocol := m.Protocol
	if protocol == "" {
		protocol = "tcp"
	}
	if taken(used.container, protocol, s) {
		return refuse("Invalid setting for container '%s'. The container port is used multiple times in task: %s/%s.", container, s, protocol)
	}
	if m.HostPort != nil && *m.HostPort != 0 && taken(used.host, protocol, span{*m.HostPort, *m.HostPort}) {
		return refuse("Invalid setting for container '%s'. The host port is used multiple times in task: %d/%s.", container, *m.HostPort, protocol)
	}
	return nil
}

func (a span) String() string {
	if a.first == a.last {
		return strconv.Itoa(a.first)
	}
	return fmt.Sprintf("%d-%d", a.first, a.last)
}

func checkMappingName(name string, used *ports) error {
	if name == "" {
		return nil
	}
	bad := func(r rune) bool { return notNameRune(r) || (r >= 'A' && r <= 'Z') }
	if len(name) > 64 || name[0] == '-' || strings.ContainsFunc(name, bad) {
		return refuse("Invalid port mapping name '%s'. It can have up to 64 lowercase letters, numbers, underscores and hyphens, and can't start with a hyphen.", name)
	}
	if slices.Contains(used.names, name) {
		return refuse("The port mapping name is already used: '%s'.", name)
	}
	used.names = append(used.names, name)
	return nil
}

func mappingSpan(mode NetworkMode, container string, m *PortMapping) (span, error) {
	if m.ContainerPortRange != "" {
		return rangeSpan(mode, container, m)
	}
	if m.ContainerPort < 1 || m.ContainerPort > 65535 {
		return span{}, refuse("Invalid 'containerPort' setting for container '%s'. It must be between 1 and 65535.", container)
	}
	if m.HostPort != nil && (*m.HostPort < 0 || *m.HostPort > 65535) {
		return span{}, refuse("Invalid 'hostPort' setting for container '%s'. It must be between 0 and 65535.", container)
	}
	if (mode == AWSVPC || mode == Host) && m.HostPort != nil && *m.HostPort != m.ContainerPort {
		return span{}, refuse("When networkMode=%s, the host ports and container ports in port mappings must match.", mode)
	}
	return span{m.ContainerPort, m.ContainerPort}, nil
}

func rangeSpan(mode NetworkMode, container string, m *PortMapping) (span, error) {
	if m.ContainerPort != 0 || m.HostPort != nil {
		return span{}, refuse("Invalid setting for container '%s'. You cannot specify both single port and port range in one port mapping.", container)
	}
	if mode == Host {
		return span{}, refuse("Invalid setting for container '%s'. 'containerPortRange' is only supported when networkMode is bridge or awsvpc.", container)
	}
	first, last, ok := ParsePortRange(m.ContainerPortRange)
	if !ok {
		return span{}, refuse("Invalid 'containerPortRange' setting for container '%s'.", container)
	}
	return span{first, last}, nil
}

// ParsePortRange reads "first-last", with first below last and both ports.
func ParsePortRange(s string) (first, last int, ok bool) {
	a, b, found := strings.Cut(s, "-")
	first, errFirst := strconv.Atoi(a)
	last, errLast := strconv.Atoi(b)
	ok = found && errFirst == nil && errLast == nil && first >= 1 && last <= 65535 && first < last
	return first, last, ok
}
