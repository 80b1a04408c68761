package space

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Dial connects to an IPv4 address by TCP from inside the namespace. A socket stays
// where it was made: a thread goes inside for as long as that takes, and none waits
// there for the answer.
func (s *Space) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	if !to.Addr().Is4() {
		return nil, fmt.Errorf("dial %s: the address is not IPv4", to)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fd, err := s.socket()
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	address := &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}
	begun := connect(fd, address)
	file := os.NewFile(uintptr(fd), to.String()) // the runtime waits for it from here on
	defer file.Close()
	if pending(begun) {
		begun = wait(ctx, file, address)
	}
	if begun != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp4", Addr: net.TCPAddrFromAddrPort(to), Err: begun}
	}
	return net.FileConn(file)
}

func (s *Space) socket() (fd int, err error) {
	err = s.Do(func() error {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
		return os.NewSyscallError("socket", err)
	})
	return fd, err
}

// wait returns when the connection has come about, or why it has not.
func wait(ctx context.Context, file *os.File, to unix.Sockaddr) error {
	stop := context.AfterFunc(ctx, func() { _ = file.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var came error
	err = raw.Write(func(fd uintptr) bool {
		came = connect(int(fd), to)
		return !pending(came)
	})
	switch {
	case err == nil:
		return came
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

// connect begins to connect, or tells how far that has come. On one machine the first
// call has often done it all.
func connect(fd int, to unix.Sockaddr) error {
	err := unix.Connect(fd, to)
	if errors.Is(err, unix.EISCONN) {
		return nil
	}
	return os.NewSyscallError("connect", err)
}

func pending(err error) bool {
	return errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EALREADY) || errors.Is(err, unix.EINTR)
}
