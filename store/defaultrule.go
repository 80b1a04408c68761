package store

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
)

// DefaultRuleARN is the ARN of a listener's default rule, which follows from the listener.
func DefaultRuleARN(l *balancer.Listener) string {
	id := network.DerivedID("rule", l.ARN)
	return balancer.ChildARN(l.ARN, "listener-rule", id[len(id)-16:])
}

// DefaultRuleOf is the listener whose default rule an ARN names.
func DefaultRuleOf(r Reader, name string) (*balancer.Listener, bool) {
	a, err := arn.Parse(name)
	if err != nil || a.Kind() != "listener-rule" || len(a.Path()) < 2 {
		return nil, false
	}
	path := a.Path()
	a.Resource = strings.Join(append([]string{"listener"}, path[:len(path)-1]...), "/")
	l, ok := Listeners.Get(r, a.String())
	return l, ok && DefaultRuleARN(l) == name
}
