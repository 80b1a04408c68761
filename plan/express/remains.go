package express

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// Remains tells whether something is left of the way in to a service that has gone: its
// name is not free yet.
func Remains(r store.Reader, arn string) bool {
	left, ok := remains(r, arn, time.Time{})
	return ok && (left.any() || len(left.held) > 0)
}

// remainder is what is left of the way in to a service that has gone.
type remainder struct {
	now            time.Time
	rule           *balancer.Rule
	serving        string             // ARN of the certificate
	listener       *balancer.Listener // that serves it
	certificate    *balancer.Certificate
	balancer       *balancer.Balancer // that nobody shares any more
	targetGroups   []*balancer.TargetGroup
	securityGroups []*network.SecurityGroup // that nothing holds any more
	held           []*network.SecurityGroup
}

// remains finds it; not ok while the service is there, or where it has no way in.
func remains(r store.Reader, arn string, now time.Time) (out remainder, ok bool) {
	s, ok := store.Services.Get(r, arn)
	if !ok || s.Status != service.Inactive {
		return out, false
	}
	e := s.Spec.Template.Express
	if e == nil || e.Ingress == nil {
		return out, false
	}
	in := e.Ingress
	out.now, out.serving = now, in.CertificateARN
	out.rule, _ = store.ListenerRules.Get(r, in.RuleARN)
	if l, ok := store.Listeners.Get(r, in.ListenerARN); ok && slices.Contains(l.Certificates, in.CertificateARN) {
		out.listener = l
	}
	if c, ok := store.Certificates.Get(r, in.CertificateARN); ok && !servedElsewhere(r, in) {
		out.certificate = c
	}
	for _, group := range in.GroupARNs {
		if g, ok := store.TargetGroups.Get(r, group); ok && !out.ledElsewhere(r, group) {
			out.targetGroups = append(out.targetGroups, g)
		}
	}
	out.heldBy(r, s, in.ServiceGroup)
	if b, ok := store.Balancers.Get(r, in.BalancerARN); !shares(r, in.BalancerARN) {
		if ok {
			out.balancer = b
		}
		out.heldBy(r, s, in.BalancerGroup)
	}
	return out, true
}

// ledElsewhere tells whether a rule beside the service's own leads to a target group:
// somebody made one, and whose it is then is not ours to say.
func (r *remainder) ledElsewhere(have store.Reader, group string) bool {
	for rule := range store.ListenerRules.By(have, store.RulesByGroup, group) {
		if r.rule == nil || rule.ARN != r.rule.ARN {
			return true
		}
	}
	return store.Listeners.Has(have, store.ListenersByGroup, group)
}

// servedElsewhere tells whether a listener beside the services' own serves the
// certificate.
func servedElsewhere(r store.Reader, in *service.Ingress) bool {
	for l := range store.Listeners.By(r, store.ListenersByCertificate, in.CertificateARN) {
		if l.ARN != in.ListenerARN {
			return true
		}
	}
	return false
}

// heldBy sorts a security group by whether something holds it.
func (r *remainder) heldBy(have store.Reader, s *service.Service, id string) {
	key := network.Key(s.Scope, id)
	g, ok := store.SecurityGroups.Get(have, key)
	switch {
	case !ok:
	case store.Interfaces.Has(have, store.InterfacesByGroup, key), store.SecurityGroups.Has(have, store.SecurityGroupsByPeer, key):
		r.held = append(r.held, g)
	default:
		r.securityGroups = append(r.securityGroups, g)
	}
}

// shares tells whether a service that is there still comes in by a balancer.
func shares(r store.Reader, balancerARN string) bool {
	for s := range store.Services.By(r, store.ServicesExpress, store.Express) {
		if s.Spec.Template.Express.Ingress.BalancerARN == balancerARN {
			return true
		}
	}
	return false
}

func (r *remainder) any() bool {
	return r.rule != nil || r.listener != nil || r.certificate != nil || r.balancer != nil || len(r.targetGroups)+len(r.securityGroups) > 0
}
