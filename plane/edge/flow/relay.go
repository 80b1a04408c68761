package flow

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// udpIdle is how long a client and its target may say nothing to each other.
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#connection-idle-timeout
	udpIdle = 120 * time.Second
	// maxTalks is how many clients one port has: each costs a socket.
	maxTalks = 4096
	// maxPacket is the longest there is.
	maxPacket = 64 << 10
)

// relay carries the packets of a UDP port of an endpoint. Those of one client go to one
// target, out of a socket of their own.
type relay struct {
	socket *net.UDPConn
	way    atomic.Pointer[way]
	log    *slog.Logger
	begun  atomic.Uint64
	bytes  atomic.Uint64

	mu    sync.Mutex
	talks map[netip.AddrPort]*talk // by client; nil once it has stopped
}

// talk is between a client and its target.
type talk struct {
	target *net.UDPConn
	at     netip.AddrPort
	last   atomic.Int64 // when either said something, in nanoseconds
}

// listenUDP opens a node's port. The edge before this one may have it open, too: packets
// go to either until that one ends.
func listenUDP(n *Node, port int) (socket *net.UDPConn, err error) {
	shared := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		if outer := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }); outer != nil {
			return outer
		}
		return err
	}}
	err = n.Space.Do(func() error {
		c, err := shared.ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(n.Address, uint16(port)).String())
		if err == nil {
			socket = c.(*net.UDPConn)
		}
		return err
	})
	return socket, err
}

// relayTo carries packets until the socket is closed; stop ends what there is.
func relayTo(socket *net.UDPConn, w *way, log *slog.Logger) *relay {
	r := &relay{socket: socket, log: log, talks: map[netip.AddrPort]*talk{}}
	r.way.Store(w)
	go r.listen()
	return r
}

func (r *relay) listen() {
	packet := make([]byte, maxPacket)
	for {
		n, from, err := r.socket.ReadFromUDPAddrPort(packet)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // what was sent to somebody came back
		}
		t, err := r.talk(from)
		if err != nil {
			r.log.Debug("a packet goes nowhere", "from", from, "err", err)
			continue
		}
		t.last.Store(time.Now().UnixNano())
		if _, err := t.target.Write(packet[:n]); err == nil {
			r.bytes.Add(uint64(n))
		}
	}
}

var errNoTalk = errors.New("there is no target, or no room for another client")

// talk is the client's, begun if need be.
func (r *relay) talk(from netip.AddrPort) (*talk, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.talks[from]; t != nil {
		return t, nil
	}
	w := r.way.Load()
	at, ok := w.choose(net.UDPAddrFromAddrPort(from), 0)
	if !ok || r.talks == nil || len(r.talks) >= maxTalks {
		return nil, errNoTalk
	}
	t := &talk{at: at}
	err := w.space.Do(func() (err error) {
		t.target, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
		return err
	})
	if err != nil {
		return nil, err
	}
	r.begun.Add(1)
	r.talks[from] = t
	go r.answer(t, from)
	return t, nil
}

// answer brings a target's packets to the client, until the talk is over.
func (r *relay) answer(t *talk, to netip.AddrPort) {
	defer r.leave(t, to)
	packet := make([]byte, maxPacket)
	for {
		until := time.Unix(0, t.last.Load()).Add(udpIdle)
		if err := t.target.SetReadDeadline(until); err != nil {
			return
		}
		n, err := t.target.Read(packet)
		switch {
		case err == nil:
			t.last.Store(time.Now().UnixNano())
			if _, err := r.socket.WriteToUDPAddrPort(packet[:n], to); err == nil {
				r.bytes.Add(uint64(n))
			}
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, os.ErrDeadlineExceeded) && time.Since(time.Unix(0, t.last.Load())) >= udpIdle:
			return
		}
	}
}

func (r *relay) leave(t *talk, client netip.AddrPort) {
	t.target.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.talks[client] == t {
		delete(r.talks, client)
	}
}

// end ends the talks with these targets: their clients' next packets go to others.
func (r *relay) end(targets map[netip.AddrPort]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for client, t := range r.talks {
		if targets[t.at] {
			t.target.Close()
			delete(r.talks, client)
		}
	}
}

func (r *relay) connections() map[netip.AddrPort]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[netip.AddrPort]int{}
	for _, t := range r.talks {
		out[t.at]++
	}
	return out
}

func (r *relay) measure(m *Measured) {
	m.New += r.begun.Swap(0)
	m.Bytes += r.bytes.Swap(0)
	r.mu.Lock()
	defer r.mu.Unlock()
	m.Open += len(r.talks)
}

// stop ends all at once.
func (r *relay) stop() {
	r.socket.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.talks {
		t.target.Close()
	}
	r.talks = nil
}

// drain is stop: packets have no end to wait for.
func (r *relay) drain(context.Context) { r.stop() }
