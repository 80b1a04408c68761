package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"path/filepath"

	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/agent/network"
)

// hostMode is how tasks in host network mode, which share the machine's own
// network, find their metadata and berth's API.
type hostMode struct {
	listeners metadata.Host // on loopback
	questions net.Listener  // for names
	datagrams net.PacketConn
	// group is the control group by which their packets are known and led to the
	// listeners; empty where the machine cannot tell them from its own processes,
	// so that they are told the listeners' addresses instead.
	group string
}

// agentPort is where the official agent serves tasks, too.
const agentPort = 51679

func (h *Host) openHostMode(ctx context.Context) (err error) {
	m := &h.hostMode
	m.group = h.hostGroup()
	if m.listeners.Tasks, err = metadata.ListenLoopback(ctx, filepath.Join(h.Data, "host-tasks.port"), agentPort); err != nil {
		return err
	}
	if m.listeners.Endpoint, err = metadata.ListenLoopback(ctx, filepath.Join(h.Data, "host-api.port"), 0); err != nil {
		return errors.Join(err, m.listeners.Tasks.Close())
	}
	instance, err := metadata.ListenLoopback(ctx, filepath.Join(h.Data, "host-imds.port"), 0)
	if err != nil {
		return errors.Join(err, m.listeners.Tasks.Close(), m.listeners.Endpoint.Close())
	}
	m.listeners.Instance = ledHere{instance}
	return m.openResolver(ctx)
}

// openResolver finds a port that is free for both protocols.
func (m *hostMode) openResolver(ctx context.Context) (err error) {
	for range 10 {
		if m.questions, err = new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0"); err != nil {
			return err
		}
		if m.datagrams, err = new(net.ListenConfig).ListenPacket(ctx, "udp4", m.questions.Addr().String()); err == nil {
			return nil
		}
		err = errors.Join(err, m.questions.Close())
	}
	return err
}

func (m *hostMode) tasks() *network.HostTasks {
	at := netip.MustParseAddr(network.CredentialsAddress)
	return &network.HostTasks{Group: m.group, Resolver: netip.MustParseAddrPort(m.questions.Addr().String()), Redirects: map[netip.AddrPort]netip.AddrPort{
		netip.AddrPortFrom(at, 80):   netip.MustParseAddrPort(m.listeners.Tasks.Addr().String()),
		netip.AddrPortFrom(at, Port): netip.MustParseAddrPort(m.listeners.Endpoint.Addr().String()),
		netip.AddrPortFrom(netip.MustParseAddr(network.InstanceAddress), 80): netip.MustParseAddrPort(m.listeners.Instance.Addr().String()),
	}}
}

// loopback is where tasks are told to look: nowhere special if they are led.
func (m *hostMode) loopback() metadata.Loopback {
	if m.group != "" {
		return metadata.Loopback{}
	}
	return metadata.Loopback{
		Tasks:    netip.MustParseAddrPort(m.listeners.Tasks.Addr().String()),
		Endpoint: netip.MustParseAddrPort(m.listeners.Endpoint.Addr().String()),
	}
}
