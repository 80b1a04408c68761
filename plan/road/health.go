package road

import (
	"slices"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// HealthOf is what is said of a registered target of a group: what its registration
// lets edges see, else what they saw.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
func HealthOf(r store.Reader, g *balancer.TargetGroup, t *balancer.Target) balancer.Report {
	if !t.DrainingSince.IsZero() {
		return balancer.Report{State: balancer.DrainingOut, Reason: balancer.ReasonDraining, Detail: "Target deregistration is in progress"}
	}
	leading := store.BalancersLeadingTo(r, g.ARN)
	zone, there := zoneOf(r, g, t)
	switch {
	case len(leading) == 0:
		return unused("Target group is not configured to receive traffic from the load balancer")
	case !there:
		return balancer.Report{State: balancer.Unused, Reason: balancer.ReasonStopped, Detail: "Target is in the stopped state"}
	case zone != "" && zone != balancer.EveryZone && !slices.ContainsFunc(leading, func(arn string) bool { return standsIn(r, arn, zone) }):
		return unused("Target is in an Availability Zone that is not enabled for the load balancer")
	}
	h, _ := store.TargetHealth.Get(r, t.Key())
	seen := balancer.Effective(h)
	if seen.State == balancer.Healthy {
		seen.Reason, seen.Detail = "", ""
	}
	return seen
}

func unused(detail string) balancer.Report {
	return balancer.Report{State: balancer.Unused, Reason: balancer.ReasonUnused, Detail: detail}
}

// zoneOf is a target's zone; there is false for an instance that is gone.
func zoneOf(r store.Reader, g *balancer.TargetGroup, t *balancer.Target) (zone string, there bool) {
	if g.TargetType != balancer.TargetInstance {
		return t.Zone, true
	}
	_, zone, there = registered(r, t.Scope, t.ID)
	return zone, there
}

// standsIn tells whether a balancer has a node in a zone.
func standsIn(r store.Reader, arn, zone string) bool {
	b, ok := store.Balancers.Get(r, arn)
	return ok && slices.ContainsFunc(b.Zones, func(z balancer.Zone) bool { return z.Name == zone })
}
