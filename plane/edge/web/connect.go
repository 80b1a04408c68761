package web

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/berthhq/berth/plane/edge/ssl"
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
