package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// connectPatience is how long a target may take to accept a connection, as on AWS.
const connectPatience = 10 * time.Second

// connect gives a connection to a target: an idle one, unless fresh is asked for.
func (x *exchange) connect(p *pool, t *target, fresh bool) (*upstream, error) {
	if !fresh {
		if u := t.idle.take(x.node, x.now, x.asked.Length == 0 && idempotent(x.asked.Method)); u != nil {
			return u, nil
		}
	}
	ctx, cancel := context.WithTimeout(x.client.context(), connectPatience)
	defer cancel()
	conn, err := x.dialTarget(ctx, p, t)
	x.now = time.Now()
	if err != nil {
		return nil, &refusedError{err}
	}
	return x.engine.newUpstream(conn, x.node), nil
}

// dialTarget connects, with TLS where the group says so. Certificates of targets are not
// verified, as on AWS.
func (x *exchange) dialTarget(ctx context.Context, p *pool, t *target) (net.Conn, error) {
	conn, err := x.dial(ctx, t.current.Load().Address)
	if err != nil || p.Group.Protocol != "HTTPS" {
		return conn, err
	}
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// overHTTP1 has a target answer over HTTP/1.1. A connection that was idle may have been
// ended by the target in this moment: if nothing of an answer came, and the body can be
// told again because none of it was read, a fresh one is tried.
func (x *exchange) overHTTP1(p *pool, t *target, stuck stay) error {
	for fresh := false; ; fresh = true {
		u, err := x.connect(p, t, fresh)
		if err != nil {
			return err
		}
		keep, err := x.roundTrip(u, stuck)
		if keep {
			t.idle.put(u, x.now)
		} else {
			u.end()
		}
		if err == nil {
			return nil
		}
		if again := u.used && errors.As(err, new(*staleError)) && x.got.Load() == 0; !again {
			return err
		}
	}
}

// staleError says that a connection ended before anything of an answer came.
type staleError struct{ error }

func (e *staleError) Unwrap() error { return e.error }

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

// errSwitches says that a target goes on in another protocol.
var errSwitches = errors.New("the target goes on in another protocol")

// readAnswer reads the head of the answer; what comes before it (100 to 199) is left
// out, as on AWS.
func (x *exchange) readAnswer(u *upstream) error {
	if len(u.source.Buffered()) == 0 {
		if err := u.source.Fill(); err != nil {
			return &staleError{err}
		}
	}
	for {
		if err := x.answer.Read(u.source, x.asked.Method); err != nil {
			return err
		}
		switch {
		case x.answer.Status >= 200:
			return nil
		case x.answer.Status == http.StatusSwitchingProtocols:
			return errSwitches
		}
	}
}

// pass gives the client what the target said.
func (x *exchange) pass(u *upstream, stuck stay) error {
	x.heard(x.answer.Fields, stuck)
	if err := x.begin(x.answer.Status, x.answer.Reason, x.answer.Length); err != nil {
		return err
	}
	began := x.now
	defer func() {
		x.now = time.Now()
		x.to.answered = x.now.Sub(began)
	}()
	x.body.OfAnswer(&x.answer, x.asked.Method, u.source)
	if err := x.passBody(u); err != nil {
		return err
	}
	return ofClientWriting(x.client.end(x.body.Trailer))
}

// passBody passes on what there is before it waits for more.
func (x *exchange) passBody(u *upstream) error {
	if rest, whole := x.body.Whole(); whole {
		x.sent = int64(len(rest))
		return ofClientWriting(x.client.write(rest))
	}
	x.body.Pause = func() error {
		x.now = time.Now()
		u.alive(x.now, x.l.idle)
		return ofClientWriting(x.client.flush())
	}
	return x.stream(x.body.Part)
}

// heard sets the headers of the target's answer, and those that the balancer adds.
func (x *exchange) heard(fields wire.Fields, stuck stay) {
	own := len(x.own)
	x.own = append(x.own, fields...)
	heard := x.own[own:]
	withoutHops(&heard)
	x.own = x.own[:own+len(heard)]
	if stuck != nil {
		stuck(&x.own, fields)
	}
	x.answerHeaders()
}

// stream copies the body.
func (x *exchange) stream(part func() ([]byte, error)) error {
	for {
		b, err := part()
		if len(b) > 0 {
			x.sent += int64(len(b))
			if err := x.client.write(b); err != nil {
				return ofClientWriting(err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
