package balancer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/fault"
)

// Rules of random conditions are admitted just when they keep each limit.
func TestConditionsKeepTheirLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	fields := []string{HostHeader, PathPattern, HTTPHeader, RequestMethod, QueryString, SourceIP}
	for range 20000 {
		var all []Condition
		values, wildcards, once := 0, 0, map[string]int{}
		for range 1 + random.IntN(4) {
			c := Condition{Field: fields[random.IntN(len(fields))]}
			n := 1 + random.IntN(3)
			values += n
			for range n {
				stars := random.IntN(3)
				text := "a" + strings.Repeat("*", stars)
				switch c.Field {
				case RequestMethod:
					c.Values = append(c.Values, "GET")
					continue
				case SourceIP:
					c.Values = append(c.Values, "10.0.0.0/8")
					continue
				case QueryString:
					c.Query = append(c.Query, Query{Key: "k", Value: text})
				case HTTPHeader:
					c.Header, c.Values = "X-A", append(c.Values, text)
				default:
					c.Values = append(c.Values, text)
				}
				wildcards += stars
			}
			if c.Field != HTTPHeader && c.Field != QueryString {
				once[c.Field]++
			}
			all = append(all, c)
		}
		good := values <= maxConditionValues && wildcards <= maxWildcards
		for _, n := range once {
			good = good && n == 1
		}
		if err := CheckConditions(all); (err == nil) != good {
			t.Fatalf("%+v: %v, want good: %v", all, err, good)
		}
	}
}

func TestActionsEndWithOneThatAnswers(t *testing.T) {
	forward := Action{Type: Forward, Order: 2, Forward: &ForwardAction{Groups: []Weighted{{GroupARN: "g", Weight: 1}}}}
	jwt := Action{Type: ValidateJWT, Order: 1, JWT: &JWTAction{JWKSEndpoint: "https://a/k"}}
	late := jwt
	late.Order = 3
	for _, c := range []struct {
		actions  []Action
		protocol string
		kind     fault.Kind // Server stands for none
	}{
		{[]Action{forward}, "HTTP", fault.Server},
		{[]Action{forward}, "TCP", fault.Server},
		{[]Action{jwt, forward}, "HTTPS", fault.Server},
		{[]Action{forward, jwt}, "HTTPS", fault.Server}, // the order decides
		{[]Action{jwt, forward}, "HTTP", fault.InvalidLoadBalancerAction},
		{[]Action{jwt}, "HTTPS", fault.InvalidLoadBalancerAction},
		{[]Action{forward, late}, "HTTPS", fault.InvalidLoadBalancerAction},
		{[]Action{forward, forward}, "HTTPS", fault.Validation}, // the same order twice
		{[]Action{{Type: FixedResponse, Fixed: &FixedAction{Status: 200, ContentType: "image/png"}}}, "HTTP", fault.Validation},
		{[]Action{{Type: FixedResponse, Fixed: &FixedAction{Status: 200}}}, "TCP", fault.InvalidLoadBalancerAction},
		{[]Action{{Type: Redirect, Redirect: &RedirectAction{"#{protocol}", "#{port}", "#{host}", "/#{path}", "#{query}", 301}}}, "HTTP", fault.InvalidLoadBalancerAction},
		{[]Action{{Type: Forward}}, "HTTP", fault.Validation},
		{nil, "HTTP", fault.Validation},
	} {
		err := CheckActions(c.actions, c.protocol)
		if c.kind == fault.Server && err != nil || c.kind != fault.Server && !fault.IsKind(err, c.kind) {
			t.Errorf("%+v on %s: %v", c.actions, c.protocol, err)
		}
	}
}

func TestOneEdgeThatSeesATargetHealthyIsEnough(t *testing.T) {
	report := func(states ...State) *Health {
		h := &Health{Reports: map[string]Report{}}
		for n, s := range states {
			h.Reports[string(rune('a'+n))] = Report{State: s}
		}
		return h
	}
	for _, c := range []struct {
		h    *Health
		want State
	}{
		{nil, Initial},
		{report(), Initial},
		{report(Initial), Initial},
		{report(Initial, Unhealthy), Unhealthy},
		{report(Unhealthy, Healthy, Initial), Healthy},
		{report(Unavailable, Initial), Unavailable},
	} {
		if got := Effective(c.h); got.State != c.want {
			t.Errorf("%+v: got %s, want %s", c.h, got.State, c.want)
		}
	}
}
