package balancer

import "slices"

// HAProxyLacks says what of a listener, or of a rule of it, the engine HAProxy does not
// do; empty when it does all. rule is nil for the listener itself. Balancers of that
// engine also have no access logs of AWS's form, no trace ids, and no cookies of
// applications.
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
