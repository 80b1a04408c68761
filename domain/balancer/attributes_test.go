package balancer

import (
	"strings"
	"testing"
)

func TestDefaultsFollowKindAndProtocol(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{(&Balancer{Kind: Application}).Attribute(CrossZoneEnabled), "true"},
		{(&Balancer{Kind: Network}).Attribute(CrossZoneEnabled), "false"},
		{(&Balancer{Kind: Network}).Attribute(IdleTimeout), ""},
		{(&Balancer{Kind: Network, Scheme: Internal}).Attribute("ipv6.deny_all_igw_traffic"), "true"},
		{(&TargetGroup{Protocol: "HTTP"}).Attribute(StickinessType), "lb_cookie"},
		{(&TargetGroup{Protocol: "TCP"}).Attribute(StickinessType), "source_ip"},
		{(&TargetGroup{Protocol: "TCP", TargetType: TargetIP}).Attribute(PreserveClientIP), "false"},
		{(&TargetGroup{Protocol: "UDP", TargetType: TargetIP}).Attribute(PreserveClientIP), "true"},
		{(&TargetGroup{Protocol: "TCP", TargetType: TargetInstance}).Attribute(PreserveClientIP), "true"},
		{(&TargetGroup{Protocol: "UDP"}).Attribute(ConnectionTerminates), "true"},
		{(&Listener{Protocol: "TCP"}).Attribute(TCPIdleTimeout), "350"},
		{(&Listener{Protocol: "HTTPS"}).RequestHeader("x_amzn_tls_version"), "X-Amzn-Tls-Version"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestSetAttributesRefuses(t *testing.T) {
	alb, nlb := &Balancer{Kind: Application}, &Balancer{Kind: Network}
	tcp, http := &TargetGroup{Protocol: "TCP", TargetType: TargetIP}, &TargetGroup{Protocol: "HTTP", TargetType: TargetIP}
	for _, c := range []struct {
		set   func([]Value) (map[string]string, error)
		said  []Value
		words string
	}{
		{alb.SetAttributes, []Value{{"what", "1"}}, "Load balancer attribute key 'what' is not recognized"},
		{alb.SetAttributes, []Value{{CrossZoneEnabled, "false"}}, "cannot be changed"},
		{alb.SetAttributes, []Value{{IdleTimeout, "4001"}}, "must be between 1 and 4000"},
		{alb.SetAttributes, []Value{{AccessLogs, "true"}}, "access_logs.s3.bucket must be set"},
		{nlb.SetAttributes, []Value{{HTTP2, "true"}}, "is not recognized"},
		{tcp.SetAttributes, []Value{{SlowStart, "30"}}, "not supported for protocol 'TCP'"},
		{tcp.SetAttributes, []Value{{StickinessType, "lb_cookie"}}, "must be one of 'source_ip'"},
		{http.SetAttributes, []Value{{SlowStart, "29"}}, "must be between 30 and 900"},
		{http.SetAttributes, []Value{{SlowStart, "30"}, {Algorithm, "weighted_random"}}, "Slow start is not supported"},
		{http.SetAttributes, []Value{{AppCookieName, "AWSALBx"}}, "must not begin with AWSALB"},
	} {
		if _, err := c.set(c.said); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: got %v, want %s", c.said, err, c.words)
		}
	}
	set, err := http.SetAttributes([]Value{{StickinessEnabled, "true"}})
	if err != nil || set[StickinessEnabled] != "true" || http.Attributes != nil {
		t.Errorf("got %v, %v; the group's own became %v", set, err, http.Attributes)
	}
}
