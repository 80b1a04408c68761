package haproxy

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/rulestest"
)

// stand is an engine with one node on loopback.
type stand struct {
	*Engine
	t    *testing.T
	snap balancer.Snapshot
	port int
}

func newStand(t *testing.T) *stand {
	t.Helper()
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed: `apt-get install haproxy`")
	}
	s := &stand{t: t, port: free(t), Engine: &Engine{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}}
	s.snap.Fronts = []balancer.Front{{
		Balancer: balancer.Balancer{ARN: "web", Kind: balancer.Application, Engine: balancer.EngineHAProxy},
		Listeners: []balancer.FrontListener{{Listener: balancer.Listener{
			ARN: "listener", Port: s.port, Protocol: "HTTP", Default: []balancer.Action{rulestest.Default()},
		}}},
	}}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Drain(ctx)
	})
	return s
}

func free(t *testing.T) int {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *stand) address() string                   { return fmt.Sprintf("127.0.0.1:%d", s.port) }
func (s *stand) listener() *balancer.FrontListener { return &s.snap.Fronts[0].Listeners[0] }

// apply applies the snapshot as it is, and waits until its port answers.
func (s *stand) apply() {
	s.t.Helper()
	s.Apply(&s.snap, []Node{{
		Front: &s.snap.Fronts[0], Node: balancer.Node{InterfaceID: "eni-1", Address: netip.MustParseAddr("127.0.0.1")},
		Enter: func(f func() error) error { return f() },
	}})
	s.until("it listens", func() bool {
		c, err := net.Dial("tcp", s.address())
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (s *stand) until(what string, done func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func (s *stand) pool(name string, servers ...*httptest.Server) {
	p := balancer.Pool{Group: balancer.TargetGroup{
		ARN: name, Protocol: "HTTP", ProtocolVersion: "HTTP1", TargetType: balancer.TargetIP,
		HealthCheck: balancer.HealthCheck{Enabled: true, Protocol: "HTTP", Port: balancer.TrafficPort, Path: "/health", Interval: 1, Timeout: 1, Healthy: 2, Unhealthy: 2, Matcher: "200-299"},
	}}
	for _, server := range servers {
		at := netip.MustParseAddrPort(server.Listener.Addr().String())
		p.Targets = append(p.Targets, balancer.PoolTarget{Key: server.URL, Address: at})
	}
	s.snap.Pools = append([]balancer.Pool(nil), append(s.snap.Pools, p)...)
}

// named says its name, and how it is.
func named(t *testing.T, name string, health int) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			w.WriteHeader(health)
			return
		}
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stand) ask(path string) (int, string) {
	answer, err := http.Get("http://" + s.address() + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

// TestRules tries HAProxy with the table that berth's own engine is tried with.
func TestRules(t *testing.T) {
	s := newStand(t)
	s.pool("a", named(t, "group a", 200))
	s.listener().Rules = rulestest.Rules()
	s.apply()
	rulestest.Try(t, s.address())
}

func TestHealthIsReported(t *testing.T) {
	s := newStand(t)
	s.pool("a", named(t, "good", 200), named(t, "bad", 500))
	s.listener().Listener.Default = []balancer.Action{rulestest.Forward(balancer.Weighted{GroupARN: "a", Weight: 1})}
	s.apply()
	good, bad := s.snap.Pools[0].Targets[0].Key, s.snap.Pools[0].Targets[1].Key
	of := func(key string) balancer.Report {
		for _, r := range s.Reports(time.Now()) {
			if r.Target == key {
				return r.Report
			}
		}
		return balancer.Report{}
	}
	s.until("the good one is healthy", func() bool { return of(good).State == balancer.Healthy })
	s.until("the bad one is not", func() bool { return of(bad).State == balancer.Unhealthy })
	if r := of(bad); r.Reason != balancer.ReasonMismatch || r.Detail != "Health checks failed with these codes: [500]" {
		t.Errorf("got %+v", r)
	}
}

func TestOrphansAreStopped(t *testing.T) {
	s := newStand(t)
	dir := s.Dir
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	s.Dir = fmt.Sprintf("%s/%d", dir, dead.ProcessState.Pid())
	s.apply()
	StopOrphans(dir)
	s.until("the orphan ended", func() bool { return !s.processes["eni-1"].alive() })
}

// TestNothingFailsWhileTargetsAndRulesChange asks without pause while targets come and
// go, which the process is told, and while rules change, which needs reloads.
func TestNothingFailsWhileTargetsAndRulesChange(t *testing.T) {
	s := newStand(t)
	one, two := named(t, "one", 200), named(t, "two", 200)
	s.pool("a", one)
	s.listener().Listener.Default = []balancer.Action{rulestest.Forward(balancer.Weighted{GroupARN: "a", Weight: 1})}
	s.apply()
	pid := func() int { return s.processes["eni-1"].command.Process.Pid }
	ctx, stop := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	asked := make(chan string, 1)
	asking.Go(func() {
		for ctx.Err() == nil {
			status, body := s.ask("/")
			if status != 200 {
				t.Errorf("got %d %s", status, body)
				return
			}
			select {
			case asked <- body:
			default:
			}
		}
	})
	heard := func(name string) {
		s.until(name+" is asked", func() bool {
			select {
			case body := <-asked:
				return body == name
			default:
				return false
			}
		})
	}
	pools := func(servers ...*httptest.Server) {
		s.snap.Pools = nil
		s.pool("a", servers...)
		s.apply()
	}
	for range 3 {
		before := pid()
		pools(one, two)
		heard("two")
		s.snap.Pools[0].Targets = append([]balancer.PoolTarget(nil), s.snap.Pools[0].Targets...)
		s.snap.Pools[0].Targets[0].Draining = true
		s.apply()
		heard("two")
		pools(two)
		if pid() != before {
			t.Error("a change of targets took another process")
		}
		s.listener().Rules = append(s.listener().Rules, balancer.Rule{
			Conditions: []balancer.Condition{{Field: balancer.PathPattern, Values: []string{fmt.Sprintf("/rule%d", len(s.listener().Rules))}}},
			Actions:    []balancer.Action{rulestest.Says(201, "rule")},
		})
		s.apply()
		s.until("the rule is in force", func() bool {
			status, _ := s.ask(fmt.Sprintf("/rule%d", len(s.listener().Rules)-1))
			return status == 201
		})
		pools(one)
		heard("one")
	}
	stop()
	asking.Wait()
}

// TestHeaders has requests reach targets with the headers that attributes ask for.
func TestHeaders(t *testing.T) {
	s := newStand(t)
	heard := make(chan http.Header, 10)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			heard <- r.Header
		}
	}))
	t.Cleanup(echo.Close)
	s.pool("a", echo)
	s.listener().Listener.Default = []balancer.Action{rulestest.Forward(balancer.Weighted{GroupARN: "a", Weight: 1})}
	ask := func(trace string) (http.Header, *http.Response) {
		t.Helper()
		s.apply()
		r, err := http.NewRequest(http.MethodGet, "http://"+s.address()+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		r.Header["odd_name"] = []string{"x"}
		if trace != "" {
			r.Header.Set("X-Amzn-Trace-Id", trace)
		}
		answer, err := fresh.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return <-heard, answer
	}
	like := func(h http.Header, name, pattern string) {
		t.Helper()
		if got := h.Get(name); !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
			t.Errorf("%s: %q is not like %s", name, got, pattern)
		}
	}
	h, _ := ask("")
	like(h, "X-Forwarded-For", `192\.0\.2\.1, 127\.0\.0\.1`)
	like(h, "X-Forwarded-Proto", "http")
	like(h, "X-Forwarded-Port", fmt.Sprint(s.port))
	like(h, "X-Amzn-Trace-Id", `Root=1-[0-9a-f]{8}-[0-9a-f]{24}`)
	h, _ = ask("Self=1-old-self;Root=1-2-3;more=4")
	like(h, "X-Amzn-Trace-Id", `Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-2-3;more=4`)
	h, _ = ask("more=4")
	like(h, "X-Amzn-Trace-Id", `Root=1-[0-9a-f]{8}-[0-9a-f]{24};more=4`)
	s.snap.Fronts[0].Balancer.Attributes = map[string]string{balancer.XFFClientPort: "true", balancer.DropInvalidHeaders: "true"}
	s.listener().Listener.Attributes = map[string]string{"routing.http.response.x_frame_options.header_value": "DENY 100%"}
	h, answer := ask("")
	like(h, "X-Forwarded-For", `192\.0\.2\.1, 127\.0\.0\.1:\d+`)
	like(answer.Header, "X-Frame-Options", "DENY 100%")
	if len(h["odd_name"])+len(h["Odd_name"]) > 0 {
		t.Errorf("the target got %v", h)
	}
	s.snap.Fronts[0].Balancer.Attributes = map[string]string{balancer.XFFMode: "remove"}
	h, _ = ask("")
	like(h, "X-Forwarded-For", "")
	s.snap.Fronts[0].Balancer.Attributes = map[string]string{balancer.XFFMode: "preserve"}
	h, _ = ask("")
	like(h, "X-Forwarded-For", `192\.0\.2\.1`)
}

