package metadata

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// dialPatience is how long one address of the API may take to answer.
const dialPatience = 3 * time.Second

// unavailable is what a task hears when no address answers. SDKs try again.
const unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" +
	"berth's API cannot be reached from this host at the moment.\n"

// forwarder carries connections to the API byte by byte: signatures cover the
// Host header, which must stay as the task wrote it.
type forwarder struct {
	server   *Server
	listener net.Listener
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	open     sync.WaitGroup
}

func (s *Server) forward(l net.Listener) io.Closer {
	ctx, cancel := context.WithCancel(context.Background())
	f := &forwarder{server: s, listener: l, ctx: ctx, cancel: cancel}
	f.open.Add(1)
	go f.accept()
	return f
}

// Close ends the listener and every connection.
func (f *forwarder) Close() error {
	f.cancel()
	err := f.listener.Close()
	f.open.Wait()
	return err
}

func (f *forwarder) accept() {
	defer f.open.Done()
	for {
		conn, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, say: wait for some to close
			f.server.cfg.Log.Warn("a task's connection to the API was lost", "err", err)
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-f.ctx.Done():
				return
			}
		}
		f.open.Go(func() {
			f.carry(conn)
		})
	}
}

func (f *forwarder) carry(task net.Conn) {
	defer task.Close()
	api, err := f.server.cfg.Endpoint.dial(f.ctx)
	if err != nil {
		if f.ctx.Err() == nil {
			f.server.cfg.Log.Warn("berth's API cannot be reached for a task", "err", err)
		}
		excuse(task)
		return
	}
	defer api.Close()
	ended := context.AfterFunc(f.ctx, func() { task.Close(); api.Close() })
	defer ended()
	up := make(chan struct{})
	go func() {
		pour(api, task)
		close(up)
	}()
	pour(task, api)
	<-up
}

// excuse answers in the API's place. The request is read and thrown away, for a
// connection closed with bytes unread is reset, and the answer lost.
func excuse(task net.Conn) {
	_ = task.SetDeadline(time.Now().Add(dialPatience))
	_, _ = io.WriteString(task, unavailable)
	if half, ok := task.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, task)
}

// pour copies until from ends and then says so to to.
func pour(to, from net.Conn) {
	_, _ = io.Copy(to, from) // either side may go at any time
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	to.Close()
}

// dial connects to the first address that answers.
func (e *Endpoint) dial(ctx context.Context) (net.Conn, error) {
	var errs []error
	for _, address := range e.Addresses {
		conn, err := e.dialOne(ctx, address)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, fmt.Errorf("reach %s: %w", address, err))
	}
	return nil, errors.Join(errs...)
}

func (e *Endpoint) dialOne(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialPatience}
	if e.TLS == nil {
		return d.DialContext(ctx, "tcp", address)
	}
	return (&tls.Dialer{NetDialer: &d, Config: e.TLS}).DialContext(ctx, "tcp", address)
}
