package balancer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// ClassicARN is the ARN of a Classic balancer.
func ClassicARN(s arn.Scope, name string) string {
	return s.Of("elasticloadbalancing", "loadbalancer/"+name)
}

// ClassicListenerARN names the listener of a Classic balancer; no call shows it.
func ClassicListenerARN(b *Balancer, port int) string {
	return b.Scope.Of("elasticloadbalancing", "listener/classic/"+b.Name+"/"+strconv.Itoa(port))
}

// HiddenGroup is the target group that a listener of a Classic balancer leads to: its
// attributes follow from the balancer's and from the listener's policies. Each listener
// has one of its own, because cookies are the listener's.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-sticky-sessions.html
func HiddenGroup(b *Balancer, l *Listener, protocol string, port int, now time.Time) *TargetGroup {
	g := &TargetGroup{
		Scope: b.Scope, ARN: GroupARN(b.Scope, b.Name, "classic-"+strconv.Itoa(l.Port)), Name: "classic/" + b.Name + "/" + strconv.Itoa(l.Port),
		Protocol: protocol, Port: port, VPCID: b.VPCID, TargetType: TargetInstance, AddressType: "ipv4", HealthCheck: b.Classic.HealthCheck,
		CreatedAt: now, ClassicARN: b.ARN, Attributes: map[string]string{DeregistrationDelay: "0"},
	}
	if g.Application() {
		g.ProtocolVersion = "HTTP1"
		g.Attributes[Algorithm] = "least_outstanding_requests"
	} else { // what the balancer stops sending to, it cuts off; draining gives it time
		g.Attributes[ConnectionTerminates], g.Attributes[UnhealthyTermination] = "true", strconv.FormatBool(!b.Enabled(Draining))
	}
	if b.Enabled(Draining) {
		g.Attributes[DeregistrationDelay] = b.Attribute(DrainingTimeout)
	}
	for _, name := range l.Policies {
		if p, ok := b.Classic.Policy(name); ok {
			p.stick(g.Attributes)
		}
	}
	return g
}

// stick makes a group's cookies those of a policy. A duration of 0 is the browser's
// session.
func (p *Policy) stick(attributes map[string]string) {
	switch p.Type {
	case LBCookiePolicy:
		attributes[StickinessEnabled], attributes[StickinessType] = "true", "lb_cookie"
		attributes[LBCookieDuration] = "0"
		if period := p.Attribute("CookieExpirationPeriod"); period != "" {
			attributes[LBCookieDuration] = period
		}
	case AppCookiePolicy:
		attributes[StickinessEnabled], attributes[StickinessType] = "true", "app_cookie"
		attributes[AppCookieName] = p.Attribute("CookieName")
	}
}

// Policy finds a policy by its name.
func (c *ClassicSpec) Policy(name string) (Policy, bool) {
	i := slices.IndexFunc(c.Policies, func(p Policy) bool { return p.Name == name })
	if i < 0 {
		return Policy{}, false
	}
	return c.Policies[i], true
}

// Attribute is the first value of an attribute; empty where there is none.
func (p *Policy) Attribute(name string) string {
	for _, a := range p.Attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// ProxyProtocol tells whether targets on an instance port of a Classic balancer are sent
// the header of the proxy protocol, in its first version.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/enable-proxy-protocol.html
func (c *ClassicSpec) ProxyProtocol(port int) bool {
	return slices.ContainsFunc(c.ServerPolicies[port], func(name string) bool {
		p, ok := c.Policy(name)
		return ok && p.Type == ProxyProtocolPolicy && p.yes("ProxyProtocol")
	})
}

// PublicKeys are those that instances at an instance port of a Classic balancer must have
// one of, in base64 of DER, as PEM has it between its lines; none where any will do.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-create-https-ssl-load-balancer.html
func (c *ClassicSpec) PublicKeys(port int) (keys []string) {
	for _, name := range c.ServerPolicies[port] {
		p, _ := c.Policy(name)
		if p.Type != BackendAuthPolicy {
			continue
		}
		for _, a := range p.Attributes {
			key, _ := c.Policy(a.Value)
			keys = append(keys, strings.Join(strings.Fields(key.Attribute("PublicKey")), ""))
		}
	}
	return keys
}

// Negotiation is how a secure listener of a Classic balancer speaks TLS.
func (c *ClassicSpec) Negotiation(l *Listener) SSLPolicy {
	for _, name := range l.Policies {
		if p, ok := c.Policy(name); ok && p.Type == NegotiationPolicy {
			return p.Negotiation()
		}
	}
	found, _ := FindSSLPolicy(DefaultSSLPolicy)
	return found
}
