package network_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plane/names"
)

func TestMain(m *testing.M) { runtimetest.Main(m) }

// services are what an agent offers in a router: here, who asks, and names.
func services(r *network.Router) (io.Closer, error) {
	ctx := context.Background()
	l, err := r.Listen(ctx, network.CredentialsAddress+":80")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			peer, err := r.Peer(c)
			fmt.Fprintf(c, "%s %s %v", peer.Task, peer.Container, err)
			c.Close()
		}
	}()
	resolver := names.New(names.Zone{Range: r.Range, Domain: names.Domain("us-east-1")}, names.To(), slog.New(slog.DiscardHandler))
	for _, a := range r.Resolvers() {
		stream, err := r.Listen(ctx, a.String()+":53")
		if err != nil {
			return nil, err
		}
		datagrams, err := r.ListenPacket(ctx, a.String()+":53")
		if err != nil {
			return nil, err
		}
		resolver.Serve(stream, datagrams)
	}
	return both{l, resolver}, nil
}

type both []io.Closer

func (b both) Close() error {
	var errs []error
	for _, c := range b {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func TestServicesKnowTheirTasksByTheirVeth(t *testing.T) {
	m := newMachine(t)
	cfg := m.config()
	cfg.Services = services
	n := open(t, cfg)
	// Equal addresses in two VPCs: only the router and the veth tell them apart.
	red, blue := inVPC("vpc-red", "10.0.0.0/16", "10.0.0.4"), inVPC("vpc-blue", "10.0.0.0/16", "10.0.0.4")
	two := inBridge(container("a"), container("b"))
	for _, o := range []*task.Order{red, blue, two} {
		for name, e := range setup(t, n, o) {
			by := name
			if o != two {
				by = ""
			}
			wantAnswer(t, inside(t, e), "tcp", "169.254.170.2:80", fmt.Sprintf("%s %s %v", o.ARN, by, nil))
		}
	}
	wantNoAnswer(t, m.Space, "tcp", "169.254.170.2:80")
}

func TestTasksResolveNames(t *testing.T) {
	m := newMachine(t)
	cfg := m.config()
	cfg.Services = services
	n := open(t, cfg)
	s := inside(t, setup(t, n, inVPC("vpc-default", "172.31.0.0/16", "172.31.0.4"))["app"])
	for _, server := range []string{"169.254.169.253:53", "172.31.0.2:53"} {
		for _, protocol := range []string{"udp", "tcp"} {
			var c net.Conn
			check(t, s.Do(func() (err error) { c, err = net.Dial(protocol, server); return err }))
			q := new(dns.Msg)
			q.SetQuestion("ip-172-31-5-6.ec2.internal.", dns.TypeA)
			conn := &dns.Conn{Conn: c}
			check(t, conn.WriteMsg(q))
			a, err := conn.ReadMsg()
			if err != nil || len(a.Answer) != 1 || !strings.HasSuffix(a.Answer[0].String(), "\t172.31.5.6") {
				t.Errorf("%s over %s: got %v, %v", server, protocol, a, err)
			}
			c.Close()
		}
	}
}

// begin starts a container with a script and returns the file of its output.
func begin(t *testing.T, r *runtime.Runtime, c runtime.Container) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), c.ID)
	c.Output = runtime.Output{File: out}
	check(t, r.Create(t.Context(), c))
	check(t, r.Start(t.Context(), c.ID))
	return out
}

func TestContainersUseTheirInterface(t *testing.T) {
	for name, isolation := range map[string]runtime.Isolation{"runc": runtime.Namespaces, "gVisor": runtime.GVisor} {
		t.Run(name, func(t *testing.T) {
			var r *runtime.Runtime
			if isolation == runtime.GVisor {
				r = runtimetest.OpenGVisor(t)
			} else {
				r = runtimetest.Open(t)
			}
			image := runtimetest.Busybox(t, r)
			m := newMachine(t)
			cfg := m.config()
			cfg.Services = services
			n := open(t, cfg)
			o := inVPC("vpc-default", "172.31.0.0/16", "172.31.0.9")
			e := setup(t, n, o)["app"]
			serve(t, m.world, "tcp", ":80", "world")
			// The second round is a new sandbox on the interface the first one had.
			for round := range 2 {
				check(t, n.Renew(t.Context(), o.ARN))
				c := runtime.Container{
					ID: fmt.Sprintf("round%d", round), Image: image, Isolation: isolation, Network: runtime.Network{Path: e.Space},
					Args: []string{"/bin/sh", "-c", "nc 192.0.2.1 80; echo; nc 169.254.170.2 80; echo;" +
						"busybox nslookup ip-172-31-5-6.ec2.internal 172.31.0.2 | grep -c 'Address.*172.31.5.6'; " +
						// Again and again: a question that gave up may be answered, too.
						"while :; do nc -l -p 8080 -e echo inbound; done"},
				}
				out := begin(t, r, c)
				t.Cleanup(func() {
					if t.Failed() {
						said, _ := os.ReadFile(out)
						t.Logf("round %d said: %s", round, said)
					}
				})
				eventually(t, func() error {
					got, err := ask(m.Space, "tcp", "172.31.0.9:8080", impatience)
					if err == nil && got != "inbound\n" {
						err = fmt.Errorf("got %q", got)
					}
					return err
				})
				check(t, r.Delete(t.Context(), c.ID))
				got, err := os.ReadFile(out)
				check(t, err)
				want := fmt.Sprintf("world %s\n%s  <nil>\n1\n", machineAddress, o.ARN)
				if string(got) != want {
					t.Errorf("round %d: got %q, want %q", round, got, want)
				}
			}
			counters, err := n.Counters(o.ARN)
			if err != nil || counters[""].RxBytes < 500 || counters[""].TxPackets < 5 {
				t.Errorf("counters %+v, %v", counters, err)
			}
		})
	}
}
