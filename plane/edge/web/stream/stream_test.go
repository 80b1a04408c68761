package stream_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/berthhq/berth/plane/edge/web/stream"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// server serves connections of a loopback socket.
type server struct {
	at    string
	mu    sync.Mutex
	conns []*stream.Conn
}

func serve(t testing.TB, handle func(*stream.Stream)) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{at: l.Addr().String()}
	options := stream.Options{Buffers: &wire.Buffers{}, Workers: stream.NewWorkers(), Idle: time.Minute, Patience: time.Minute, Serve: handle}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conn := stream.New(c, options)
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			open.Go(conn.Serve)
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.each((*stream.Conn).Close)
		open.Wait()
	})
	return s
}

func (s *server) each(do func(*stream.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		do(c)
	}
}

func (s *server) client() *http.Client {
	return &http.Client{Transport: &http2.Transport{
		AllowHTTP: true,
		DialTLSContext: func(ctx context.Context, network, at string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, at)
		},
	}}
}

// echo answers with the request's body, and says what it saw of the rest.
func echo(s *stream.Stream) {
	r := &s.Request
	h := wire.Fields{{Name: "X-Saw", Value: r.Method + " " + r.Host + r.Path + "?" + r.Query}, {Name: "X-Cookies", Value: r.Fields.Get("cookie")}}
	s.Begin(200, h)
	for {
		part, err := s.Part(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || s.Write(part) != nil {
			return
		}
	}
	_ = s.End(wire.Fields{{Name: "X-Sum", Value: s.Trailer().Get("x-sum")}})
}

func TestEcho(t *testing.T) {
	s := serve(t, echo)
	for _, size := range []int{0, 1, 16384, 70_000, 3 << 20} {
		body := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		r, err := http.NewRequest(http.MethodPost, "http://"+s.at+"/a/b?c=d", io.MultiReader(bytes.NewReader(body))) // of no known length
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Add("Cookie", "a=1; b=2")
		r.Trailer = http.Header{"X-Sum": {"42"}}
		answer, err := s.client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
		}
		if saw := answer.Header.Get("X-Saw"); saw != "POST "+s.at+"/a/b?c=d" || answer.Header.Get("X-Cookies") != "a=1; b=2" {
			t.Errorf("%v", answer.Header)
		}
		if answer.Trailer.Get("X-Sum") != "42" {
			t.Errorf("trailer %v", answer.Trailer)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	s := serve(t, echo)
	client := s.client()
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			body := strings.Repeat(fmt.Sprint(n, " "), 10_000)
			answer, err := client.Post("http://"+s.at, "text/plain", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			if got, err := io.ReadAll(answer.Body); err != nil || string(got) != body {
				t.Errorf("%d: %d bytes, %v", n, len(got), err)
			}
		})
	}
	all.Wait()
}

// TestGone has a client take its request back.
func TestGone(t *testing.T) {
	gone := make(chan error, 2)
	began := make(chan bool)
	s := serve(t, func(s *stream.Stream) {
		s.OnGone(func() { gone <- nil })
		close(began)
		_, err := s.Part(nil)
		gone <- err
		<-s.Context().Done()
	})
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.at, blocked{ctx})
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-began; cancel() }()
	if _, err := s.client().Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := errors.Join(<-gone, <-gone); !errors.Is(err, stream.ErrGone) {
		t.Errorf("%v", err)
	}
}

// blocked is a body of which nothing comes.
type blocked struct{ ctx context.Context }

func (b blocked) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

// TestDrain has a connection end with the answer that is under way.
func TestDrain(t *testing.T) {
	began, goOn := make(chan bool), make(chan bool)
	s := serve(t, func(s *stream.Stream) {
		close(began)
		<-goOn
		echo(s)
	})
	client := s.client()
	done := make(chan error)
	go func() {
		answer, err := client.Get("http://" + s.at)
		if err == nil {
			_, err = io.ReadAll(answer.Body)
		}
		done <- err
	}()
	<-began
	s.each((*stream.Conn).Drain)
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestHalfAnAnswer sees that an answer which was cut off is not taken for a whole.
func TestHalfAnAnswer(t *testing.T) {
	s := serve(t, func(s *stream.Stream) {
		s.Begin(200, nil)
		if s.Write([]byte("half")) == nil {
			_ = s.Flush()
		}
	})
	answer, err := s.client().Get("http://" + s.at)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("%q, as if that were all", got)
	}
}
