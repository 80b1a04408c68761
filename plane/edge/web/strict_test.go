package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// TestDesyncMitigation shows what becomes of requests that two servers may understand
// differently, in each mode: passed on, passed on as the last of their connections, or
// refused.
func TestDesyncMitigation(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	const host = "Host: a\r\n"
	for _, c := range []struct {
		name, text                    string
		monitor, defensive, strictest string // "goes on", "ends" or "400"
		class                         string
	}{
		{"plain", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\nx", "goes on", "goes on", "goes on", `"-" "-"`},
		{"both lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "ends", "ends", "400", `"Ambiguous" "BothTeClPresent"`},
		{"a length twice", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "goes on", "ends", "400", `"Ambiguous" "DuplicateContentLength"`},
		{"a GET with a body", "GET / HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\nx", "goes on", "ends", "400", `"Ambiguous" "UndefinedContentLengthSemantics"`},
		{"a GET with chunks", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "goes on", "ends", "400", `"Ambiguous" "UndefinedTransferEncodingSemantics"`},
		{"a disguised length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer_Encoding: chunked\r\n\r\nx", "goes on", "400", "400", `"Ambiguous" "SuspiciousHeader"`},
		{"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy", "400", "400", "400", `"Severe" "MultipleContentLength"`},
		{"a bad length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1x\r\n\r\nx", "400", "400", "400", `"Severe" "BadContentLength"`},
		{"a bad coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, x\r\n\r\n", "400", "400", "400", `"Severe" "BadTransferEncoding"`},
		{"bad chunks", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nx\r\n", "400", "400", "400", `"Severe" "BadTransferEncoding"`},
		{"a bad name", "GET / HTTP/1.1\r\n" + host + "X : y\r\n\r\n", "400", "400", "400", `"Severe" "BadHeader"`},
	} {
		for mode, want := range map[string]string{"monitor": c.monitor, "defensive": c.defensive, "strictest": c.strictest} {
			s := newStand(t, func(s *stand) {
				s.front().Balancer.Attributes[balancer.DesyncMitigation], s.front().Balancer.Attributes[balancer.AccessLogs] = mode, "true"
				s.pool("a", target)
				s.otherwise(to("a"))
			})
			if got := s.fate(t, c.text); got != want {
				t.Errorf("%s in mode %s: %s, not %s", c.name, mode, got, want)
			}
			until(t, func() bool { return len(s.log()) > 0 })
			if line := s.log()[0]; !strings.Contains(line, " "+c.class+" TID_") {
				t.Errorf("%s in mode %s: %s", c.name, mode, line)
			}
		}
	}
}

// fate is what becomes of a connection that sends text and then a request that is plain.
func (s *stand) fate(t *testing.T, text string) string {
	t.Helper()
	conn, in := s.connect(t, text)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode == 200 && string(body) != "x" {
		t.Errorf("%q was answered %q", text, body)
	}
	if answer.StatusCode != 200 {
		if !answer.Close {
			t.Errorf("%q leaves a connection", text)
		}
		return answer.Status[:3]
	}
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := http.ReadResponse(in, nil); err != nil {
		return "ends"
	}
	return "goes on"
}

func (s *stand) log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

// TestRefusalsAreLogged shows what is no request in the log and among the metrics, as on
// AWS: nothing of it is known.
func TestRefusalsAreLogged(t *testing.T) {
	s := newStand(t, func(s *stand) {
		s.front().Balancer.DNSName = "web-1.example.com"
		s.front().Balancer.Attributes[balancer.AccessLogs] = "true"
		s.otherwise(says(200, ""))
	})
	if status, _ := s.raw(t, "GET / \x00 HTTP/1.1\r\n\r\n"); status != 400 {
		t.Errorf("status %d", status)
	}
	until(t, func() bool { return len(s.log()) == 1 })
	contains(t, s.log()[0], " - -1 -1 -1 400 - 0 ", ` "- http://web-1.example.com:80- -" "-" - - - "-" "-" "-" - `, ` "-" "-" "-" "-" "-" "Severe" "SpaceInUri" TID_`)
	counted := map[string]float64{}
	for _, c := range s.Counts(time.Now()) {
		counted[c.Name] += c.Set.Sum
	}
	if counted["HTTPCode_ELB_4XX_Count"] != 1 || counted["RequestCount"] != 0 {
		t.Errorf("counted %v", counted)
	}
}

// TestSlowHeads shows that a head has a time to come in as a whole: a byte now and then
// does not keep a connection.
func TestSlowHeads(t *testing.T) {
	s := newStand(t, func(s *stand) { impatient(s); s.otherwise(says(200, "")) })
	conn, in := s.connect(t, "GET / HTTP/1.1\r\nHost: a\r\n")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	answered := make(chan *http.Response, 1)
	go func() {
		answer, _ := http.ReadResponse(in, nil)
		answered <- answer
	}()
	for {
		select {
		case answer := <-answered:
			if answer == nil || answer.StatusCode != http.StatusRequestTimeout || !answer.Close {
				t.Errorf("answer %+v", answer)
			}
			return
		case <-tick.C:
			_, _ = io.WriteString(conn, "X")
		}
	}
}

// TestPipelines shows several requests sent at once: each has its answer, in order.
func TestPipelines(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.URL.Path+string(body))
	})
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	const host = " HTTP/1.1\r\nHost: a\r\n"
	_, in := s.connect(t, "GET /1"+host+"\r\nPOST /2"+host+"Content-Length: 2\r\n\r\nab\r\nPOST /3"+host+"Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\nHEAD /4"+host+"\r\nGET /5"+host+"Connection: close\r\n\r\nGET /6"+host+"\r\n")
	for _, want := range []string{"/1", "/2ab", "/3c", "", "/5"} {
		answer, err := http.ReadResponse(in, &http.Request{Method: map[bool]string{true: "HEAD", false: "GET"}[want == ""]})
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(answer.Body); err != nil || string(body) != want || answer.Close != (want == "/5") {
			t.Errorf("%q, close %v, %v instead of %q", body, answer.Close, err, want)
		}
	}
	if b, err := in.ReadByte(); err != io.EOF {
		t.Errorf("after the last: %q, %v", b, err)
	}
}

