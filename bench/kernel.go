package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/flow"
)

const (
	clientAddress = "10.0.0.20"
	nodeAddress   = "10.0.0.10"
	targetAddress = "10.0.0.30"
	relayAddress  = "10.0.0.11"
	relayedTarget = "10.0.0.31" // the target's, for what goes by way of the relay

	kernelRounds   = 11
	kernelRequests = 2000 // on one connection in a round
	kernelDials    = 300
	kernelBulk     = 64 << 20
)

// load is work that a client in its namespace does against an address.
type load struct {
	name, unit string
	count      float64 // of units in a round
	do         func(at string) error
}

func kernelLoads() []load {
	return []load{
		{"keep-alive", "us/request", kernelRequests, func(at string) error { return keep(dialTCP, at, kernelRequests) }},
		{"new connections", "us/connection", kernelDials, func(at string) error { return connections(dialTCP, at, kernelDials) }},
		{"bulk", "us/MB", kernelBulk >> 20, func(at string) error { return bulk(dialTCP, at, kernelBulk) }},
	}
}

// carried measures budget 13. One process is the client and the target, each in a
// namespace of its own, and all the kernel does in between happens in its system calls
// or in ksoftirqd: the processor time of both is what all of it costs, whoever else
// uses the machine. The same is done straight through the router, through the node of a
// Network balancer, and through a namespace like the node's that only routes, round by
// round in turn.
func carried(_ context.Context, b *bench) (result, error) {
	m, err := b.startMachine()
	if err != nil {
		return result{}, err
	}
	defer m.close()
	client, node, err := m.network()
	if err != nil {
		return result{}, err
	}
	f := &flow.Flow{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	s := networkSnapshot(frontTarget(targetAddress + ":8080"))
	front := &s.Fronts[0]
	f.Apply(s, []flow.Node{{Front: front, Node: front.Nodes[0], Space: node}}, nil)
	defer f.Drain(context.Background())
	r := result{}
	for _, l := range kernelLoads() {
		took, err := l.compare(client, targetAddress+":8080", nodeAddress+":80", relayedTarget+":8080")
		if err != nil {
			return result{}, err
		}
		straight, balanced, relayed := took[0], took[1], took[2]
		r.Figures = append(r.Figures, figure{Name: l.name, Value: balanced / straight, Unit: "x", Most: 1.1}, figure{Name: "to the same way routed", Value: balanced / relayed, Unit: "x"})
		r.Note += fmt.Sprintf(", %s %s straight, %s balanced, %s routed %s", l.name, short(straight), short(balanced), short(relayed), l.unit)
	}
	r.Note = fmt.Sprintf("of client, target and kernel together, medians of %d rounds%s", kernelRounds, r.Note)
	return r, nil
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

// networkSnapshot is a Network balancer with one TCP listener that leads to targets.
func networkSnapshot(targets ...balancer.PoolTarget) *balancer.Snapshot {
	s := frontSnapshot(targets...)
	f := &s.Fronts[0]
	f.Balancer.Kind = balancer.Network
	f.Nodes[0].Address = netip.MustParseAddr(nodeAddress)
	f.Listeners[0].Listener.Protocol = "TCP"
	s.Pools[0].Group.Protocol = "TCP"
	return s
}

// compare is the processor time of a unit in microseconds at each address.
func (l *load) compare(client *space.Space, addresses ...string) ([]float64, error) {
	took := make([][]float64, len(addresses))
	for n := range kernelRounds + 1 {
		for i, at := range addresses {
			before, err := spent()
			if err != nil {
				return nil, err
			}
			if err := client.Do(func() error { return l.do(at) }); err != nil {
				return nil, fmt.Errorf("%s at %s: %w", l.name, at, err)
			}
			after, err := spent()
			if err != nil {
				return nil, err
			}
			if n > 0 { // the first warms up
				took[i] = append(took[i], float64((after-before).Nanoseconds())/1000/l.count)
			}
		}
	}
	out := make([]float64, len(took))
	for i := range took {
		out[i] = median(took[i])
	}
	return out, nil
}

// spent is the processor time of this process and of the kernel's threads that take
// over when there are many packets.
func spent() (time.Duration, error) {
	var own unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &own); err != nil {
		return 0, err
	}
	all := time.Duration(own.Nano())
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		if comm, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(comm), "ksoftirqd/") {
			var ns int64
			text, err := os.ReadFile(filepath.Join(filepath.Dir(name), "schedstat"))
			if err != nil {
				return 0, err
			}
			if _, err := fmt.Sscan(string(text), &ns); err != nil {
				return 0, err
			}
			all += time.Duration(ns)
		}
	}
	return all, nil
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

// connections asks once on each of many.
func connections(dial dialer, at string, n int) error {
	for range n {
		c, err := dial(at)
		if err != nil {
			return err
		}
		if err := ask(c, bufio.NewReader(c)); err != nil {
			return err
		}
		c.Close()
	}
	return nil
}

// bulk gets that many bytes.
func bulk(dial dialer, at string, n int64) error {
	c, err := dial(at)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET /?bytes=%d HTTP/1.1\r\nHost: example.com\r\n\r\n", n); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(c, 64<<10), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	got, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, answer.Body, make([]byte, 64<<10))
	if err == nil && got != n {
		err = fmt.Errorf("%d of %d bytes came", got, n)
	}
	return err
}
