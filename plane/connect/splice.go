package connect

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// splice carries a connection until both sides have ended, or nothing is heard on it for
// too long. The kernel moves the bytes.
func (p *Proxy) splice(client net.Conn) {
	defer client.Close()
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	server, at, err := p.connect(context.Background(), nil)
	if err != nil {
		p.Log.Debug("a call was not carried", "client", client.RemoteAddr(), "err", err)
		return
	}
	defer server.Close()
	p.Report(at, p.Now(), true)
	if !p.keep(server) {
		return
	}
	defer p.drop(server)
	if p.Idle > 0 {
		defer watch(client, server, p.Idle).Stop()
	}
	var both sync.WaitGroup
	both.Go(func() { carry(server, client) })
	both.Go(func() { carry(client, server) })
	both.Wait()
}

// watch closes connections on which nothing was heard for as long as idle.
func watch(client, server net.Conn, idle time.Duration) *time.Timer {
	var t *time.Timer
	look := make(chan struct{})
	t = time.AfterFunc(idle, func() {
		<-look // until t is there
		if quiet := min(silent(client), silent(server)); quiet < idle {
			t.Reset(idle - quiet)
			return
		}
		client.Close()
		server.Close()
	})
	close(look)
	return t
}

// silent is for how long nothing was heard on a connection.
func silent(c net.Conn) (d time.Duration) {
	sys, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // one that is closed is not watched for long
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO); err == nil {
			d = time.Duration(info.Last_data_recv) * time.Millisecond
		}
	})
	return d
}

// carry copies one direction and ends it at the other side.
func carry(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // it has gone, then
		return
	}
	to.Close()
	from.Close()
}
