package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peer says who is behind a connection.
type Peer struct {
	Task      string // ARN
	Container string // the container's name in bridge mode; empty when all share the interface
}

// Listen opens a TCP listener in the router's namespace. Its connections can be
// asked for their Peer.
func (r *Router) Listen(ctx context.Context, address string) (l net.Listener, err error) {
	err = r.space.Do(func() error {
		l, err = new(net.ListenConfig).Listen(ctx, "tcp4", address)
		return err
	})
	return l, err
}

// ListenPacket opens a UDP socket in the router's namespace.
func (r *Router) ListenPacket(ctx context.Context, address string) (p net.PacketConn, err error) {
	err = r.space.Do(func() error {
		p, err = new(net.ListenConfig).ListenPacket(ctx, "udp4", address)
		return err
	})
	return p, err
}

// Resolvers are the addresses at which the tasks of this router ask for names, on
// port 53.
func (r *Router) Resolvers() []netip.Addr {
	all := []netip.Addr{netip.MustParseAddr(ResolverAddress)}
	if r.VPC != "" {
		all = append(all, VPCResolver(r.Range))
	}
	return all
}

// Peer finds the task a connection comes from, by the veth that its packets
// entered on.
func (r *Router) Peer(conn net.Conn) (Peer, error) {
	index, err := incomingLink(conn)
	if err != nil {
		return Peer{}, fmt.Errorf("find the interface of a connection: %w", err)
	}
	r.mu.Lock()
	e := r.index[index]
	r.mu.Unlock()
	if e == nil {
		return Peer{}, errors.New("the connection comes from no task of this router")
	}
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil || from.Addr().Unmap() != e.address {
		return Peer{}, fmt.Errorf("the connection comes from %s, which is not the task's address", conn.RemoteAddr())
	}
	return e.peer, nil
}

// incomingLink asks the kernel for the index of the link that the connection was
// opened by.
func incomingLink(conn net.Conn) (int, error) {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return 0, fmt.Errorf("%T is not a socket", conn)
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return 0, err
	}
	var index int
	if failed := raw.Control(func(fd uintptr) { index, err = packetInfo(int(fd)) }); failed != nil {
		return 0, failed
	}
	return index, err
}

// packetInfo reads IP_PKTINFO of an accepted TCP socket: see IP_PKTOPTIONS in
// Linux' ip_sockglue.c. The standard library has no call that returns bytes.
func packetInfo(fd int) (int, error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_PKTINFO, 1); err != nil {
		return 0, err
	}
	buffer := make([]byte, unix.CmsgSpace(unix.SizeofInet4Pktinfo)+64)
	size := uint32(len(buffer))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_IP, unix.IP_PKTOPTIONS,
		uintptr(unsafe.Pointer(&buffer[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	messages, err := unix.ParseSocketControlMessage(buffer[:size])
	if err != nil {
		return 0, err
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= unix.SizeofInet4Pktinfo {
			return int((*unix.Inet4Pktinfo)(unsafe.Pointer(&m.Data[0])).Ifindex), nil
		}
	}
	return 0, errors.New("the kernel does not tell")
}
