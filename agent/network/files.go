package network

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// endpoints says what each container of the task gets.
func (n *Network) endpoints(o *task.Order, a *attachment) map[string]Endpoint {
	all := map[string]Endpoint{}
	for i := range o.Containers {
		c := &o.Containers[i]
		e := Endpoint{Hostname: hostname(o, c), Resolver: n.resolver(o, c)}
		if w := a.wireOf(c.Name); w != nil && !isolated(c) {
			e.Space, e.Address, e.MAC = n.spacePath(w.Link), w.Address, w.MAC
			for _, p := range w.Published {
				e.Bindings = append(e.Bindings, p.binding())
			}
		} else if a.Bare != "" {
			e.Space = n.spacePath(a.Bare)
		}
		if a.Mode == workload.Host {
			e.Bindings = hostBindings(c.PortMappings)
		}
		e.Hosts = hostsFile(a, c, e)
		all[c.Name] = e
	}
	return all
}

// hostname follows AWS: in awsvpc the interface's private name, in host mode the
// host's, else what the definition says or the container's short id.
func hostname(o *task.Order, c *task.OrderContainer) string {
	switch {
	case o.NetworkMode == workload.AWSVPC && o.Interface != nil && o.Interface.PrivateDNSName != "":
		return o.Interface.PrivateDNSName
	case o.NetworkMode == workload.Host:
		name, _ := os.Hostname()
		return name
	case c.Hostname != "":
		return c.Hostname
	}
	id := strings.ReplaceAll(c.ID, "-", "")
	return id[:min(len(id), 12)]
}

func hostBindings(mappings []workload.PortMapping) []task.Binding {
	var all []task.Binding
	for _, m := range mappings {
		p, err := plan(m)
		if err != nil {
			continue
		}
		p.HostPort = p.ContainerPort
		all = append(all, p.binding())
	}
	return all
}

const localNames = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

func hostsFile(a *attachment, c *task.OrderContainer, e Endpoint) []byte {
	var b bytes.Buffer
	if a.Mode == workload.Host {
		own, _ := os.ReadFile("/etc/hosts")
		b.Write(own)
		if len(own) > 0 && own[len(own)-1] != '\n' {
			b.WriteByte('\n')
		}
	} else {
		b.WriteString(localNames)
	}
	if e.Address.IsValid() {
		fmt.Fprintf(&b, "%s\t%s\n", e.Address, withShort(e.Hostname))
	}
	for _, link := range c.Links {
		name, alias, given := strings.Cut(link, ":")
		if w := a.wireOf(name); w != nil && w.Container != "" {
			if given && alias != name {
				name = alias + " " + name
			}
			fmt.Fprintf(&b, "%s\t%s\n", w.Address, name)
		}
	}
	for _, h := range c.ExtraHosts {
		fmt.Fprintf(&b, "%s\t%s\n", h.IPAddress, h.Hostname)
	}
	return b.Bytes()
}

// withShort adds the first label of a full name.
func withShort(name string) string {
	if first, _, full := strings.Cut(name, "."); full {
		return name + " " + first
	}
	return name
}

// resolver is the container's resolv.conf: its own servers if it names some, else
// ours; in host mode without a resolver of ours the host's file is the default.
func (n *Network) resolver(o *task.Order, c *task.OrderContainer) []byte {
	host, _ := os.ReadFile("/etc/resolv.conf")
	if o.NetworkMode == workload.Host && !n.resolvesForHost() && len(c.DNSServers)+len(c.DNSSearch) == 0 {
		return host
	}
	servers, search := c.DNSServers, c.DNSSearch
	if len(servers) == 0 {
		servers = n.defaultServers(o, host)
	}
	if len(search) == 0 {
		search = defaultSearch(o, host)
	}
	var b bytes.Buffer
	for _, s := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if len(search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(search, " "))
	}
	return b.Bytes()
}

func (n *Network) defaultServers(o *task.Order, host []byte) []string {
	switch o.NetworkMode {
	case workload.Host:
		if !n.resolvesForHost() {
			return fields(host, "nameserver")
		}
	case workload.AWSVPC:
		n.mu.Lock()
		defer n.mu.Unlock()
		if r := n.routers[o.Interface.VPCID]; r != nil {
			return []string{VPCResolver(r.Range).String()}
		}
	}
	return []string{ResolverAddress}
}

// resolvesForHost tells whether host mode tasks are led to a resolver of ours.
func (n *Network) resolvesForHost() bool {
	return n.host.group != nil && n.host.group.resolver.IsValid()
}

func defaultSearch(o *task.Order, host []byte) []string {
	if o.NetworkMode != workload.AWSVPC {
		return fields(host, "search")
	}
	if _, domain, ok := strings.Cut(o.Interface.PrivateDNSName, "."); ok {
		return []string{domain}
	}
	return nil
}

// fields are the values of a keyword of a resolv.conf.
func fields(conf []byte, keyword string) []string {
	var all []string
	for line := range strings.Lines(string(conf)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == keyword {
			all = append(all, f[1:]...)
		}
	}
	return all
}
