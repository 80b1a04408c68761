package wire

import (
	"io"
	"net"
	"syscall"
	"unsafe"
)

// Socket is a TCP connection whose reads and writes are not told to Go's scheduler. Its
// sockets never block, so there is nothing to be told; but on a busy machine the
// scheduler takes a call that was interrupted for one that blocks, and starts a thread.
// One goroutine may read while another one writes.
type Socket struct {
	*net.TCPConn
	raw    syscall.RawConn
	reads  transfer
	writes transfer
}

// transfer is a call of the system's that moves bytes.
type transfer struct {
	call  uintptr
	bytes []byte
	n     int
	errno syscall.Errno
	try   func(fd uintptr) bool // made once: it is the transfer's own method
}

// NewSocket makes one of a connection; the connection itself when it is of another kind.
func NewSocket(c net.Conn) net.Conn {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return c
	}
	s := &Socket{TCPConn: t, raw: raw}
	s.reads.call, s.writes.call = syscall.SYS_READ, syscall.SYS_WRITE
	s.reads.try, s.writes.try = s.reads.once, s.writes.once
	return s
}

// once makes the call; false when it would have to wait.
func (t *transfer) once(fd uintptr) (done bool) {
	for {
		n, _, errno := syscall.RawSyscall(t.call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(t.bytes))), uintptr(len(t.bytes)))
		switch errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		}
		t.n, t.errno = int(n), errno
		return true
	}
}

// Read implements net.Conn.
func (s *Socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	t := &s.reads
	t.bytes = p
	err := s.raw.Read(t.try)
	t.bytes = nil
	switch {
	case err != nil:
		return 0, err
	case t.errno != 0:
		return 0, &net.OpError{Op: "read", Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: t.errno}
	case t.n == 0:
		return 0, io.EOF
	}
	return t.n, nil
}

// Write implements net.Conn.
func (s *Socket) Write(p []byte) (done int, err error) {
	t := &s.writes
	defer func() { t.bytes = nil }()
	for done < len(p) {
		t.bytes = p[done:]
		if err := s.raw.Write(t.try); err != nil {
			return done, err
		}
		if t.errno != 0 {
			return done, &net.OpError{Op: "write", Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: t.errno}
		}
		done += t.n
	}
	return done, nil
}
