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
	return nil
}
