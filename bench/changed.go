package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/flow"
	"github.com/berthhq/berth/plane/edge/web"
)

// changedFront is an Application balancer over loopback: HTTP at one port, and gRPC over
// TLS at another.
type changedFront struct {
	engine        *web.Engine
	plain, secure net.Listener
	certificate   balancer.Certificate
	calls         *grpc.ClientConn
}

func startFront(dir string) (f *changedFront, err error) {
	f = &changedFront{engine: frontEngine(nil), certificate: balancer.Certificate{ARN: "cert"}}
	if f.certificate.Chain, f.certificate.Key, err = certificate(dir); err != nil {
		return nil, err
	}
	if f.plain, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if f.secure, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	f.calls, err = grpc.NewClient("passthrough:///"+f.secure.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(trusting())), grpc.WithDisableRetry())
	return f, err
}

func (f *changedFront) mover() *mover {
	var served bool
	return &mover{
		listen: func() (net.Listener, error) { return net.Listen("tcp4", "127.0.0.1:0") },
		apply: func(live []balancer.PoolTarget, leaves *balancer.PoolTarget) {
			f.engine.Apply(f.snapshot(withLeaving(live, leaves)))
			if !served {
				served = true
				go f.engine.Serve(f.plain, "eni-1", 80)
				go f.engine.Serve(f.secure, "eni-1", 443)
			}
		},
		busy: func(t balancer.PoolTarget) bool {
			return f.engine.InFlight(t.Key)+f.engine.InFlight(called(t).Key) > 0
		},
	}
}

// snapshot leads HTTP to one group and gRPC to another of the same targets.
func (f *changedFront) snapshot(targets []balancer.PoolTarget) *balancer.Snapshot {
	s := frontSnapshot(targets...)
	front := &s.Fronts[0]
	secure := front.Listeners[0]
	secure.Listener.ARN += "2"
	secure.Listener.Port, secure.Listener.Protocol, secure.Listener.Certificates = 443, "HTTPS", []string{f.certificate.ARN}
	secure.Listener.SSLPolicy = balancer.DefaultSSLPolicy
	secure.Listener.Default = []balancer.Action{{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: callGroup, Weight: 1}}}}}
	front.Listeners = append(front.Listeners, secure)
	s.Certificates = []balancer.Certificate{f.certificate}
	calls := s.Pools[0]
	calls.Group.ARN, calls.Group.Name, calls.Group.ProtocolVersion = callGroup, callGroup, "GRPC"
	calls.Targets = nil
	for _, t := range targets {
		calls.Targets = append(calls.Targets, called(t))
	}
	s.Pools = append(s.Pools, calls)
	return s
}

const callGroup = "calls"

// called is a target in the group of those that are called by gRPC.
func called(t balancer.PoolTarget) balancer.PoolTarget {
	t.Key = balancer.TargetKey(callGroup, t.Address.Addr().String(), int(t.Address.Port()))
	return t
}

func (f *changedFront) users() []*user {
	at := f.plain.Addr().String()
	return []*user{
		{name: "GET", ask: func(ctx context.Context) error { return get(ctx, at) }},
		{name: "POST", ask: func(ctx context.Context) error { return post(ctx, at) }},
		{name: "WebSocket", ask: func(ctx context.Context) error { return talk(ctx, at) }},
		{name: "gRPC", ask: func(ctx context.Context) error { return call(ctx, f.calls) }},
	}
}

func (f *changedFront) close() error {
	f.engine.Drain(over())
	return f.calls.Close()
}

// over is a context that has ended.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func withLeaving(live []balancer.PoolTarget, leaves *balancer.PoolTarget) []balancer.PoolTarget {
	if leaves != nil {
		live = append(live, *leaves)
	}
	return live
}

// changedNetwork is a Network balancer whose node, client and targets have a namespace
// each.
type changedNetwork struct {
	*machine
	client, node, target *space.Space
	flow                 *flow.Flow
}

func (b *bench) startNetwork() (*changedNetwork, error) {
	m, err := b.startMachine()
	if err != nil {
		return nil, err
	}
	ends, err := m.ends(clientAddress, nodeAddress, targetAddress)
	if err != nil {
		return nil, firstOf(err, m.close())
	}
	return &changedNetwork{m, ends[0], ends[1], ends[2], &flow.Flow{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}}, nil
}

func (n *changedNetwork) mover() *mover {
	return &mover{
		listen: func() (l net.Listener, err error) {
			err = n.target.Do(func() error { l, err = net.Listen("tcp4", targetAddress+":0"); return err })
			return l, err
		},
		apply: func(live []balancer.PoolTarget, leaves *balancer.PoolTarget) {
			s := networkSnapshot(withLeaving(live, leaves)...)
			front := &s.Fronts[0]
			n.flow.Apply(s, []flow.Node{{Front: front, Node: front.Nodes[0], Space: n.node}}, nil)
		},
		busy: func(t balancer.PoolTarget) bool { return n.flow.Connections()[t.Address] > 0 },
	}
}

func (n *changedNetwork) users() []*user {
	at := netip.AddrPortFrom(netip.MustParseAddr(nodeAddress), 80).String()
	return []*user{{name: "NLB connection", ask: func(context.Context) error {
		return n.client.Do(func() error { return connect(at) })
	}}}
}

// connect makes two requests on a connection of its own.
func connect(at string) error {
	c, err := dialTCP(at)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for range 2 {
		if _, err := fmt.Fprint(c, request); err != nil {
			return err
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if answer.Body.Close(); answer.StatusCode != http.StatusOK {
			return fmt.Errorf("answer %s", answer.Status)
		}
	}
	return nil
}

func (n *changedNetwork) close() error {
	n.flow.Drain(over())
	return n.machine.close()
}
