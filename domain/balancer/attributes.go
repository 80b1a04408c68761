package balancer

import (
	"strconv"
	"time"
)

// Attribute is a setting of a balancer, listener or target group: a row of a closed
// table. The records keep those that were set; the others have their defaults.
type Attribute struct {
	Name, Default string
	// Idle is true when the value is kept and shown, and nothing follows from it.
	Idle bool
	// Fixed is true when only the default is accepted.
	Fixed bool
	valid check
	// instead is the default of some; nil or empty stands for Default.
	instead func(subject) string
	// only tells who has the attribute; nil stands for everybody of the table.
	only func(subject) bool
}

// Value is an attribute as it is in force.
type Value struct{ Name, Value string }

// subject is what decides who has which attributes and defaults.
type subject struct {
	scheme, protocol, version, targets string
}

// Attribute is the value in force of a balancer's attribute; empty for one it has not.
func (b *Balancer) Attribute(name string) string {
	return inForce(balancerTable(b.Kind), subject{scheme: b.Scheme}, b.Attributes, name)
}

// Enabled tells whether an attribute is "true".
func (b *Balancer) Enabled(name string) bool { return b.Attribute(name) == "true" }

// Seconds is an attribute that counts seconds.
func (b *Balancer) Seconds(name string) time.Duration { return seconds(b.Attribute(name)) }

// AttributeValues are all attributes of the balancer, in the order of their table.
func (b *Balancer) AttributeValues() []Value {
	return allInForce(balancerTable(b.Kind), subject{scheme: b.Scheme}, b.Attributes)
}

// SetAttributes checks attributes and gives what the balancer's are with them.
func (b *Balancer) SetAttributes(said []Value) (map[string]string, error) {
	return change("Load balancer", balancerTable(b.Kind), subject{scheme: b.Scheme}, b.Attributes, said)
}

// Attribute is the value in force of a listener's attribute; empty for one it has not.
func (l *Listener) Attribute(name string) string {
	return inForce(listenerTable, subject{protocol: l.Protocol}, l.Attributes, name)
}

// Enabled tells whether an attribute is "true".
func (l *Listener) Enabled(name string) bool { return l.Attribute(name) == "true" }

// Seconds is an attribute that counts seconds.
func (l *Listener) Seconds(name string) time.Duration { return seconds(l.Attribute(name)) }

// AttributeValues are all attributes of the listener, in the order of their table.
func (l *Listener) AttributeValues() []Value {
	return allInForce(listenerTable, subject{protocol: l.Protocol}, l.Attributes)
}

// SetAttributes checks attributes and gives what the listener's are with them.
func (l *Listener) SetAttributes(said []Value) (map[string]string, error) {
	return change("Listener", listenerTable, subject{protocol: l.Protocol}, l.Attributes, said)
}

// Attribute is the value in force of a group's attribute; empty for one it has not.
func (g *TargetGroup) Attribute(name string) string {
	return inForce(groupTable, g.subject(), g.Attributes, name)
}

// Enabled tells whether an attribute is "true".
func (g *TargetGroup) Enabled(name string) bool { return g.Attribute(name) == "true" }

// Seconds is an attribute that counts seconds.
func (g *TargetGroup) Seconds(name string) time.Duration { return seconds(g.Attribute(name)) }

// AttributeValues are all attributes of the group, in the order of their table.
func (g *TargetGroup) AttributeValues() []Value {
	return allInForce(groupTable, g.subject(), g.Attributes)
}

// SetAttributes checks attributes and gives what the group's are with them.
func (g *TargetGroup) SetAttributes(said []Value) (map[string]string, error) {
	return change("Target group", groupTable, g.subject(), g.Attributes, said)
}

func (g *TargetGroup) subject() subject {
	return subject{protocol: g.Protocol, version: g.ProtocolVersion, targets: g.TargetType}
}

// CrossZone tells whether the nodes of a balancer send to targets of all zones of a
// group.
func CrossZone(b *Balancer, g *TargetGroup) bool {
	if said := g.Attribute(CrossZoneEnabled); said != "use_load_balancer_configuration" {
		return said == "true"
	}
	return b.Enabled(CrossZoneEnabled)
}

// Enough tells whether so many healthy targets, of all there are, carry the traffic
// alone; else those that are not healthy get some as well.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html
func (g *TargetGroup) Enough(healthy, all int) bool {
	if n, err := strconv.Atoi(g.Attribute(MinimumCount)); healthy == 0 || err == nil && healthy < n {
		return false
	}
	percent, err := strconv.Atoi(g.Attribute(MinimumPercent))
	return err != nil || healthy*100 >= percent*all
}

func (a *Attribute) has(s subject) bool { return a.only == nil || a.only(s) }

func (a *Attribute) defaultOf(s subject) string {
	if a.instead != nil {
		if other := a.instead(s); other != "" {
			return other
		}
	}
	return a.Default
}

func (a *Attribute) in(s subject, set map[string]string) string {
	if v, ok := set[a.Name]; ok {
		return v
	}
	return a.defaultOf(s)
}

// find is the row of a name: the one that the subject has, where there are two.
func find(table []Attribute, s subject, name string) (found *Attribute) {
	for n := range table {
		if a := &table[n]; a.Name == name && (found == nil || a.has(s)) {
			found = a
		}
	}
	return found
}

func inForce(table []Attribute, s subject, set map[string]string, name string) string {
	a := find(table, s, name)
	if a == nil || !a.has(s) {
		return ""
	}
	return a.in(s, set)
}

func allInForce(table []Attribute, s subject, set map[string]string) (all []Value) {
	for n := range table {
		if a := &table[n]; a.has(s) {
			all = append(all, Value{a.Name, a.in(s, set)})
		}
	}
	return all
}

func seconds(value string) time.Duration {
	n, _ := strconv.Atoi(value) // the table admits numbers only
	return time.Duration(n) * time.Second
}
