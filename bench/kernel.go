package main

import (
	"context"
	"fmt"
	"log/slog"
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
	kernelRounds   = 11
	kernelRequests = 2000 // on one connection in a round
	kernelDials    = 300
	kernelBulk     = 64 << 20
)

func kernelLoads() []load {
	return []load{
		{"keep-alive", "us/request", kernelRequests, 1.1, func(at string) error { return keep(dialTCP, at, kernelRequests) }},
		{"new connections", "us/connection", kernelDials, 1.1, func(at string) error { return connections(dialTCP, at, kernelDials) }},
		{"bulk", "us/MB", kernelBulk >> 20, 1.1, func(at string) error { return bulk(dialTCP, at, kernelBulk) }},
	}
}

// carried measures budget 13. One process is the client and the target, each in a
// namespace of its own, and all the kernel does in between happens in its system calls
// or in ksoftirqd: the processor time of both is what all of it costs, whoever else
// uses the machine. (A kernel with CONFIG_IRQ_TIME_ACCOUNTING takes that out of the
// time of processes: there, this would see less than all.) The same is done straight
// through the router, through the node of a Network balancer, and through a namespace
// like the node's that only routes, round by round in turn.
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
		r.Figures = append(r.Figures, figure{Name: l.name, Value: balanced / straight, Unit: "x", Most: l.most}, figure{Name: "to the same way routed", Value: balanced / relayed, Unit: "x"})
		r.Note += fmt.Sprintf(", %s %s straight, %s balanced, %s routed %s", l.name, short(straight), short(balanced), short(relayed), l.unit)
	}
	r.Note = fmt.Sprintf("of client, target and kernel together, medians of %d rounds%s", kernelRounds, r.Note)
	return r, nil
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
