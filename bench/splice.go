package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/flow"
)

const (
	spliceAt     = "127.0.0.1:8000"
	spliceTarget = "127.0.0.1:9000"

	spliceRounds  = 5
	spliceClients = 4
)

// spliceOrder is what a process that carries connections is told, in a namespace of
// its own.
type spliceOrder struct {
	Header           bool   // of the proxy protocol, sent ahead
	Certificate, Key []byte // none where TLS does not end here
}

// serve carries the listener of a Network balancer as an edge does.
func (o *spliceOrder) serve() error {
	own, err := space.Own()
	if err != nil {
		return err
	}
	s := networkSnapshot(frontTarget(spliceTarget))
	front := &s.Fronts[0]
	l := &front.Listeners[0].Listener
	l.Port = int(netip.MustParseAddrPort(spliceAt).Port())
	if o.Header {
		s.Pools[0].Group.Attributes[balancer.ProxyProtocol] = "true"
	}
	if len(o.Certificate) > 0 {
		l.Protocol, l.SSLPolicy, l.Certificates = "TLS", "ELBSecurityPolicy-TLS13-1-2-2021-06", []string{"cert"}
		s.Certificates = []balancer.Certificate{{ARN: "cert", Chain: o.Certificate, Key: o.Key}}
	}
	f := &flow.Flow{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	f.Apply(s, []flow.Node{{Front: front, Node: front.Nodes[0], Space: own}}, func(*flow.Node, int) (net.Listener, error) {
		return net.Listen("tcp4", spliceAt)
	})
	select {}
}

// spliced is a subject with its target, both in a namespace of their own: the kernel
// does for each what that one asked for.
type spliced struct {
	*subject
	space  *space.Space
	target *process
}

// spliceLoads are done by each client in a round; a unit is of all clients.
func spliceLoads(dial dialer) []struct {
	load
	most float64
} {
	const requests, dials, bytes = 1500, 500, 64 << 20
	return []struct {
		load
		most float64
	}{
		{load{"bulk", "us/MB", spliceClients * bytes >> 20, func(at string) error { return bulk(dial, at, bytes) }}, 1.3},
		{load{"keep-alive", "us", spliceClients * requests, func(at string) error { return keep(dial, at, requests) }}, 1.3},
		{load{"new connections", "us", spliceClients * dials, func(at string) error { return connections(dial, at, dials) }}, 1.5},
	}
}

// userland measures budget 14: processor time of the process that is in between, ours
// and HAProxy's in turn, with TLS that ends there, and with the proxy protocol.
func userland(ctx context.Context, b *bench) (result, error) {
	program, missing := exec.LookPath("haproxy")
	r := result{}
	for _, kind := range []struct {
		name   string
		secure bool
		dial   dialer
	}{{"TLS", true, dialTLS}, {"proxy protocol", false, dialTCP}} {
		all, err := b.startSpliced(ctx, program, kind.secure)
		if err != nil {
			return result{}, err
		}
		err = r.compare(kind.name, all, kind.dial)
		for _, s := range all {
			err = firstOf(err, s.close())
		}
		if err != nil {
			return result{}, err
		}
	}
	if missing != nil {
		r.Peer = "haproxy is not installed"
	} else {
		r.Peer = "haproxy with splice-request and splice-response: " + strings.TrimPrefix(r.Peer, ", ")
	}
	r.Note = fmt.Sprintf("%d clients, medians of %d rounds, ours with its packet filter in its namespace", spliceClients, spliceRounds)
	return r, nil
}

// compare adds figures of one kind; the peer is the second, if there is one.
func (r *result) compare(kind string, all []*spliced, dial dialer) error {
	for _, l := range spliceLoads(dial) {
		took := make([][]float64, len(all))
		for n := range spliceRounds + 1 {
			for i, s := range all {
				one, err := s.round(&l.load)
				if err != nil {
					return fmt.Errorf("%s, %s of %s: %w", kind, l.name, s.name, err)
				}
				if n > 0 { // the first warms up
					took[i] = append(took[i], one)
				}
			}
		}
		r.Figures = append(r.Figures, figure{Name: kind + " " + l.name, Value: median(took[0]), Unit: l.unit})
		if len(all) > 1 {
			r.Peer += fmt.Sprintf(", %s %s %s %s (%s-%s)", kind, l.name, short(median(took[1])), l.unit, short(slices.Min(took[1])), short(slices.Max(took[1])))
			r.Figures = append(r.Figures, figure{Name: "to haproxy", Value: median(took[0]) / median(took[1]), Unit: "x", Most: l.most})
		}
	}
	return nil
}

// round is the processor time of a unit in microseconds.
func (s *spliced) round(l *load) (float64, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	errs := make([]error, spliceClients)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = s.space.Do(func() error { return l.do(spliceAt) }) })
	}
	all.Wait()
	if err := firstOf(errs...); err != nil {
		return 0, err
	}
	after, err := s.cpu()
	return float64((after - before).Nanoseconds()) / 1000 / l.count, err
}

