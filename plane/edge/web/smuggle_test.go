package web_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// seen are the requests that reached a server.
type seen struct {
	*httptest.Server
	mu  sync.Mutex
	all []string
}

func newSeen(t testing.TB) *seen {
	t.Helper()
	s := &seen{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // half a request is none
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, r.Method+" "+r.RequestURI+" "+string(body))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *seen) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

// say sends bytes, and waits until the other side has said all it wants to.
func say(t *testing.T, addr string, text []byte) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Write(text); err != nil {
		return
	}
	_ = c.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, bufio.NewReader(c))
}

// FuzzSmuggling says the same bytes to a balancer and to its target: whatever the target
// hears through the balancer it would have heard without it, in that order, and nothing
// beyond. No request hides in another; and what the target answered is what the balancer
// says it asked.
func FuzzSmuggling(f *testing.F) {
	const end = "\r\n\r\n"
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: a" + end + "GET /b HTTP/1.1\r\nHost: a" + end,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked" + end + "0" + end + "GET /b HTTP/1.1\r\nHost: a" + end,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3" + end + "abcGET /b HTTP/1.1\r\nHost: a" + end,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked" + end + "3;x=\"\r\n\"\r\nabc\r\n0\r\nA: b" + end,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked" + end + "3\nabc\n0\n\nGET /b HTTP/1.1\nHost: a\n\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked" + end + "0" + end,
		"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z: w\r\nContent-Length: 0" + end,
		"GET /\tx HTTP/1.1\r\nHost: a" + end, "GET http://b/c HTTP/1.1\r\nHost: a" + end, "OPTIONS * HTTP/1.1\r\nHost: a" + end,
		"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked" + end + "0" + end,
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\nContent-Length: 5" + end + "GET /",
	} {
		f.Add([]byte(text))
	}
	direct, behind := newSeen(f), newSeen(f)
	s := newStand(f, func(s *stand) {
		s.front().Balancer.Attributes[balancer.AccessLogs] = "true"
		s.pool("a", behind.Server)
		s.otherwise(to("a"))
	})
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Contains(text, []byte("pgrade")) || bytes.Contains(text, []byte("100-")) {
			return // then bytes need not be requests, or wait for one another
		}
		for range 3 { // a request that was given up may still reach the target when the next text is said
			say(t, direct.Listener.Addr().String(), text)
			say(t, s.addr, text)
			want, got := direct.take(), behind.take()
			if asked := s.answered(t); !slices.Equal(asked, methods(got)) {
				t.Logf("the target heard %q\nbut was asked   %q", got, asked)
				continue
			}
			if len(got) <= len(want) && slices.Equal(got, want[:len(got)]) || absolute(got, want) {
				return
			}
			t.Logf("the target heard %q\ninstead of      %q", got, want)
		}
		t.Errorf("of %q", text)
	})
}

// answered are the methods of the requests that a target's handler answered, by the log,
// once all that began have ended. Of "OPTIONS *" net/http's handlers do not hear.
func (s *stand) answered(t *testing.T) (all []string) {
	t.Helper()
	until(t, func() bool { return s.InFlight(s.snap.Pools[0].Targets[0].Key) == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.lines {
		fields := strings.SplitN(line, " ", 14)
		if byTarget := !strings.HasPrefix(fields[13], "http://a:80* "); byTarget && fields[9] == "200" {
			all = append(all, strings.Trim(fields[12], `"`))
		}
	}
	s.lines = nil
	return all
}

func methods(requests []string) (all []string) {
	for _, r := range requests {
		method, _, _ := strings.Cut(r, " ")
		all = append(all, method)
	}
	return all
}

// until waits until something is so.
func until(t *testing.T, so func() bool) {
	t.Helper()
	tick, end := time.NewTicker(time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("it does not come to be so")
		}
	}
}

// absolute tells whether the two differ in the form of their URLs alone: a balancer asks
// for a path (RFC 9112, 3.2.1). Requests that it refuses may be left out between others.
func absolute(got, want []string) bool {
	rest := want
	for _, g := range got {
		method, tail, _ := strings.Cut(g, " ")
		at := slices.IndexFunc(rest, func(w string) bool {
			m, t, _ := strings.Cut(w, " ")
			return m == method && strings.HasSuffix(t, strings.TrimPrefix(tail, "/"))
		})
		if at < 0 {
			return false
		}
		rest = rest[at+1:]
	}
	return true
}
