package web

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// upgrades tells whether a client asks to go on in another protocol: WebSocket.
func upgrades(r *wire.Request) bool {
	return r.Major == 1 && r.Fields.Has("Upgrade") && r.Fields.Names("Connection", "upgrade")
}

// upgrade asks the target to go on in another protocol; once it does, bytes are led both
// ways until either side ends or both are silent.
func (x *exchange) upgrade(p *pool, t *target) error {
	u, err := x.connect(p, t, true)
	if err != nil {
		return err
	}
	defer u.end()
	x.out.fields.Add("Connection", "Upgrade")
	for _, to := range x.asked.Fields.Values("Upgrade") {
		x.out.fields.Add("Upgrade", to)
	}
	if _, err = x.roundTrip(u, nil); !errors.Is(err, errSwitches) {
		return err
	}
	return x.switched(u)
}

func (x *exchange) switched(u *upstream) error {
	x.to.status, x.status = x.answer.Status, x.answer.Status
	client, read := x.client.hijack()
	defer client.Close()
	defer x.upgraded.enter(client)()
	head := []byte("HTTP/1.1 101 Switching Protocols\r\n")
	x.answer.Fields.Del("Connection")
	x.answer.Fields.Add("Connection", "upgrade")
	head = append(x.answer.Fields.Append(head), "\r\n"...)
	if _, err := client.Write(head); err != nil {
		return nil // nobody is there to hear of it
	}
	x.sent += splice(client, read, u, x.l.idle)
	return nil
}

// upgraded are the connections that go on in another protocol.
type upgraded struct {
	mu   sync.Mutex
	open map[net.Conn]bool
	none chan struct{} // closed when the last one ended; nil while nobody waits
}

func (u *upgraded) enter(c net.Conn) (leave func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.open == nil {
		u.open = map[net.Conn]bool{}
	}
	u.open[c] = true
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if delete(u.open, c); len(u.open) == 0 && u.none != nil {
			close(u.none)
			u.none = nil
		}
	}
}

// wait waits until the last has ended; those that have not when ctx ends are cut off.
func (u *upgraded) wait(ctx context.Context) {
	u.mu.Lock()
	if len(u.open) == 0 {
		u.mu.Unlock()
		return
	}
	if u.none == nil {
		u.none = make(chan struct{})
	}
	none := u.none
	u.mu.Unlock()
	select {
	case <-none:
		return
	case <-ctx.Done():
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.open {
		c.Close()
	}
}

// splice leads bytes both ways and returns how many went to the client.
func splice(client net.Conn, fromClient io.Reader, u *upstream, idle time.Duration) (down int64) {
	alive := func() {
		end := time.Now().Add(idle)
		_, _ = client.SetDeadline(end), u.SetDeadline(end)
	}
	alive()
	var both sync.WaitGroup
	both.Go(func() { lead(u.Conn, fromClient, alive) })
	both.Go(func() { down = lead(client, u.source, alive) })
	both.Wait()
	return down
}

// lead copies until the end, which it tells the other side.
func lead(to net.Conn, from io.Reader, alive func()) (n int64) {
	buffer := make([]byte, wire.BufferSize)
	for {
		got, err := from.Read(buffer)
		if got > 0 {
			alive()
			wrote, werr := to.Write(buffer[:got])
			n += int64(wrote)
			err = errors.Join(err, werr)
		}
		if err != nil {
			if c, ok := to.(interface{ CloseWrite() error }); ok && errors.Is(err, io.EOF) {
				_ = c.CloseWrite()
			} else {
				to.Close()
			}
			return n
		}
	}
}
