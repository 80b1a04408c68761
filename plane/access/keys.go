package access

import (
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/identity/policy"
)

// Keys are the condition keys that a call has whatever it is for: for those who ask
// policies by themselves, as STS does a role's trust policy.
func (a *Access) Keys(call *gateway.Call) policy.Keys {
	who := CallerOf(call)
	s := a.standing(a.Store.View(), &who)
	q := question{who: &who, standing: &s, resources: a.Resources, in: call.In}
	return q.key
}
