package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"

	"github.com/berthhq/berth/plane/edge/ssl"
)

// connectPatience is how long a target may take to accept a connection, as on AWS.
const connectPatience = 10 * time.Second

// connect gives a connection to a target: an idle one, unless fresh is asked for.
func (x *exchange) connect(p *pool, t *target, fresh bool) (*upstream, error) {
	if !fresh {
		if u := t.idle.take(x.node, x.engine.Now()); u != nil {
			return u, nil
		}
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), connectPatience)
	defer cancel()
	conn, err := x.dialTarget(ctx, p, t)
	if err != nil {
		return nil, &refusedError{err}
	}
	return &upstream{Conn: conn, reader: bufio.NewReaderSize(conn, bufferSize), writer: bufio.NewWriterSize(conn, bufferSize), node: x.node}, nil
}

// dialTarget connects, with TLS where the group says so.
func (x *exchange) dialTarget(ctx context.Context, p *pool, t *target) (net.Conn, error) {
	conn, err := x.dial(ctx, t.current.Load().Address)
	if err != nil || p.Group.Protocol != "HTTPS" {
		return conn, err
	}
	var keys []string
	if x.l.classic() {
		keys = x.l.balancer.Classic.PublicKeys(p.Group.Port)
	}
	secure := tls.Client(conn, ssl.Back(keys))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// overHTTP1 has a target answer over HTTP/1.1. A connection that was idle may have been
// ended by the target in this moment: if nothing of an answer came, and the body can be
// told again because none of it was read, a fresh one is tried.
func (x *exchange) overHTTP1(p *pool, t *target, out *head, stuck func(http.Header, *http.Response)) error {
	for fresh := false; ; fresh = true {
		u, err := x.connect(p, t, fresh)
		if err != nil {
			return err
		}
		err = x.roundTrip(t, u, out, stuck)
		if err == nil {
			return nil
		}
		if again := u.used && errors.As(err, new(*staleError)) && x.body.bytes == 0; !again {
			return err
		}
	}
}

// staleError says that a connection ended before anything of an answer came.
type staleError struct{ error }

func (e *staleError) Unwrap() error { return e.error }

// roundTrip writes the request, reads the answer and gives it to the client. It owns
// the connection.
func (x *exchange) roundTrip(t *target, u *upstream, out *head, stuck func(http.Header, *http.Response)) error {
	keep := false
	defer func() {
		if keep {
			t.idle.put(u, x.engine.Now())
		} else {
			u.Close()
		}
	}()
	cut := context.AfterFunc(x.r.Context(), func() { u.SetDeadline(time.Unix(1, 0)) }) // the client went away
	defer cut()
	_ = u.SetDeadline(time.Now().Add(x.idleTimeout()))
	if err := x.writeHead(u, out); err != nil {
		return &staleError{err}
	}
	sent := make(chan error, 1)
	bodied := x.r.ContentLength != 0
	if bodied {
		go func() {
			err := x.writeBody(u)
			sent <- err
			if clients(err) {
				u.Close() // the target waits in vain
			}
		}()
	}
	asked := time.Now()
	answer, err := x.readAnswer(u)
	if err != nil {
		if bodied {
			return x.unanswered(u, err, sent)
		}
		return err
	}
	x.to.waited, x.to.status = time.Since(asked), answer.StatusCode
	if bodied {
		_ = x.control.EnableFullDuplex() // HTTP/2 is so anyway
	}
	err = x.answer(u, answer, stuck)
	if bodied {
		if !x.body.ended.Load() { // answered before it was asked to the end
			u.Close()
			x.deaf()
			<-sent
			return err
		}
		err = errors.Join(err, <-sent)
	}
	keep = err == nil && !answer.Close && cut()
	return err
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
	if !isTimeout(err) && !x.body.ended.Load() {
		x.deaf()
		<-sent
		return err
	}
	if werr := <-sent; clients(werr) {
		return werr
	}
	return err
}

func (x *exchange) writeHead(u *upstream, out *head) error {
	w := u.writer
	w.WriteString(x.r.Method)
	w.WriteByte(' ')
	w.WriteString(out.target)
	w.WriteString(" HTTP/1.1\r\nHost: ")
	w.WriteString(out.host)
	w.WriteString("\r\n")
	switch {
	case x.r.ContentLength > 0:
		out.header["Content-Length"] = []string{strconv.FormatInt(x.r.ContentLength, 10)}
	case x.r.ContentLength < 0:
		delete(out.header, "Content-Length")
		out.header["Transfer-Encoding"] = []string{"chunked"}
	}
	if err := out.header.Write(w); err != nil {
		return err
	}
	w.WriteString("\r\n")
	return w.Flush()
}

// writeBody writes the body as the client sends it.
func (x *exchange) writeBody(u *upstream) error {
	to := io.Writer(u.writer)
	var chunks io.WriteCloser
	if x.r.ContentLength < 0 {
		chunks = httputil.NewChunkedWriter(u.writer)
		to = chunks
	}
	if err := x.copyBody(to, u); err != nil {
		return err
	}
	if chunks != nil {
		if err := chunks.Close(); err != nil {
			return err
		}
		if err := x.r.Trailer.Write(u.writer); err != nil {
			return err
		}
		if _, err := u.writer.WriteString("\r\n"); err != nil {
			return err
		}
	}
	return u.writer.Flush()
}

func (x *exchange) copyBody(to io.Writer, u *upstream) error {
	lent := x.engine.borrow()
	defer x.engine.buffers.Put(lent)
	buffer := *lent
	for {
		n, err := x.body.Read(buffer)
		if n > 0 {
			_ = u.SetDeadline(time.Now().Add(x.idleTimeout()))
			if _, werr := to.Write(buffer[:n]); werr != nil {
				return werr
			}
			if x.r.ContentLength < 0 { // a stream: pass on what there is
				if werr := u.writer.Flush(); werr != nil {
					return werr
				}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return ofClient(err)
		}
	}
}

// readAnswer reads the head of the answer; what comes before it (100 to 199) is left
// out, as on AWS.
func (x *exchange) readAnswer(u *upstream) (*http.Response, error) {
	if _, err := u.reader.Peek(1); err != nil {
		return nil, &staleError{err}
	}
	for {
		answer, err := http.ReadResponse(u.reader, x.r)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode >= 200 || answer.StatusCode == http.StatusSwitchingProtocols {
			return answer, nil
		}
	}
}

// answer gives the client what the target said.
func (x *exchange) answer(u *upstream, a *http.Response, stuck func(http.Header, *http.Response)) error {
	defer a.Body.Close()
	x.head(a, stuck)
	h := x.w.Header()
	for name := range a.Trailer {
		h.Add("Trailer", name)
	}
	if a.ContentLength >= 0 && x.r.Method != http.MethodHead {
		h.Set("Content-Length", strconv.FormatInt(a.ContentLength, 10))
	}
	x.w.WriteHeader(a.StatusCode)
	if err := x.stream(a, func() { _ = u.SetDeadline(time.Now().Add(x.idleTimeout())) }); err != nil {
		return err
	}
	x.trailers(a)
	return nil
}

// head sets the headers of the target's answer, and those that the balancer adds.
func (x *exchange) head(a *http.Response, stuck func(http.Header, *http.Response)) {
	h := x.w.Header()
	withoutHops(a.Header)
	for name, values := range a.Header {
		h[name] = append(h[name], values...)
	}
	stuck(h, a)
	x.answerHeaders()
}

// trailers sets those of the target's answer, which are known once its body has ended.
func (x *exchange) trailers(a *http.Response) {
	h := x.w.Header()
	for name, values := range a.Trailer {
		for _, v := range values {
			h.Add(http.TrailerPrefix+name, v)
		}
	}
}

// stream copies the body; what has no length may be waited for, and is passed on as it
// comes.
func (x *exchange) stream(a *http.Response, alive func()) error {
	began := time.Now()
	defer func() { x.to.answered = time.Since(began) }()
	lent := x.engine.borrow()
	defer x.engine.buffers.Put(lent)
	buffer := *lent
	flush := a.ContentLength < 0
	if flush {
		if err := x.control.Flush(); err != nil {
			return err
		}
	}
	for {
		n, err := a.Body.Read(buffer)
		if n > 0 {
			alive()
			x.speak()
			if _, werr := x.w.Write(buffer[:n]); werr != nil {
				return werr
			}
			if flush {
				if werr := x.control.Flush(); werr != nil {
					return werr
				}
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