// TestAllAreAskedWhenNoneIsHealthy is what AWS calls fail-open.
func TestAllAreAskedWhenNoneIsHealthy(t *testing.T) {
	s := newStand(t)
	s.pool("a", named(t, "ill", 500))
	s.listener().Listener.Default = []balancer.Action{rulestest.Forward(balancer.Weighted{GroupARN: "a", Weight: 1})}
	s.apply()
	s.until("it is known to be ill", func() bool {
		all := s.Reports(time.Now())
		return len(all) == 1 && all[0].Report.State == balancer.Unhealthy
	})
	if status, body := s.ask("/"); status != 200 || body != "ill" {
		t.Errorf("got %d %s", status, body)
	}
}

// TestAnotherEdgeTakesOver has the processes of a second edge take the sockets of the
// first's: nothing fails meanwhile.
func TestAnotherEdgeTakesOver(t *testing.T) {
	s := newStand(t)
	dir := s.Dir
	s.pool("a", named(t, "one", 200))
	s.listener().Listener.Default = []balancer.Action{rulestest.Forward(balancer.Weighted{GroupARN: "a", Weight: 1})}
	s.Dir = filepath.Join(dir, "first")
	s.apply()
	ctx, stop := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	var asked atomic.Int64
	for range 4 {
		asking.Go(func() {
			for ; ctx.Err() == nil; asked.Add(1) {
				answer, err := fresh.Post("http://"+s.address()+"/", "text/plain", strings.NewReader("body"))
				if err != nil {
					t.Error(err)
					return
				}
				answer.Body.Close()
			}
		})
	}
	for _, name := range []string{"second", "third"} {
		before := s.Engine
		s.Engine = &Engine{Dir: filepath.Join(dir, name), Log: before.Log}
		s.apply()
		if args := s.processes["eni-1"].command.Args; !slices.Contains(args, "-x") {
			t.Errorf("started as %q", args)
		}
		patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		before.Drain(patience)
		cancel()
		now := asked.Load()
		s.until("more is asked", func() bool { return asked.Load() > now+20 || t.Failed() })
	}
	stop()
	asking.Wait()
}

func TestWithoutHAProxyTheReasonIsTold(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	e := &Engine{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
	front := &balancer.Front{Balancer: balancer.Balancer{ARN: "web", Kind: balancer.Application}}
	e.Apply(&balancer.Snapshot{}, []Node{{Front: front, Node: balancer.Node{InterfaceID: "eni-1"}}})
	if why := e.Troubles()["web"]; !strings.Contains(why, "haproxy is not installed") || !strings.Contains(why, Mend) {
		t.Errorf("got %q", why)
	}
	e.Apply(&balancer.Snapshot{}, nil)
	if len(e.Troubles()) > 0 {
		t.Error("there is trouble without a node")
	}
}

// fresh keeps no connection: one to a worker that is to end has one more answer of it.
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
