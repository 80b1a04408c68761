package haproxy

import (
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/rulestest"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew")

// TestConfiguration holds the configuration of a balancer with every condition, action
// and kind of target group; HAProxy itself must take it.
func TestConfiguration(t *testing.T) {
	dir := t.TempDir()
	text := Render(golden(), pools(), Place{Address: "10.0.0.4", Dir: "/run/berth"}, true)
	if *rewrite {
		if err := os.WriteFile("testdata/haproxy.cfg", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/haproxy.cfg")
	if err != nil || text != string(want) {
		t.Errorf("%v\ngot\n%s\nwant\n%s", err, text, want)
	}
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed: `apt-get install haproxy`")
	}
	plain := *golden()
	plain.Listeners = plain.Listeners[:1] // without certificates
	path := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(path, []byte(Render(&plain, pools(), Place{Address: "127.0.0.1", Dir: dir}, true)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("haproxy", "-c", "-f", path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func golden() *balancer.Front {
	return &balancer.Front{
		Balancer: balancer.Balancer{Kind: balancer.Application},
		Listeners: []balancer.FrontListener{
			{Listener: balancer.Listener{Port: 80, Protocol: "HTTP", Default: []balancer.Action{rulestest.Says(200, "it's \"$5\"\n100%")}}, Rules: rulestest.Rules()},
			{Listener: balancer.Listener{
				Port: 443, Protocol: "HTTPS", SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", Certificates: []string{"arn/one"},
				Default: []balancer.Action{rulestest.Forward(balancer.Weighted{GroupARN: "a", Weight: 90}, balancer.Weighted{GroupARN: "two", Weight: 10})},
			}},
		},
	}
}

func pools() []balancer.Pool {
	target := func(at string, draining bool) balancer.PoolTarget {
		return balancer.PoolTarget{Address: netip.MustParseAddrPort(at), Draining: draining}
	}
	check := balancer.HealthCheck{Enabled: true, Protocol: "HTTPS", Port: "8080", Path: "/health", Interval: 30, Timeout: 5, Healthy: 5, Unhealthy: 2, Matcher: "200,300-399"}
	return []balancer.Pool{
		{Group: balancer.TargetGroup{ARN: "a", Protocol: "HTTPS", ProtocolVersion: "HTTP1", HealthCheck: check, Attributes: map[string]string{
			balancer.StickinessEnabled: "true", balancer.StickinessType: "lb_cookie", balancer.LBCookieDuration: "60", balancer.Algorithm: "least_outstanding_requests",
		}}, Targets: []balancer.PoolTarget{target("10.0.0.5:80", false), target("10.0.0.6:80", true)}},
		{Group: balancer.TargetGroup{ARN: "unused"}},
		{Group: balancer.TargetGroup{ARN: "two", Protocol: "HTTP", ProtocolVersion: "HTTP2", HealthCheck: balancer.HealthCheck{Enabled: true, Protocol: "HTTP", Port: balancer.TrafficPort, Path: "/", Interval: 5, Timeout: 2, Healthy: 2, Unhealthy: 2}}, Targets: []balancer.PoolTarget{target("10.0.0.7:80", false)}},
	}
}

func TestLacks(t *testing.T) {
	b, l := &balancer.Balancer{Kind: balancer.Application}, &balancer.Listener{Default: []balancer.Action{rulestest.Default()}}
	if lack := balancer.HAProxyLacks(b, l, nil); lack != "" {
		t.Errorf("lacks %s", lack)
	}
	for want, rule := range map[string]balancer.Rule{
		"transforms":                        {Transforms: []balancer.Transform{{}}},
		"actions of type authenticate-oidc": {Actions: []balancer.Action{{Type: balancer.AuthenticateOIDC}, rulestest.Default()}},
		"actions of type jwt-validation":    {Actions: []balancer.Action{{Type: balancer.ValidateJWT}, rulestest.Default()}},
		"stickiness of target groups":       {Actions: []balancer.Action{{Type: balancer.Forward, Forward: &balancer.ForwardAction{Stickiness: true}}}},
	} {
		if lack := balancer.HAProxyLacks(b, l, &rule); lack != want {
			t.Errorf("lacks %q, want %q", lack, want)
		}
	}
	l.MutualAuth = &balancer.MutualAuth{Mode: "verify"}
	if lack := balancer.HAProxyLacks(b, l, nil); lack != "mutual authentication" {
		t.Errorf("lacks %q", lack)
	}
	for attribute, value := range map[string]string{
		balancer.AccessLogs: "true", balancer.ConnectionLogs: "true", balancer.HealthLogs: "true", balancer.ClientKeepAlive: "60", balancer.DesyncMitigation: "monitor",
	} {
		b := &balancer.Balancer{Kind: balancer.Application}
		if lack := balancer.HAProxyLacksAttribute(b); lack != "" {
			t.Errorf("by default it lacks %s", lack)
		}
		b.Attributes = map[string]string{attribute: value}
		if lack := balancer.HAProxyLacksAttribute(b); !strings.Contains(lack, attribute) {
			t.Errorf("%s: lacks %q", attribute, lack)
		}
	}
	for want, g := range map[string]balancer.TargetGroup{
		"":                                {},
		"version GRPC":                    {ProtocolVersion: "GRPC"},
		"app_cookie":                      {Attributes: map[string]string{balancer.StickinessEnabled: "true", balancer.StickinessType: "app_cookie"}},
		"do not cross zones":              {Attributes: map[string]string{balancer.CrossZoneEnabled: "false"}},
		balancer.SlowStart + " with":      {Attributes: map[string]string{balancer.SlowStart: "30"}},
		balancer.MinimumCount + " with":   {Attributes: map[string]string{balancer.MinimumCount: "2"}},
		balancer.MinimumPercent + " with": {Attributes: map[string]string{balancer.MinimumPercent: "50"}},
	} {
		g.Protocol = "HTTP"
		if lack := balancer.HAProxyLacksGroup(&g); !strings.Contains(lack, want) || want == "" && lack != "" {
			t.Errorf("lacks %q, want %q", lack, want)
		}
	}
}
