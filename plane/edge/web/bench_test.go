package web_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/berthhq/berth/domain/balancer"
)

// BenchmarkForward is a small request on a connection that stays, to a target that does
// next to nothing: client and target are in it.
func BenchmarkForward(b *testing.B) {
	s := benchStand(b, 0)
	b.RunParallel(func(p *testing.PB) { s.loop(b, p) })
}

// BenchmarkRules is the same behind a hundred rules that do not match.
func BenchmarkRules(b *testing.B) {
	s := benchStand(b, 100)
	b.RunParallel(func(p *testing.PB) { s.loop(b, p) })
}

// BenchmarkTarget is what client and target need without a balancer.
func BenchmarkTarget(b *testing.B) {
	s := &stand{addr: echo(b).Listener.Addr().String()}
	b.RunParallel(func(p *testing.PB) { s.loop(b, p) })
}

func echo(b *testing.B) *httptest.Server {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	b.Cleanup(target.Close)
	return target
}

func benchStand(b *testing.B, rules int) *stand {
	b.ReportAllocs()
	target := echo(b)
	return newStand(b, func(s *stand) {
		s.pool("a", target)
		s.otherwise(to("a"))
		for n := range rules {
			s.listener().Rules = append(s.listener().Rules, balancer.Rule{
				Priority: n + 1, Conditions: []balancer.Condition{{Field: balancer.PathPattern, Values: []string{"/other/*/x"}}}, Actions: []balancer.Action{says(404, "")},
			})
		}
	})
}

// loop is one client.
func (s *stand) loop(b *testing.B, p *testing.PB) {
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for p.Next() {
		if _, err := io.WriteString(c, "GET /a/page?q=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"); err != nil {
			b.Error(err)
			return
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			b.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
	}
}
