package probe

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
)

func TestThresholdsDecide(t *testing.T) {
	hc := &balancer.HealthCheck{Healthy: 3, Unhealthy: 2}
	for _, c := range []struct {
		from    balancer.State
		answers string
		want    balancer.State
	}{
		{balancer.Initial, "+", balancer.Healthy},
		{balancer.Initial, "-", balancer.Initial},
		{balancer.Initial, "--", balancer.Unhealthy},
		{balancer.Healthy, "-+-+", balancer.Healthy},
		{balancer.Healthy, "--", balancer.Unhealthy},
		{balancer.Unhealthy, "++", balancer.Unhealthy},
		{balancer.Unhealthy, "++-+++", balancer.Healthy},
	} {
		var s streak
		state := c.from
		for _, a := range c.answers {
			state = s.next(state, a == '+', hc)
		}
		if state != c.want {
			t.Errorf("%s after %s is %s, want %s", c.from, c.answers, state, c.want)
		}
	}
}

func TestMatchers(t *testing.T) {
	for text, want := range map[string]bool{"": true, "200": false, "200-399": true, "200,301": true, "200, 300-302": true, "x": false, "400-": false} {
		if got := matches(text, 301); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func watchedAt(t *testing.T, address string, hc balancer.HealthCheck) Watched {
	t.Helper()
	own, err := space.Own()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { own.Close() })
	hc.Interval, hc.Timeout, hc.Port = 1, 1, balancer.TrafficPort
	return Watched{Group: &balancer.TargetGroup{ARN: "g", HealthCheck: hc}, Target: balancer.PoolTarget{Key: "t", Address: netip.MustParseAddrPort(address)}, Space: own}
}

func eventually(t *testing.T, p *Prober, want string) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-ticker.C {
		r := p.Of("g", "t")
		got := fmt.Sprint(r.State, " ", r.Reason)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is %s, not %s", got, want)
		}
	}
}

// A target that begins to listen is found within a fraction of the interval, one that
// stops is found out, and comes back.
func TestAConnectionIsEnough(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	w := watchedAt(t, at, balancer.HealthCheck{Protocol: "TCP", Healthy: 1, Unhealthy: 1})
	w.Group.HealthCheck.Interval = 3600
	var p Prober
	defer p.Watch(nil)
	p.Watch([]Watched{w})
	if r := p.Of("g", "t"); r.State != balancer.Initial {
		t.Errorf("at first it is %+v", r)
	}
	if l, err = net.Listen("tcp", at); err != nil {
		t.Skip(err) // somebody was faster
	}
	eventually(t, &p, "healthy ")
	l.Close()
	again := watchedAt(t, at, balancer.HealthCheck{Protocol: "TCP", Healthy: 1, Unhealthy: 1})
	p.Watch([]Watched{again})
	eventually(t, &p, "unhealthy Target.FailedHealthChecks")
	p.Watch(nil)
	if r := p.Of("g", "t"); r.State != balancer.Initial {
		t.Errorf("unwatched it is %+v", r)
	}
}

func TestAnswersAreRead(t *testing.T) {
	var status atomic.Int64
	status.Store(302)
	var asked atomic.Value
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path + " " + r.UserAgent())
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(status.Load()))
	}))
	defer s.Close()
	var p Prober
	defer p.Watch(nil)
	p.Watch([]Watched{watchedAt(t, s.Listener.Addr().String(), balancer.HealthCheck{Protocol: "HTTPS", Path: "/up", Matcher: "200-399", Healthy: 1, Unhealthy: 1})})
	eventually(t, &p, "healthy ")
	if got := asked.Load(); got != "/up ELB-HealthChecker/2.0" {
		t.Errorf("asked %v", got)
	}
	status.Store(500)
	eventually(t, &p, "unhealthy Target.ResponseCodeMismatch")
	if d := p.Of("g", "t").Detail; d != "Health checks failed with these codes: [500]" {
		t.Errorf("it says %q", d)
	}
}
