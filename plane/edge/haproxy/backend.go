package haproxy

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
)

func name(pool int) string { return fmt.Sprintf("pool%d", pool) }

// open is the backend of the same servers that is used while none is healthy: it asks
// nobody how they are. AWS calls it fail-open.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
func open(backend string) string { return backend + "open" }

// nowhere is the backend that has no servers.
const nowhere = "nowhere"

// backendOf is the backend of a target group, nowhere for one that is not there.
func (r *render) backendOf(group string) string {
	for n := range r.pools {
		if r.pools[n].Group.ARN == group {
			r.needed[name(n)] = true
			return name(n)
		}
	}
	return nowhere
}

func (r *render) backend(name string, p *balancer.Pool, servers, checks bool) {
	g := &p.Group
	r.line("\nbackend %s", name)
	r.line("  balance %s", algorithm(g))
	r.line("  http-response set-var(txn.told) bool(true)")
	if g.Enabled(balancer.StickinessEnabled) && g.Attribute(balancer.StickinessType) == "lb_cookie" {
		life := ""
		if seconds := g.Attribute(balancer.LBCookieDuration); seconds != "0" {
			life = " maxlife " + seconds
		}
		r.line("  cookie AWSALB insert indirect nocache dynamic%s", life)
		r.line("  dynamic-cookie-key %s", quoted(g.ARN))
	}
	if checks {
		r.check(g)
	}
	if !servers {
		return
	}
	for n := range p.Targets {
		r.line("  server %s %s", serverName(&p.Targets[n]), server(p, &p.Targets[n], checks))
	}
}

func algorithm(g *balancer.TargetGroup) string {
	switch g.Attribute(balancer.Algorithm) {
	case "least_outstanding_requests":
		return "leastconn"
	case "weighted_random":
		return "random(1)"
	}
	return "roundrobin"
}

// check asks targets how they are.
func (r *render) check(g *balancer.TargetGroup) {
	h := &g.HealthCheck
	if !h.Enabled {
		return
	}
	r.line("  timeout check %ds", h.Timeout)
	if h.Protocol != "HTTP" && h.Protocol != "HTTPS" {
		return
	}
	r.line("  option httpchk")
	version := "1.1"
	if g.ProtocolVersion == "HTTP2" {
		version = "2"
	}
	r.line("  http-check send meth GET uri %s ver HTTP/%s hdr User-Agent ELB-HealthChecker/2.0 hdr Host health", quoted(h.Path), version)
	r.line("  http-check expect status %s", cmp.Or(h.Matcher, "200"))
}

// server is how a target is spoken to: what follows its name and address, in the
// configuration as in the call that adds it.
func server(p *balancer.Pool, t *balancer.PoolTarget, checks bool) string {
	words, h := []string{t.Address.String()}, &p.Group.HealthCheck
	if p.Group.Protocol == "HTTPS" {
		words = append(words, "ssl verify none")
	}
	speaks2 := p.Group.ProtocolVersion == "HTTP2"
	if speaks2 {
		words = append(words, "proto h2")
	}
	if t.Draining {
		words = append(words, "weight 0")
	}
	if checks && h.Enabled {
		words = append(words, fmt.Sprintf("check inter %ds fall %d rise %d", h.Interval, h.Unhealthy, h.Healthy))
		if h.Port != "" && h.Port != balancer.TrafficPort {
			words = append(words, "port "+h.Port)
		}
		if h.Protocol == "HTTPS" {
			words = append(words, "check-ssl")
		}
		if speaks2 {
			words = append(words, "check-proto h2")
		}
	}
	return strings.Join(words, " ")
}

// serverName is the name of a target in its backend.
func serverName(t *balancer.PoolTarget) string {
	return strings.ReplaceAll(t.Address.String(), ":", "_")
}

// drained is what a server that gets nothing new has among its settings.
const drained = " weight 0"

// weightless are a server's settings whether it drains or not.
func weightless(settings string) string { return strings.Replace(settings, drained, "", 1) }
