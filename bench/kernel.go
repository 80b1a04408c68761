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
// uses the machine. The same is done straight through the router, and through the node
// of a Network balancer, round by round in turn.
func carried(_ context.Context, b *bench) (result, error) {
	m, err := b.startMachine()
	if err != nil {
		return result{}, err
	}
	defer m.close()
	ends, err := m.ends(clientAddress, nodeAddress, targetAddress)
	if err != nil {
		return result{}, err
	}
	client, node, target := ends[0], ends[1], ends[2]
	at := netip.MustParseAddrPort(targetAddress + ":8080")
	if err := answering(target, at.String()); err != nil {
		return result{}, err
	}
	f := &flow.Flow{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	s := networkSnapshot(frontTarget(at.String()))
	front := &s.Fronts[0]
	f.Apply(s, []flow.Node{{Front: front, Node: front.Nodes[0], Space: node}}, nil)
	defer f.Drain(context.Background())
	r := result{}
	for _, l := range kernelLoads() {
		straight, balanced, err := l.compare(client, at.String(), nodeAddress+":80")
		if err != nil {
			return result{}, err
		}
		x := figure{Name: l.name, Value: balanced / straight, Unit: "x", Most: 1.1}
		r.Figures = append(r.Figures, x)
		r.Note += fmt.Sprintf(", %s %s straight and %s %s", l.name, short(straight), short(balanced), l.unit)
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

// compare is the processor time of a unit in microseconds on both ways.
func (l *load) compare(client *space.Space, straight, balanced string) (a, b float64, err error) {
	took := [2][]float64{}
	for n := range kernelRounds + 1 {
		for i, at := range []string{straight, balanced} {
			before, err := spent()
			if err != nil {
				return 0, 0, err
			}
			if err := client.Do(func() error { return l.do(at) }); err != nil {
				return 0, 0, fmt.Errorf("%s at %s: %w", l.name, at, err)
			}
			after, err := spent()
			if err != nil {
				return 0, 0, err
			}
			if n > 0 { // the first warms up
				took[i] = append(took[i], float64((after-before).Nanoseconds())/1000/l.count)
			}
		}
	}
	return median(took[0]), median(took[1]), nil
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
