package connect_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/plane/connect"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func listen(t testing.TB) (net.Listener, netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	return l, netip.MustParseAddrPort(l.Addr().String())
}

// dead is an address where nobody listens.
func dead(t testing.TB) netip.AddrPort {
	l, at := listen(t)
	check(t, l.Close())
	return at
}

func start(t *testing.T, c connect.Config, endpoints ...netip.AddrPort) (*connect.Proxy, string) {
	t.Helper()
	c.Log = slog.New(slog.DiscardHandler)
	p := connect.New(c)
	p.Set(endpoints)
	l, at := listen(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.Carry(c)
		}
	}()
	t.Cleanup(func() { check(t, l.Close()); <-ended; check(t, p.Close()) })
	return p, at.String()
}

// says answers each connection with a word, after the client has ended its side.
func says(t *testing.T, word string) netip.AddrPort {
	l, at := listen(t)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				heard, _ := io.ReadAll(c)
				fmt.Fprintf(c, "%s %s", word, heard)
			}()
		}
	}()
	return at
}

func call(t *testing.T, address, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	check(t, err)
	defer c.Close()
	_, _ = io.WriteString(c, text) // nobody may be there
	_ = c.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(c)
	return string(answer)
}

func TestConnectionsGoInTurnsPastTheDead(t *testing.T) {
	_, at := start(t, connect.Config{}, says(t, "one"), dead(t), says(t, "two"))
	heard := map[string]int{}
	for range 12 {
		heard[call(t, at, "hi")]++
	}
	if heard["one hi"]+heard["two hi"] != 12 || heard["one hi"] < 3 || heard["two hi"] < 3 {
		t.Errorf("heard %v", heard)
	}
	_, none := start(t, connect.Config{})
	if got := call(t, none, "hi"); got != "" {
		t.Errorf("nobody said %q", got)
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	_, at := start(t, connect.Config{Idle: 20 * time.Millisecond}, says(t, "one"))
	c, err := net.Dial("tcp", at)
	check(t, err)
	defer c.Close()
	check(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("read %d, %v", n, err)
	}
}

// web is a server that speaks HTTP/1 and HTTP/2 without TLS.
func web(t *testing.T, h http.HandlerFunc) netip.AddrPort {
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

func get(t *testing.T, client *http.Client, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	check(t, err)
	r.Host = "web.shop"
	answer, err := client.Do(r)
	check(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(t, err)
	return answer.StatusCode, string(text) + answer.Trailer.Get("Grpc-Status")
}

func TestRequestsOfEachProtocol(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "Grpc-Status")
		fmt.Fprintf(w, "%s %s %s", r.Proto, r.Host, body)
		w.Header().Set("Grpc-Status", "0")
	}
	for protocol, proto := range map[string]string{connect.HTTP: "HTTP/1.1", connect.HTTP2: "HTTP/2.0", connect.GRPC: "HTTP/2.0"} {
		client := &http.Client{Transport: &http.Transport{Protocols: new(http.Protocols)}}
		client.Transport.(*http.Transport).Protocols.SetUnencryptedHTTP2(proto == "HTTP/2.0")
		client.Transport.(*http.Transport).Protocols.SetHTTP1(proto == "HTTP/1.1")
		_, at := start(t, connect.Config{Protocol: protocol}, dead(t), web(t, echo))
		for range 4 {
			if status, text := get(t, client, "POST", "http://"+at+"/x", "body"); status != 200 || text != proto+" web.shop body0" {
				t.Errorf("%s: %d %q", protocol, status, text)
			}
		}
	}
}

func TestRequestsAreTriedElsewhere(t *testing.T) {
	busy := web(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	fine := web(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	_, at := start(t, connect.Config{Protocol: connect.HTTP}, busy, fine)
	posted := map[int]int{}
	for range 4 {
		if status, text := get(t, http.DefaultClient, "GET", "http://"+at+"/", ""); status != 200 || text != "fine" {
			t.Errorf("got %d %q", status, text)
		}
		status, _ := get(t, http.DefaultClient, "POST", "http://"+at+"/", "once only")
		posted[status]++
	}
	if posted[503] == 0 {
		t.Errorf("a request with a body was repeated: %v", posted)
	}
	_, nowhere := start(t, connect.Config{Protocol: connect.HTTP}, dead(t))
	if status, _ := get(t, http.DefaultClient, "GET", "http://"+nowhere+"/", ""); status != 503 {
		t.Errorf("nobody answered %d", status)
	}
	hang := web(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, slow := start(t, connect.Config{Protocol: connect.HTTP, Request: 20 * time.Millisecond}, hang)
	if status, _ := get(t, http.DefaultClient, "GET", "http://"+slow+"/", ""); status != 504 {
		t.Errorf("a slow endpoint: %d", status)
	}
}

func TestEndpointsThatFailAreLeftOut(t *testing.T) {
	var r connect.Ring
	a, b := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:1")
	r.Set([]netip.AddrPort{a, b})
	now := time.Unix(0, 0)
	picks := func() (of map[netip.AddrPort]int) {
		of = map[netip.AddrPort]int{}
		for range 10 {
			at, _ := r.Pick(now, nil)
			of[at]++
		}
		return of
	}
	for range 5 {
		r.Report(a, now, false)
		r.Report(b, now, false) // half of them may be in exile, not more
	}
	if got := picks(); got[b] != 10 {
		t.Errorf("a failed five times and was picked %d times", got[a])
	}
	if at, _ := r.Pick(now, []netip.AddrPort{b}); at != a {
		t.Error("who is in exile is tried last, but tried")
	}
	now = now.Add(31 * time.Second)
	if got := picks(); got[a] != 5 {
		t.Errorf("after the exile a was picked %d times", got[a])
	}
	for range 5 {
		r.Report(a, now, false)
	}
	r.Set([]netip.AddrPort{b, a})
	now = now.Add(31 * time.Second)
	if got := picks(); got[a] != 0 {
		t.Error("the second exile was as short as the first")
	}
	if _, ok := new(connect.Ring).Pick(now, nil); ok {
		t.Error("an empty ring gave an endpoint")
	}
}

func TestAClientHasSoManyConnections(t *testing.T) {
	_, at := start(t, connect.Config{Protocol: connect.HTTP})
	open := func() net.Conn {
		c, err := net.Dial("tcp", at)
		check(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	// answered tells whether a request on a connection is, be it that nobody serves.
	answered := func(c net.Conn) bool {
		_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: web\r\n\r\n")
		check(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		n, _ := c.Read(make([]byte, 100))
		return err == nil && n > 0
	}
	var all []net.Conn
	for range 1024 {
		all = append(all, open())
	}
	if !answered(all[1023]) {
		t.Fatal("a client may not have 1024 connections")
	}
	if answered(open()) {
		t.Error("a client may have more")
	}
	check(t, all[0].Close())
	for end := time.Now().Add(10 * time.Second); !answered(open()); {
		if time.Now().After(end) {
			t.Fatal("no other comes in place of one that has ended")
		}
	}
}
