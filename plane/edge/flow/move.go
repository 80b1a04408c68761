package flow

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// pieceBytes are moved through a buffer of ours; when more waits, the kernel
	// splices, up to runBytes at a time.
	pieceBytes = 16 << 10
	runBytes   = 1 << 20
)

// pieces are buffers of pieceBytes. A connection has one only while it moves something.
var pieces = sync.Pool{New: func() any { return new([pieceBytes]byte) }}

// move carries bytes until from has said all. Between two TCP connections what comes in
// small pieces is read and written: it costs less than splicing, for which the runtime
// keeps a pipe for as long as it waits.
func move(to, from net.Conn) (all int64, err error) {
	source, plain := from.(*net.TCPConn)
	if _, both := to.(*net.TCPConn); !plain || !both {
		return io.Copy(to, from)
	}
	raw, err := source.SyscallConn()
	if err != nil {
		return 0, err
	}
	for {
		n, err := movePiece(to, raw)
		all += int64(n)
		if err != nil || n == 0 {
			return all, err
		}
		if n < pieceBytes {
			continue
		}
		run, err := io.CopyN(to, from, runBytes)
		all += run
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// movePiece waits for something to come and moves it; 0 without an error is the end.
func movePiece(to net.Conn, from syscall.RawConn) (n int, err error) {
	var b *[pieceBytes]byte
	var failed error
	err = from.Read(func(fd uintptr) bool {
		b = pieces.Get().(*[pieceBytes]byte)
		n, failed = readSome(int(fd), b[:])
		if errors.Is(failed, unix.EAGAIN) {
			pieces.Put(b)
			return false
		}
		return true
	})
	if err != nil {
		return 0, err
	}
	defer pieces.Put(b)
	if failed != nil || n == 0 {
		return 0, os.NewSyscallError("read", failed)
	}
	return to.Write(b[:n])
}

func readSome(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}
