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
// the service.
func (l *look) weigh(tx *store.Tx) {
	before, unset := sharesOf(l.was.Deployments)
	s, none := sharesOf(l.next.Deployments)
	if none || s == before && !unset {
		return
	}
	for i := range l.next.Spec.Template.Balancers {
		b := &l.next.Spec.Template.Balancers[i]
		if b.Advanced == nil {
			continue
		}
		lead(tx, b.Advanced.ProductionRule, b, s.production)
		lead(tx, b.Advanced.TestRule, b, s.test)
	}
}

// lead gives the alternate group of a balancer a percentage of what a rule forwards,
// or a listener by default: a Network balancer's, or one that is named by its default
// rule.
func lead(tx *store.Tx, ref string, b *service.Balancer, percent float64) {
	if r, ok := store.ListenerRules.Get(tx, ref); ok {
		next := *r
		next.Actions = reweighed(r.Actions, b, percent)
		next.Version++
		store.ListenerRules.Put(tx, &next)
		return
	}
	have, ok := store.DefaultRuleOf(tx, ref)
	if !ok {
		have, ok = store.Listeners.Get(tx, ref)
	}
	if ok {
		next := *have
		next.Default = reweighed(have.Default, b, percent)
		next.Version++
		store.Listeners.Put(tx, &next)
	}
}

func reweighed(actions []balancer.Action, b *service.Balancer, percent float64) []balancer.Action {
	out := slices.Clone(actions)
	for i := range out {
		if out[i].Forward == nil {
			continue
		}
		next := *out[i].Forward
		primary, alternate := weights(percent)
		next.Groups = weighted(weighted(next.Groups, b.GroupARN, primary), b.Advanced.AlternateARN, alternate)
		next.Plain = false
		out[i].Forward = &next
	}
	return out
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
