package web

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// upgrades tells whether a client asks to go on in another protocol: WebSocket.
func upgrades(r *http.Request) bool {
	if r.ProtoMajor != 1 || r.Header.Get("Upgrade") == "" {
		return false
	}
	for _, line := range r.Header["Connection"] {
		for word := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(word), "upgrade") {
				return true
			}
		}
	}
	return false
}

// upgrade asks the target to go on in another protocol; once it does, bytes are led both
// ways until either side ends or both are silent.
func (x *exchange) upgrade(p *pool, t *target, out *head) error {
	u, err := x.connect(p, t, true)
	if err != nil {
		return err
	}
	defer u.Close()
	out.header["Connection"], out.header["Upgrade"] = []string{"Upgrade"}, x.r.Header["Upgrade"]
	_ = u.SetDeadline(time.Now().Add(x.idleTimeout()))
	if err := x.writeHead(u, out); err != nil {
		return err
	}
	answer, err := x.readAnswer(u)
	if err != nil {
		return err
	}
	x.to.status = answer.StatusCode
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return x.answer(u, answer, func(http.Header, *http.Response) {})
	}
	return x.switched(u, answer)
}

func (x *exchange) switched(u *upstream, answer *http.Response) error {
	client, buffered, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return err
	}
	defer client.Close()
	x.w.status = answer.StatusCode
	answer.Header.Set("Connection", "upgrade")
	head := &strings.Builder{}
	head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = answer.Header.Write(head) // to memory
	head.WriteString("\r\n")
	if _, err := io.WriteString(client, head.String()); err != nil {
		return nil // nobody is there to hear of it
	}
	x.w.bytes += splice(client, buffered.Reader, u, x.idleTimeout())
	return nil
}

// splice leads bytes both ways and returns how many went to the client.
func splice(client net.Conn, fromClient *bufio.Reader, u *upstream, idle time.Duration) (down int64) {
	alive := func() {
		end := time.Now().Add(idle)
		_, _ = client.SetDeadline(end), u.SetDeadline(end)
	}
	alive()
	var both sync.WaitGroup
	both.Go(func() { lead(u.Conn, fromClient, alive) })
	both.Go(func() { down = lead(client, u.reader, alive) })
	both.Wait()
	return down
}

// lead copies until the end, which it tells the other side.
func lead(to net.Conn, from io.Reader, alive func()) (n int64) {
	buffer := make([]byte, bufferSize)
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
