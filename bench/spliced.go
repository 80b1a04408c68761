package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/flow"
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
