package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/web"
)

// frontRules is how many rules a request passes that do not match it.
const frontRules = 20

// frontOrder is what a process that carries HTTP is told: the engine of an
// Application balancer over loopback, or a target.
type frontOrder struct {
	Listen, Target string
	Log            string // file of the access log
	Certificate    []byte // with its key; none for HTTP without TLS
	Key            []byte
}

// frontProcess is the bench as the process that is measured: "target ADDRESS" or
// "front ORDER".
func frontProcess(what, order string) error {
	if what == "target" {
		return http.ListenAndServe(order, http.HandlerFunc(hello))
	}
	var o frontOrder
	if err := json.Unmarshal([]byte(order), &o); err != nil {
		return err
	}
	return o.serve()
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func (o *frontOrder) serve() error {
	file, err := os.Create(o.Log)
	if err != nil {
		return err
	}
	e := frontEngine(lines(file))
	e.Apply(o.snapshot())
	l, err := net.Listen("tcp4", o.Listen)
	if err != nil {
		return err
	}
	return e.Serve(l, "eni-1", 80)
}

func frontEngine(access func(balancer, node string, line []byte)) *web.Engine {
	return web.New(web.Options{
		Dial: func(ctx context.Context, _ string, to netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", to.String())
		},
		Access: access, Log: slog.New(slog.DiscardHandler),
	})
}

// lines writes the access log as the edge's journal does: buffered, a line each.
func lines(to io.Writer) func(balancer, node string, line []byte) {
	var mu sync.Mutex
	out := bufio.NewWriterSize(to, 64<<10)
	return func(_, _ string, line []byte) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = out.Write(line)
		_ = out.WriteByte('\n')
	}
}

func (o *frontOrder) snapshot() *balancer.Snapshot {
	s := frontSnapshot(frontTarget(o.Target))
	l := &s.Fronts[0].Listeners[0]
	for n := range frontRules {
		l.Rules = append(l.Rules, balancer.Rule{
			Priority:   n + 1,
			Conditions: []balancer.Condition{{Field: balancer.PathPattern, Values: []string{fmt.Sprintf("/other/%d/*", n)}}},
			Actions:    []balancer.Action{{Type: balancer.FixedResponse, Fixed: &balancer.FixedAction{Status: 404}}},
		})
	}
	if len(o.Certificate) > 0 {
		l.Listener.Protocol, l.Listener.SSLPolicy, l.Listener.Certificates = "HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06", []string{"cert"}
		s.Certificates = []balancer.Certificate{{ARN: "cert", Chain: o.Certificate, Key: o.Key}}
	}
	return s
}

// frontSnapshot is a balancer with one listener that leads to the targets.
func frontSnapshot(targets ...balancer.PoolTarget) *balancer.Snapshot {
	const arn = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/bench/0123456789abcdef"
	lead := balancer.Action{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: "group", Weight: 1}}}}
	return &balancer.Snapshot{
		Fronts: []balancer.Front{{
			Balancer:  balancer.Balancer{ARN: arn, Kind: balancer.Application, Attributes: map[string]string{balancer.AccessLogs: "true", balancer.IdleTimeout: "4000"}},
			Nodes:     []balancer.Node{{InterfaceID: "eni-1", Zone: "us-east-1a"}},
			Listeners: []balancer.FrontListener{{Listener: balancer.Listener{ARN: arn + "/1", BalancerARN: arn, Port: 80, Protocol: "HTTP", Default: []balancer.Action{lead}}}},
		}},
		Pools: []balancer.Pool{{
			Group:   balancer.TargetGroup{ARN: "group", Name: "group", Protocol: "HTTP", ProtocolVersion: "HTTP1", TargetType: balancer.TargetIP, Attributes: map[string]string{}},
			Targets: targets,
		}},
	}
}

func frontTarget(address string) balancer.PoolTarget {
	a := netip.MustParseAddrPort(address)
	return balancer.PoolTarget{Key: balancer.TargetKey("group", a.Addr().String(), int(a.Port())), ID: a.Addr().String(), Address: a, Zone: "us-east-1a"}
}

// trusting is how generators take the bench's own certificates.
func trusting() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
