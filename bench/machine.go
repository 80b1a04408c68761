package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/berthhq/berth/agent/network/space"
)

const (
	clientAddress = "10.0.0.20"
	nodeAddress   = "10.0.0.10"
	targetAddress = "10.0.0.30"
	relayAddress  = "10.0.0.11"
	relayedTarget = "10.0.0.31" // the target's, for what goes by way of the relay
)

// machine is a router with namespaces around it, each with one address, joined as an
// agent joins tasks and nodes: by routed links.
type machine struct {
	dir    string
	router *space.Space
	all    []*space.Space
}

func (b *bench) startMachine() (*machine, error) {
	dir, err := os.MkdirTemp(b.dir, "machine-")
	if err != nil {
		return nil, err
	}
	m := &machine{dir: dir}
	if m.router, err = m.space("router"); err == nil {
		err = in(m.router, "sysctl -qw net.ipv4.ip_forward=1", "ip addr add 169.254.1.1/32 dev lo")
	}
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// space is a namespace with loopback.
func (m *machine) space(name string) (*space.Space, error) {
	s, err := space.Create(filepath.Join(m.dir, name), nil)
	if err != nil {
		return nil, err
	}
	m.all = append(m.all, s)
	return s, in(s, "ip link set lo up")
}

// end joins a namespace with the address.
func (m *machine) end(address string) (*space.Space, error) {
	s, err := m.space(address)
	if err != nil {
		return nil, err
	}
	if err := in(m.router, fmt.Sprintf("ip link add %s type veth peer name eth0 netns /proc/%d/fd/%d", link(address), os.Getpid(), s.FD()),
		"ip link set "+link(address)+" up", "ip route add "+address+"/32 dev "+link(address)); err != nil {
		return nil, err
	}
	return s, in(s, "ip addr add "+address+"/32 dev eth0", "ip link set eth0 up",
		"ip route add 169.254.1.1 dev eth0", "ip route add default via 169.254.1.1 dev eth0 src "+address)
}

// link is the router's to an address.
func link(address string) string { return "v" + strings.ReplaceAll(address, ".", "") }

// ends joins a namespace for each address.
func (m *machine) ends(addresses ...string) (all []*space.Space, err error) {
	for _, a := range addresses {
		s, err := m.end(a)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (m *machine) close() (err error) {
	for _, s := range m.all {
		err = errors.Join(err, s.Close(), space.Remove(s.Path()))
	}
	return err
}

// in runs commands inside a namespace.
func in(s *space.Space, commands ...string) error {
	return s.Do(func() error {
		for _, c := range commands {
			words := strings.Fields(c)
			if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w: %s", c, err, out)
			}
		}
		return nil
	})
}

// network joins a client, a node, a target that answers, and a relay by which one of the
// target's addresses is reached, both ways.
func (m *machine) network() (client, node *space.Space, err error) {
	ends, err := m.ends(clientAddress, nodeAddress, targetAddress, relayAddress)
	if err != nil {
		return nil, nil, err
	}
	client, node, target, relay := ends[0], ends[1], ends[2], ends[3]
	err = firstOf(
		in(target, "ip addr add "+relayedTarget+"/32 dev eth0"),
		in(relay, "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0 net.ipv4.conf.all.rp_filter=0"),
		in(m.router, "ip route add "+relayedTarget+"/32 dev "+link(targetAddress),
			"ip route add default via "+relayAddress+" dev "+link(relayAddress)+" onlink table 99",
			"ip rule add iif "+link(clientAddress)+" to "+relayedTarget+" lookup 99",
			"ip rule add iif "+link(targetAddress)+" from "+relayedTarget+" lookup 99"),
		answering(target, "0.0.0.0:8080"),
	)
	return client, node, err
}

// answering serves HTTP inside a namespace until the process ends.
func answering(s *space.Space, at string) error {
	return s.Do(func() error {
		l, err := net.Listen("tcp4", at)
		if err != nil {
			return err
		}
		go http.Serve(l, http.HandlerFunc(hello))
		return nil
	})
}
