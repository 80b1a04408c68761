package web

import (
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// roundTrip writes the request, reads the answer and gives it to the client. keep tells
// that the connection is good for another one.
func (x *exchange) roundTrip(u *upstream, stuck stay) (keep bool, err error) {
	x.client.watch(u)
	defer x.client.watch(nil)
	u.alive(x.now, x.l.idle)
	x.writeHead(u)
	rest, whole := x.client.whole()
	if whole {
		x.got.Store(int64(len(rest)))
		x.ended.Store(true)
		u.sink.Write(rest)
	}
	if err := u.sink.Flush(); err != nil {
		return false, &staleError{err}
	}
	var sent chan error
	if !x.ended.Load() {
		sent = make(chan error, 1)
		go x.sendBody(u, sent)
	}
	asked := time.Now()
	x.now = asked
	if err := x.readAnswer(u); err != nil {
		if sent != nil {
			return false, x.unanswered(u, err, sent)
		}
		return false, err
	}
	x.now = time.Now()
	x.to.waited, x.to.status = x.now.Sub(asked), x.answer.Status
	err = x.pass(u, stuck)
	if sent != nil {
		if !x.ended.Load() { // answered before it was asked to the end
			u.Close()
			x.client.deaf()
			<-sent
			return false, err
		}
		err = errors.Join(err, <-sent)
	}
	return err == nil && x.answer.Persists && !x.asked.Last && !x.client.gone(), err
}

// sendBody sends the body as the client does.
func (x *exchange) sendBody(u *upstream, sent chan<- error) {
	err := x.writeBody(u)
	sent <- err
	if clients(err) {
		u.Close() // the target waits in vain
	}
}

// unanswered is why a request with a body has no answer: the target's error, unless the
// client kept the target waiting. A silent target and a silent client look alike until
// the client's time is over.
func (x *exchange) unanswered(u *upstream, err error, sent <-chan error) error {
	u.Close()
	select {
	case werr := <-sent:
		if clients(werr) {
			return werr
		}
		return err
	default:
	}
	if !isTimeout(err) && !x.ended.Load() {
		x.client.deaf()
		<-sent
		return err
	}
	if werr := <-sent; clients(werr) {
		return werr
	}
	return err
}

// writeHead writes the head, which is not sent yet.
func (x *exchange) writeHead(u *upstream) {
	b := u.sink.Free()
	b = append(b, x.asked.Method...)
	b = append(b, ' ')
	b = append(b, x.out.target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, x.out.host...)
	b = append(b, "\r\n"...)
	b = x.out.fields.Append(b)
	switch {
	case x.asked.Length < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case x.asked.Length > 0 || expectsBody(x.asked.Method):
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, x.asked.Length, 10)
		b = append(b, "\r\n"...)
	}
	u.sink.Wrote(append(b, "\r\n"...))
}

// idempotent are the methods whose requests may be told twice (RFC 9110, 9.2.2).
func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE":
		return true
	}
	return false
}

// expectsBody are the methods whose requests say that they have no body (RFC 9110, 8.6).
func expectsBody(method string) bool { return method == "POST" || method == "PUT" || method == "PATCH" }

// writeBody writes the body as the client sends it; what there is goes on before more is
// waited for.
func (x *exchange) writeBody(u *upstream) error {
	var broken error
	pause := func() error {
		broken = u.sink.Flush()
		return broken
	}
	for {
		part, err := x.client.part(pause)
		if broken != nil {
			return broken
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return ofClient(err)
		}
		x.got.Add(int64(len(part)))
		u.alive(time.Now(), x.l.idle)
		if x.asked.Length >= 0 {
			_, err = u.sink.Write(part)
		} else {
			err = u.writeChunk(part)
		}
		if err != nil {
			return err
		}
	}
	if x.asked.Length < 0 {
		u.sink.Wrote(wire.AppendEnd(u.sink.Free(), x.client.trailer()))
	}
	x.ended.Store(true)
	return u.sink.Flush()
}

func (u *upstream) writeChunk(part []byte) error {
	u.sink.Wrote(wire.AppendSize(u.sink.Free(), len(part)))
	u.sink.Write(part)
	_, err := u.sink.Write([]byte("\r\n"))
	return err
}
