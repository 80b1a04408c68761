package discovery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/discovery"
)

func dns(routing string, kinds ...string) *discovery.DNS {
	d := &discovery.DNS{Routing: routing}
	for _, k := range kinds {
		d.Records = append(d.Records, discovery.Record{Type: k, TTL: 10})
	}
	return d
}

func TestAttributesFitTheService(t *testing.T) {
	type attributes = map[string]string
	many := attributes{}
	for i := range 31 {
		many[fmt.Sprint(i)] = "x"
	}
	custom, checked := &discovery.CustomCheck{}, &discovery.HealthCheck{Type: "TCP"}
	for _, c := range []struct {
		service    discovery.Service
		attributes attributes
		want       string // part of the refusal; empty for none
	}{
		{discovery.Service{}, attributes{"a": "b"}, ""},
		{discovery.Service{}, nil, "at least one attribute"},
		{discovery.Service{}, many, "at most 30"},
		{discovery.Service{}, attributes{"a": strings.Repeat("x", 5000)}, "5000 characters"},
		{discovery.Service{DNS: dns("MULTIVALUE", "A")}, attributes{"AWS_INSTANCE_IPV4": "10.0.0.1"}, ""},
		{discovery.Service{DNS: dns("MULTIVALUE", "A")}, attributes{"AWS_INSTANCE_IPV4": "10.0.0"}, "not an IPv4 address"},
		{discovery.Service{DNS: dns("MULTIVALUE", "A")}, attributes{"AWS_INSTANCE_IPV6": "fd00::1"}, "AWS_INSTANCE_IPV4 is required"},
		{discovery.Service{DNS: dns("MULTIVALUE", "AAAA")}, attributes{"AWS_INSTANCE_IPV6": "10.0.0.1"}, "not an IPv6 address"},
		{discovery.Service{DNS: dns("MULTIVALUE", "SRV")}, attributes{"AWS_INSTANCE_IPV4": "10.0.0.1"}, "AWS_INSTANCE_PORT is required"},
		{discovery.Service{DNS: dns("MULTIVALUE", "SRV")}, attributes{"AWS_INSTANCE_PORT": "80"}, "AWS_INSTANCE_IPV4 is required"},
		{discovery.Service{DNS: dns("MULTIVALUE", "SRV")}, attributes{"AWS_INSTANCE_PORT": "0", "AWS_INSTANCE_IPV4": "10.0.0.1"}, "not a port"},
		{discovery.Service{DNS: dns("WEIGHTED", "CNAME")}, attributes{"AWS_INSTANCE_CNAME": "a b"}, "not a domain name"},
		{discovery.Service{DNS: dns("WEIGHTED", "A")}, attributes{"AWS_ALIAS_DNS_NAME": "b.elb.example"}, ""},
		{discovery.Service{DNS: dns("MULTIVALUE", "A")}, attributes{"AWS_ALIAS_DNS_NAME": "b.elb.example"}, "WEIGHTED"},
		{discovery.Service{DNS: dns("WEIGHTED", "A")}, attributes{"AWS_ALIAS_DNS_NAME": "b.elb.example", "AWS_INSTANCE_PORT": "1"}, "don't specify"},
		{discovery.Service{}, attributes{"AWS_INIT_HEALTH_STATUS": "HEALTHY"}, "HealthCheckCustomConfig"},
		{discovery.Service{CustomCheck: custom}, attributes{"AWS_INIT_HEALTH_STATUS": "FINE"}, "HEALTHY or UNHEALTHY"},
		{discovery.Service{}, attributes{"AWS_EC2_INSTANCE_ID": "i-1", "a": "b"}, "only other attribute"},
		{discovery.Service{Health: checked}, attributes{"AWS_INSTANCE_IPV4": "10.0.0.1"}, "AWS_INSTANCE_PORT is required"},
		{discovery.Service{Health: checked}, attributes{"AWS_INSTANCE_IPV4": "127.0.0.1", "AWS_INSTANCE_PORT": "80"}, "can't be checked"},
		{discovery.Service{Health: checked}, attributes{"AWS_INSTANCE_IPV6": "::ffff:127.0.0.1", "AWS_INSTANCE_PORT": "80"}, "can't be checked"},
	} {
		err := c.service.CheckAttributes(c.attributes)
		if c.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.attributes, err, c.want)
		}
	}
}

func TestQueriesChooseByHealth(t *testing.T) {
	list := []*discovery.Instance{{ID: "a", Attributes: map[string]string{"k": "v"}}, {ID: "b", Unhealthy: true}, {ID: "c"}}
	checked, free := &discovery.Service{CustomCheck: &discovery.CustomCheck{}}, &discovery.Service{}
	for _, c := range []struct {
		service *discovery.Service
		query   discovery.Query
		list    []*discovery.Instance
		want    string
	}{
		{checked, discovery.Query{Most: 9}, list, "ac"},
		{checked, discovery.Query{Most: 1}, list, "a"},
		{checked, discovery.Query{Most: 9, Health: discovery.All}, list, "abc"},
		{checked, discovery.Query{Most: 9, Health: discovery.Unhealthy}, list, "b"},
		{checked, discovery.Query{Most: 9}, list[1:2], "b"},
		{checked, discovery.Query{Most: 9, Health: discovery.Healthy}, list[1:2], ""},
		{free, discovery.Query{Most: 9, Health: discovery.Healthy}, list, "abc"},
		{free, discovery.Query{Most: 9, Required: map[string]string{"k": "v"}}, list, "a"},
		{free, discovery.Query{Most: 9, Optional: map[string]string{"k": "w"}}, list, "abc"},
	} {
		got := ""
		for _, i := range c.query.Find(c.service, c.list) {
			got += i.ID
		}
		if got != c.want {
			t.Errorf("%+v: got %q, want %q", c.query, got, c.want)
		}
	}
}