// startSpliced starts ours, and HAProxy if there is one.
func (b *bench) startSpliced(ctx context.Context, haproxy string, secure bool) (all []*spliced, err error) {
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "spliced-")
	if err != nil {
		return nil, err
	}
	o := &spliceOrder{Header: !secure}
	if secure {
		if o.Certificate, o.Key, err = certificate(dir); err != nil {
			return nil, err
		}
	}
	order, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "haproxy.conf")
	if err := os.WriteFile(file, []byte(o.haproxy(dir)), 0o644); err != nil {
		return nil, err
	}
	commands := map[string][]string{"berth": {own, "splice", string(order)}, "haproxy": {haproxy, "-db", "-f", file}}
	for _, name := range []string{"berth", "haproxy"} {
		if commands[name][0] == "" {
			continue
		}
		s, err := startOneSpliced(ctx, dir, name, own, commands[name])
		if err != nil {
			for _, s := range all {
				err = firstOf(err, s.close())
			}
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func startOneSpliced(ctx context.Context, dir, name, own string, command []string) (*spliced, error) {
	s := &spliced{}
	var err error
	if s.space, err = space.Create(filepath.Join(dir, name), nil); err != nil {
		return nil, err
	}
	err = in(s.space, "ip link set lo up")
	if err == nil {
		err = s.space.Do(func() (err error) {
			if s.target, err = start(name+"-target", dir, nil, own, "target", spliceTarget); err != nil {
				return err
			}
			p, err := start(name, dir, nil, command...)
			s.subject = &subject{p, name, spliceAt}
			return err
		})
	}
	if err == nil {
		err = s.until(ctx, func() error {
			return s.space.Do(func() error {
				for _, at := range []string{spliceAt, spliceTarget} {
					c, err := net.Dial("tcp4", at)
					if err != nil {
						return err
					}
					c.Close()
				}
				return nil
			})
		})
	}
	if err != nil {
		return nil, firstOf(err, s.close())
	}
	return s, nil
}

func (s *spliced) close() (err error) {
	if s.subject != nil && s.subject.process != nil {
		err = s.subject.process.close()
	}
	if s.target != nil {
		err = firstOf(err, s.target.close())
	}
	return firstOf(err, s.space.Close(), space.Remove(s.space.Path()))
}

// haproxy does the same. By itself, and with splice-auto, it would not splice.
func (o *spliceOrder) haproxy(dir string) string {
	bind, ahead := spliceAt, ""
	if len(o.Certificate) > 0 {
		bind += " ssl crt " + filepath.Join(dir, "both.pem") + " ssl-min-ver TLSv1.2"
	}
	if o.Header {
		ahead = " send-proxy-v2"
	}
	return fmt.Sprintf(`global
  maxconn 10500
  no strict-limits
defaults
  mode tcp
  option splice-request
  option splice-response
  timeout connect 5s
  timeout client 350s
  timeout server 350s
listen l
  bind %s
  server t %s%s
`, bind, spliceTarget, ahead)
}

// dialer connects as a client does.
type dialer func(at string) (net.Conn, error)

func dialTCP(at string) (net.Conn, error) { return net.DialTimeout("tcp4", at, time.Minute) }

func dialTLS(at string) (net.Conn, error) {
	c, err := dialTCP(at)
	if err != nil {
		return nil, err
	}
	return tls.Client(c, trusting()), nil
}

// unheaded are the connections of a listener, without the header of the proxy protocol
// that may come ahead.
type unheaded struct{ net.Listener }

// Accept implements net.Listener.
func (u unheaded) Accept() (net.Conn, error) {
	c, err := u.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &unheadedConn{c.(*net.TCPConn), nil}, nil
}

type unheadedConn struct {
	*net.TCPConn
	in *bufio.Reader
}

// Read implements net.Conn.
func (c *unheadedConn) Read(b []byte) (int, error) {
	if c.in == nil {
		c.in = bufio.NewReaderSize(c.TCPConn, 4<<10)
		const head = 16 // bytes, the last two of them the length of the rest
		if first, err := c.in.Peek(head); err == nil && first[0] == '\r' {
			if _, err := c.in.Discard(head + int(first[14])<<8 + int(first[15])); err != nil {
				return 0, err
			}
		}
	}
	return c.in.Read(b)
}
