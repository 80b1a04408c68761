package health_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/health"
)

func dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", to.String())
}

func group(check balancer.HealthCheck) *balancer.TargetGroup {
	check.Enabled, check.Interval, check.Timeout, check.Healthy, check.Unhealthy = true, 1, 1, 2, 2
	return &balancer.TargetGroup{Protocol: "HTTP", HealthCheck: check}
}

func eventually(t *testing.T, c *health.Checker, want balancer.State) balancer.Report {
	t.Helper()
	tick, end := time.NewTicker(10*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for {
		if r := c.Of("key"); r.State == want {
			return r
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("still %+v, not %s", c.Of("key"), want)
		}
	}
}

func TestATargetComesAndGoes(t *testing.T) {
	var code atomic.Int64
	code.Store(503)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/up" || r.Header.Get("User-Agent") != "ELB-HealthChecker/2.0" {
			t.Errorf("asked %s as %s", r.URL, r.Header.Get("User-Agent"))
		}
		w.WriteHeader(int(code.Load()))
	}))
	defer server.Close()
	var c health.Checker
	defer c.Close()
	at := netip.MustParseAddrPort(server.Listener.Addr().String())
	c.Watch([]health.Target{{Group: group(balancer.HealthCheck{Protocol: "HTTP", Path: "/up", Matcher: "200-299"}), Key: "key", Address: at, Dial: dial}})
	if r := c.Of("key"); r.State != balancer.Initial || r.Reason != "Elb.InitialHealthChecking" {
		t.Errorf("at first %+v", r)
	}
	code.Store(204)
	eventually(t, &c, balancer.Healthy)
	code.Store(500)
	if r := eventually(t, &c, balancer.Unhealthy); r.Reason != "Target.ResponseCodeMismatch" || r.Detail != "Health checks failed with these codes: [500]" {
		t.Errorf("then %+v", r)
	}
	c.Watch(nil)
	if r := c.Of("key"); r.State != balancer.Initial {
		t.Errorf("one that is not watched is %+v", r)
	}
}

func TestATargetThatTakesNoConnections(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	var c health.Checker
	defer c.Close()
	c.Watch([]health.Target{{Group: group(balancer.HealthCheck{Protocol: "TCP"}), Key: "key", Address: at, Seen: balancer.Healthy, Dial: dial}})
	if r := c.Of("key"); r.State != balancer.Healthy {
		t.Errorf("what was seen is forgotten: %+v", r)
	}
	if r := eventually(t, &c, balancer.Unhealthy); r.Reason != "Target.FailedHealthChecks" {
		t.Errorf("%+v", r)
	}
}

func TestMatchers(t *testing.T) {
	for _, c := range []struct {
		matcher, code string
		want          bool
	}{
		{"200", "200", true}, {"200", "201", false}, {"200,302", "302", true}, {"200-399", "301", true}, {"0", "0", true}, {"0-99", "12", true}, {"x", "1", false}, {"200", "", false},
	} {
		if got := health.Matches(c.matcher, c.code); got != c.want {
			t.Errorf("%s %s: %v", c.matcher, c.code, got)
		}
	}
}

func TestThresholds(t *testing.T) {
	check := balancer.HealthCheck{Healthy: 3, Unhealthy: 2}
	var c health.Count
	for n, step := range []struct {
		good bool
		want balancer.State
	}{
		{false, balancer.Initial}, {true, balancer.Healthy}, {false, balancer.Healthy}, {true, balancer.Healthy}, {false, balancer.Healthy},
		{false, balancer.Unhealthy}, {true, balancer.Unhealthy}, {true, balancer.Unhealthy}, {true, balancer.Healthy},
	} {
		if c.Add(step.good, check); c.State != step.want {
			t.Fatalf("step %d: %s, not %s", n, c.State, step.want)
		}
	}
}
