package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// TestStrictness shows requests that two servers may understand differently: none of
// them reaches a target.
func TestStrictness(t *testing.T) {
	reached := make(chan string, 100)
	target := server(t, func(w http.ResponseWriter, r *http.Request) { reached <- r.RequestURI })
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	const end = "\r\n\r\n"
	// What there is one reading of is passed on in that reading.
	understood := map[string]bool{"both lengths": true, "a folded line": true}
	for name, text := range map[string]string{
		"both lengths":         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked" + end + "0" + end,
		"two lengths":          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5" + end + "12345",
		"a signed length":      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4" + end + "1234",
		"unknown coding":       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked" + end + "0" + end,
		"two codings":          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity" + end + "0" + end,
		"a space before colon": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 4" + end + "1234",
		"an underscore":        "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 4" + end,
		"a folded line":        "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2: 3\r\n\tTransfer-Encoding: chunked" + end,
		"no host":              "GET / HTTP/1.1\r\nX: y" + end,
		"two hosts":            "GET / HTTP/1.1\r\nHost: a\r\nHost: b" + end,
		"a null":               "GET /\x00 HTTP/1.1\r\nHost: a" + end,
		"a bare return":        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 4" + end,
	} {
		if status, body := s.raw(t, text); status != 400 && status != 501 && !understood[name] {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	for len(reached) > 0 {
		if uri := <-reached; uri != "/" {
			t.Errorf("a target got %q", uri)
		}
	}
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"TRACE":           {"TRACE / HTTP/1.1\r\nHost: a" + end, 405},
		"a long line":     {"GET /" + strings.Repeat("a", 17<<10) + " HTTP/1.1\r\nHost: a" + end, 414},
		"a long header":   {"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 17<<10) + end, 400},
		"long headers":    {"GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: "+strings.Repeat("a", 8000)+"\r\n", 9) + "\r\n", 431},
		"many hops":       {"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + strings.Repeat("192.0.2.1, ", 30) + "192.0.2.1" + end, 463},
		"another version": {"GET / HTTP/3.0\r\nHost: a" + end, 505},
	} {
		if status, _ := s.raw(t, c.text); status != c.status {
			t.Errorf("%s: %d, not %d", name, status, c.status)
		}
	}
}

// TestFailuresOfTargets shows what becomes of requests whose target fails.
func TestFailuresOfTargets(t *testing.T) {
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	s := newStand(t, func(s *stand) {
		s.front().Balancer.Attributes[balancer.IdleTimeout] = "1"
		group := func(name string, at net.Addr) {
			p := s.pool(name)
			p.Targets = []balancer.PoolTarget{targetOf(name, at)}
		}
		group("refuses", closed.Addr())
		group("hangs-up", answering(t, ""))
		group("babbles", answering(t, "not HTTP at all\r\n\r\n"))
		group("silent", silent(t))
		s.pool("nobody")
		for n, name := range []string{"refuses", "hangs-up", "babbles", "silent", "nobody"} {
			s.listener().Rules = append(s.listener().Rules, balancer.Rule{Priority: n + 1, Actions: []balancer.Action{to(name)},
				Conditions: []balancer.Condition{{Field: balancer.PathPattern, Values: []string{"/" + name}}}})
		}
		s.otherwise(says(200, ""))
	})
	for name, want := range map[string]int{"refuses": 502, "hangs-up": 502, "babbles": 502, "silent": 504, "nobody": 503} {
		if answer, body := s.ask(t, "/"+name); answer.StatusCode != want || !strings.Contains(body, fmt.Sprint(want)) {
			t.Errorf("%s: %d %q", name, answer.StatusCode, body)
		}
	}
}

// answering says one thing to each connection and ends it.
func answering(t *testing.T, text string) net.Addr {
	return listening(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, text)
		c.Close()
	})
}

// silent takes connections and says nothing.
func silent(t *testing.T) net.Addr {
	return listening(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
}

func listening(t *testing.T, serve func(net.Conn)) net.Addr {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr()
}

// TestAnIdleConnectionThatTheTargetEnds shows that a request meets no connection that
// its target has left: a body is not lost with it.
func TestAnIdleConnectionThatTheTargetEnds(t *testing.T) {
	target := named(t, "ok")
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	for range 20 {
		answer, err := http.Post("http://"+s.addr, "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != 200 {
			t.Fatalf("%d %v", answer.StatusCode, err)
		}
		answer.Body.Close()
		target.CloseClientConnections()
	}
}

// TestAccessLog shows a request's line in AWS's form.
func TestAccessLog(t *testing.T) {
	target := named(t, "hello")
	s := newStand(t, func(s *stand) {
		s.front().Balancer.Attributes[balancer.AccessLogs] = "true"
		s.pool("a", target)
		s.rules(balancer.Rule{Priority: 7, Actions: []balancer.Action{to("a")}, Conditions: []balancer.Condition{{Field: balancer.PathPattern, Values: []string{"/p"}}}})
		s.otherwise(says(404, "no"))
	})
	s.ask(t, "/p?q=1", func(r *http.Request) { r.Host = "shop.com"; r.Header.Set("User-Agent", `evil" agent`) })
	s.ask(t, "/other")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	s.Drain(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) != 2 {
		t.Fatalf("lines %q", s.lines)
	}
	one, other := s.lines[0], s.lines[1]
	contains(t, one, "http 2", " app/web/0123456789abcdef 127.0.0.1:", " "+target.Listener.Addr().String()+" 0.000 ", " 200 200 0 5 ",
		`"GET http://shop.com:80/p?q=1 HTTP/1.1" "evil\x22 agent" - - a "Root=1-`, ` 7 2`, `"forward" "-" "-" "`+target.Listener.Addr().String()+`" "200" "-" "-" TID_`)
	contains(t, other, " - -1 -1 -1 404 - 0 2 ", ` 0 2`, `"fixed-response"`)
}

// TestAHeldRequest shows a request that waits for a service to wake.
func TestAHeldRequest(t *testing.T) {
	s := newStand(t, func(s *stand) { s.pool("a").Wake = true; s.otherwise(to("a")) })
	heard := make(chan string, 1)
	go func() {
		answer, err := http.Get("http://" + s.addr)
		if err != nil {
			heard <- err.Error()
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		heard <- string(body)
	}()
	tick, end := time.NewTicker(time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for len(s.Wakes()) == 0 {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("nobody is woken")
		}
	}
	s.snap.Pools[0].Targets = []balancer.PoolTarget{targetOf("a", named(t, "awake").Listener.Addr())}
	s.Apply(s.copied())
	if got := <-heard; got != "awake" {
		t.Errorf("heard %q", got)
	}
}
