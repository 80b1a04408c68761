package elbv2

import (
	"github.com/berthhq/berth/domain/balancer"
)

// engineLacks refuses what the engine of a balancer cannot do: a listener, or a rule of
// it; rule is nil for the listener's own actions.
func engineLacks(b *balancer.Balancer, l *balancer.Listener, rule *balancer.Rule) error {
	if b.Engine != balancer.EngineHAProxy {
		return nil
	}
	if lack := balancer.HAProxyLacks(b, l, rule); lack != "" {
		return unfit("The engine 'haproxy' of load balancer '%s' does not support %s", b.Name, lack).WithHint("make a load balancer without the tag %s", engineTag)
	}
	return nil
}
