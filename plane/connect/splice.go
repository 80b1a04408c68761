package connect

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// splice carries a connection until both sides have ended, or nothing happens on it
// for too long.
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
	awake := p.watch(client, server)
	defer awake.Stop()
	var both sync.WaitGroup
	both.Go(func() { carry(server, client, awake, p.Idle) })
	both.Go(func() { carry(client, server, awake, p.Idle) })
	both.Wait()
}

// watch closes connections that nobody uses for too long.
func (p *Proxy) watch(connections ...net.Conn) *time.Timer {
	end := func() {
		for _, c := range connections {
			c.Close()
		}
	}
	if p.Idle < 0 {
		t := time.AfterFunc(time.Hour, end)
		t.Stop()
		return t
	}
	return time.AfterFunc(p.Idle, end)
}

// carry copies one direction and ends it at the other side.
func carry(to, from net.Conn, awake *time.Timer, idle time.Duration) {
	_, err := io.Copy(to, touching{from, awake, idle})
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // it has gone, then
		return
	}
	to.Close()
	from.Close()
}

// touching puts the end of an idle connection off with each read.
type touching struct {
	net.Conn
	awake *time.Timer
	idle  time.Duration
}

func (t touching) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if n > 0 && t.idle > 0 {
		t.awake.Reset(t.idle)
	}
	return n, err
}
