package balancer

import "slices"

// What the engine HAProxy does not do is said here, so that it is refused when it is asked
// for and never ignored. Balancers of that engine count their hosts only in CloudWatch.

// HAProxyLacks says what of a listener, or of a rule of it, the engine HAProxy does not
// do; empty when it does all. rule is nil for the listener itself.
func HAProxyLacks(b *Balancer, l *Listener, rule *Rule) string {
	if rule != nil {
		if len(rule.Transforms) > 0 {
			return "transforms"
		}
		return actionLacks(rule.Actions)
	}
	switch {
	case b.Kind != Application:
		return "load balancers of type " + string(b.Kind)
	case l.MutualAuth != nil && l.MutualAuth.Mode != "off":
		return "mutual authentication"
	}
	return actionLacks(l.Default)
}

func actionLacks(all []Action) string {
	able := []string{Forward, Redirect, FixedResponse}
	for _, a := range all {
		if !slices.Contains(able, a.Type) {
			return "actions of type " + a.Type
		}
		if a.Forward != nil && a.Forward.Stickiness {
			return "stickiness of target groups"
		}
	}
	return ""
}

// HAProxyLacksAttribute says which attribute of a balancer has a value that the engine
// HAProxy does not carry out; empty for none.
func HAProxyLacksAttribute(b *Balancer) string {
	return unlike(b.Attribute, AccessLogs, "false", ConnectionLogs, "false", HealthLogs, "false", ClientKeepAlive, "3600", DesyncMitigation, "defensive")
}

// HAProxyLacksGroup says what of a target group the engine HAProxy does not do; empty when
// it does all.
func HAProxyLacksGroup(g *TargetGroup) string {
	switch {
	case g.ProtocolVersion == "GRPC":
		return "target groups of the protocol version GRPC"
	case g.Enabled(StickinessEnabled) && g.Attribute(StickinessType) == "app_cookie":
		return "stickiness of type app_cookie"
	case g.Attribute(CrossZoneEnabled) == "false":
		return "target groups that do not cross zones"
	}
	return unlike(g.Attribute, SlowStart, "0", MinimumCount, "1", MinimumPercent, "off")
}

// unlike is the first attribute, of pairs with values, that has another value.
func unlike(of func(string) string, pairs ...string) string {
	for pair := range slices.Chunk(pairs, 2) {
		if v := of(pair[0]); v != pair[1] {
			return "the attribute " + pair[0] + " with the value '" + v + "'"
		}
	}
	return ""
}
