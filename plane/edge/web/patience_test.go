package web_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// connect opens a connection to the stand and sends text.
func (s *stand) connect(t *testing.T, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// impatient waits a second for what idles.
func impatient(s *stand) { s.front().Balancer.Attributes[balancer.IdleTimeout] = "1" }

// TestABodyThatDoesNotCome holds neither the client's connection nor the target's.
func TestABodyThatDoesNotCome(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	s := newStand(t, func(s *stand) { impatient(s); s.pool("a", target); s.otherwise(to("a")) })
	for _, head := range []string{"Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"} {
		_, in := s.connect(t, "POST / HTTP/1.1\r\nHost: a\r\n"+head)
		answer, err := http.ReadResponse(in, nil)
		if err != nil || answer.StatusCode != http.StatusRequestTimeout {
			t.Errorf("%q: %+v, %v", head, answer, err)
		}
	}
}

// TestAnAnswerBeforeTheBody comes through at once: clients wait for it before they send
// what may be too much.
func TestAnAnswerBeforeTheBody(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "too much", http.StatusRequestEntityTooLarge)
	})
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	began := time.Now()
	_, in := s.connect(t, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc")
	answer, err := http.ReadResponse(in, nil)
	if err != nil || answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatalf("%+v, %v", answer, err)
	}
	if body, err := io.ReadAll(answer.Body); err != nil || strings.TrimSpace(string(body)) != "too much" || time.Since(began) > 10*time.Second {
		t.Errorf("%q, %v after %s", body, err, time.Since(began))
	}
}

// TestAClientThatDoesNotRead is left alone after a while, however much there is to say.
func TestAClientThatDoesNotRead(t *testing.T) {
	ended := make(chan error, 1)
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<20)
		for {
			if _, err := w.Write(block); err != nil {
				ended <- err
				return
			}
		}
	})
	s := newStand(t, func(s *stand) { impatient(s); s.pool("a", target); s.otherwise(to("a")) })
	s.connect(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the target still talks to nobody")
	}
}

// TestAClientThatLeaves leaves no target waiting for the rest of its body.
func TestAClientThatLeaves(t *testing.T) {
	ended := make(chan error, 1)
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	})
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	c, _ := s.connect(t, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
	c.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the target takes half a body for a whole")
		}
	case <-time.After(10 * time.Second):
		t.Error("the target still waits")
	}
}