// TestOldClients shows HTTP/1.0: no chunks, and a connection that stays where the client
// asks for it.
func TestOldClients(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "a")
		if r.URL.Path == "/stream" {
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, "b")
	})
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	for _, c := range []struct {
		ask   string
		stays bool
	}{
		{"GET / HTTP/1.0\r\n\r\n", false}, {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true}, {"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
	} {
		conn, in := s.connect(t, c.ask)
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != "ab" || len(answer.TransferEncoding) > 0 {
			t.Errorf("%q: %q, %v, %v", c.ask, body, err, answer.TransferEncoding)
		}
		_, _ = io.WriteString(conn, c.ask)
		if _, err := http.ReadResponse(in, nil); (err == nil) != c.stays {
			t.Errorf("%q: afterwards %v", c.ask, err)
		}
	}
}

// TestContinue shows a client that waits to be told to go on: it is, once its body is
// wanted, and never when nobody wants it.
func TestContinue(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	s := newStand(t, func(s *stand) {
		s.pool("a", target)
		s.rules(balancer.Rule{Priority: 1, Conditions: []balancer.Condition{{Field: balancer.PathPattern, Values: []string{"/no"}}}, Actions: []balancer.Action{says(403, "no")}})
		s.otherwise(to("a"))
	})
	const ask = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
	conn, in := s.connect(t, "PUT /"+ask)
	first, err := http.ReadResponse(in, nil)
	if err != nil || first.StatusCode != http.StatusContinue {
		t.Fatalf("%+v, %v", first, err)
	}
	_, _ = io.WriteString(conn, "ab")
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(answer.Body); string(body) != "ab" {
		t.Errorf("%q", body)
	}
	_, in = s.connect(t, "PUT /no"+ask)
	if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != 403 || !answer.Close {
		t.Errorf("%+v, %v", answer, err)
	}
}

// TestAClientThatLeavesWhileItWaits is logged as AWS does, and its target is let go.
func TestAClientThatLeavesWhileItWaits(t *testing.T) {
	left := make(chan struct{})
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(left)
	})
	s := newStand(t, func(s *stand) {
		s.front().Balancer.Attributes[balancer.AccessLogs] = "true"
		s.pool("a", target)
		s.otherwise(to("a"))
	})
	conn, _ := s.connect(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	until(t, func() bool { return s.InFlight(s.snap.Pools[0].Targets[0].Key) == 1 })
	conn.Close()
	<-left
	until(t, func() bool { return len(s.log()) == 1 })
	contains(t, s.log()[0], " -1 -1 -1 460 - ")
}
