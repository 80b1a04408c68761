package rollout

import (
	"math"
	"slices"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// shares are the percentages of production and test traffic that the alternate
// target groups are to get.
type shares struct{ production, test float64 }

// sharesOf tells how deployments share traffic; none is true while none has any.
func sharesOf(all []service.Deployment) (s shares, none bool) {
	none = true
	for i := range all {
		d := &all[i]
		none = none && d.Traffic == 0 && d.TestTraffic == 0
		if d.Alternate {
			s.production += d.Traffic
			s.test += d.TestTraffic
		}
	}
	return s, none
}

// weigh writes what has become of the traffic's shares into the rules that lead to
// the service. Before the new revision has tasks, rules come to lead to its groups with
// no weight, so that edges ask its targets how they are.
func (l *look) weigh(tx *store.Tx) {
	before, unset := sharesOf(l.was.Deployments)
	s, none := sharesOf(l.next.Deployments)
	shifts := !none && (s != before || unset)
	if !shifts && !l.opens {
		return
	}
	for i := range l.next.Spec.Template.Balancers {
		b := &l.next.Spec.Template.Balancers[i]
		if b.Advanced == nil {
			continue
		}
		lead := func(rule string, percent float64) {
			change(tx, rule, func(f *balancer.ForwardAction) {
				if shifts {
					primary, alternate := weights(percent)
					f.Groups = weighted(weighted(f.Groups, b.GroupARN, primary), b.Advanced.AlternateARN, alternate)
				} else {
					f.Groups = joined(joined(f.Groups, b.GroupARN), b.Advanced.AlternateARN)
				}
			})
		}
		lead(b.Advanced.ProductionRule, s.production)
		lead(b.Advanced.TestRule, s.test)
	}
}

// change changes what a rule forwards to. A listener's default rule is the listener's.
func change(tx *store.Tx, ref string, how func(*balancer.ForwardAction)) {
	if r, ok := store.ListenerRules.Get(tx, ref); ok {
		next := *r
		next.Actions = led(r.Actions, how)
		next.Version++
		store.ListenerRules.Put(tx, &next)
		return
	}
	have, ok := store.DefaultRuleOf(tx, ref)
	if !ok {
		have, ok = store.Listeners.Get(tx, ref) // of a Network balancer
	}
	if ok {
		next := *have
		next.Default = led(have.Default, how)
		next.Version++
		store.Listeners.Put(tx, &next)
	}
}

func led(actions []balancer.Action, how func(*balancer.ForwardAction)) []balancer.Action {
	out := slices.Clone(actions)
	for i := range out {
		if out[i].Forward == nil {
			continue
		}
		next := *out[i].Forward
		how(&next)
		next.Plain = false
		out[i].Forward = &next
	}
	return out
}

// joined are groups with another one among them, of no weight if it is new.
func joined(groups []balancer.Weighted, arn string) []balancer.Weighted {
	if slices.ContainsFunc(groups, func(w balancer.Weighted) bool { return w.GroupARN == arn }) {
		return groups
	}
	return weighted(groups, arn, 0)
}

func weighted(groups []balancer.Weighted, arn string, weight int) []balancer.Weighted {
	out := slices.Clone(groups)
	for i := range out {
		if out[i].GroupARN == arn {
			out[i].Weight = weight
			return out
		}
	}
	return append(out, balancer.Weighted{GroupARN: arn, Weight: weight})
}

// weights are those of the two groups. Shares are of tenths of a percent, and a
// weight has at most three digits: only what is no whole percentage is told in tenths.
func weights(percent float64) (primary, alternate int) {
	if percent == math.Trunc(percent) {
		return 100 - int(percent), int(percent)
	}
	tenths := int(math.Round(percent * 10))
	return 1000 - tenths, tenths
}
