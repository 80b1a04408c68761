package store

import (
	"maps"
	"slices"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/service"
)

// Balancers by ARN.
var Balancers = &Table[balancer.Balancer]{
	ID: balancers, Noun: "load-balancer", Schema: 1,
	Primary: func(b *balancer.Balancer) string { return b.ARN },
	Indexes: []*Index[balancer.Balancer]{BalancersByName},
}

// BalancersByName finds a balancer by ScopeKey of its name.
var BalancersByName = &Index[balancer.Balancer]{
	Key: func(b *balancer.Balancer) string { return ScopeKey(b.Scope, b.Name) },
}

// Listeners by ARN.
var Listeners = &Table[balancer.Listener]{
	ID: listeners, Noun: "listener", Schema: 1,
	Primary: func(l *balancer.Listener) string { return l.ARN },
	Indexes: []*Index[balancer.Listener]{ListenersByBalancer, ListenersByGroup, ListenersByCertificate},
}

// ListenersByBalancer finds the listeners of a balancer by its ARN, by port.
var ListenersByBalancer = &Index[balancer.Listener]{
	Key:  func(l *balancer.Listener) string { return l.BalancerARN },
	Rank: func(l *balancer.Listener) int64 { return int64(l.Port) },
}

// ListenersByGroup finds the listeners whose default actions lead to a target group.
var ListenersByGroup = &Index[balancer.Listener]{
	Keys: func(l *balancer.Listener) []string { return balancer.GroupsOf(l.Default) },
}

// ListenersByCertificate finds the listeners that serve a certificate by its ARN.
var ListenersByCertificate = &Index[balancer.Listener]{
	Keys: func(l *balancer.Listener) []string { return l.Certificates },
}

// ListenerRules by ARN, in order of priority by their listener.
var ListenerRules = &Table[balancer.Rule]{
	ID: listenerRules, Noun: "listener-rule", Schema: 1,
	Primary: func(r *balancer.Rule) string { return r.ARN },
	Indexes: []*Index[balancer.Rule]{RulesByListener, RulesByGroup},
}

// RulesByListener finds the rules of a listener by its ARN, by priority.
var RulesByListener = &Index[balancer.Rule]{
	Key:  func(r *balancer.Rule) string { return r.ListenerARN },
	Rank: func(r *balancer.Rule) int64 { return int64(r.Priority) },
}

// RulesByGroup finds the rules that lead to a target group.
var RulesByGroup = &Index[balancer.Rule]{
	Keys: func(r *balancer.Rule) []string { return balancer.GroupsOf(r.Actions) },
}

// TargetGroups by ARN.
var TargetGroups = &Table[balancer.TargetGroup]{
	ID: targetGroups, Noun: "target-group", Schema: 1,
	Primary: func(g *balancer.TargetGroup) string { return g.ARN },
	Indexes: []*Index[balancer.TargetGroup]{TargetGroupsByName, TargetGroupsByClassic},
}

// TargetGroupsByName finds a group by ScopeKey of its name.
var TargetGroupsByName = &Index[balancer.TargetGroup]{
	Key: func(g *balancer.TargetGroup) string { return ScopeKey(g.Scope, g.Name) },
}

// TargetGroupsByClassic finds the groups made for a Classic balancer by its ARN.
var TargetGroupsByClassic = &Index[balancer.TargetGroup]{
	Key: func(g *balancer.TargetGroup) string { return g.ClassicARN },
}

// Targets by Target.Key: all of a group share the prefix of its ARN and a space.
var Targets = &Table[balancer.Target]{
	ID: targets, Noun: "target", Schema: 1,
	Primary: (*balancer.Target).Key,
	Indexes: []*Index[balancer.Target]{TargetsByTask, TargetsDraining},
}

// TargetsByTask finds the targets of a task by its ARN.
var TargetsByTask = &Index[balancer.Target]{
	Key: func(t *balancer.Target) string { return t.TaskARN },
}

// TargetsDraining orders the targets that drain, under the key Draining, by when they
// began to.
var TargetsDraining = &Index[balancer.Target]{
	Key: func(t *balancer.Target) string {
		if t.DrainingSince.IsZero() {
			return ""
		}
		return Draining
	},
	Rank: func(t *balancer.Target) int64 { return t.DrainingSince.UnixNano() },
}

// Draining is the one key of TargetsDraining.
const Draining = "draining"

// TargetHealth by Target.Key.
var TargetHealth = &Table[balancer.Health]{
	ID: targetHealth, Noun: "target-health", Schema: 1,
	Primary: func(h *balancer.Health) string { return h.Target },
}

// TrustStores by ARN.
var TrustStores = &Table[balancer.TrustStore]{
	ID: trustStores, Noun: "trust-store", Schema: 1,
	Primary: func(s *balancer.TrustStore) string { return s.ARN },
}

// Certificates by ARN.
var Certificates = &Table[balancer.Certificate]{
	ID: certificates, Noun: "certificate", Schema: 1,
	Primary: func(c *balancer.Certificate) string { return c.ARN },
}

// EngineOf is the engine of the balancer that leads to a target group.
func EngineOf(r Reader, group string) string {
	for _, arn := range BalancersLeadingTo(r, group) {
		if b, ok := Balancers.Get(r, arn); ok {
			return b.Engine
		}
	}
	return balancer.EngineBerth
}

// Troubles by ARN of the balancer.
var Troubles = &Table[balancer.Trouble]{
	ID: troubles, Noun: "balancer-trouble", Schema: 1,
	Primary: func(t *balancer.Trouble) string { return t.BalancerARN },
}

// Trouble keeps why an edge cannot carry a balancer; an empty reason when it can.
func Trouble(tx *Tx, arn, edge, reason string) {
	next := &balancer.Trouble{BalancerARN: arn, Reasons: map[string]string{}}
	if have, ok := Troubles.Get(tx, arn); ok {
		maps.Copy(next.Reasons, have.Reasons)
	}
	if next.Reasons[edge] = reason; reason == "" {
		delete(next.Reasons, edge)
	}
	if len(next.Reasons) == 0 {
		Troubles.Delete(tx, arn)
		return
	}
	Troubles.Put(tx, next)
}

// MembershipOf is how messages of services name a target group, or the Classic balancer
// whose it is.
func MembershipOf(r Reader, group string) service.Membership {
	if g, ok := TargetGroups.Get(r, group); ok && g.ClassicARN != "" {
		return service.InClassic(arn.NameOf(g.ClassicARN))
	}
	return service.InGroup(group)
}

// TargetGroupLed tells whether a listener or a rule leads to a target group.
func TargetGroupLed(r Reader, group string) bool {
	return Listeners.Has(r, ListenersByGroup, group) || ListenerRules.Has(r, RulesByGroup, group)
}

// BalancersLeadingTo are the ARNs of the balancers that lead to a target group, in order.
func BalancersLeadingTo(r Reader, group string) []string {
	found := map[string]bool{}
	for l := range Listeners.By(r, ListenersByGroup, group) {
		found[l.BalancerARN] = true
	}
	for rule := range ListenerRules.By(r, RulesByGroup, group) {
		if l, ok := Listeners.Get(r, rule.ListenerARN); ok {
			found[l.BalancerARN] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
