package elbv2

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/store"
)

func (a *API) describeTargetHealth(_ context.Context, call *gateway.Call, in *shape.DescribeTargetHealthInput) (*shape.DescribeTargetHealthOutput, error) {
	v := a.store.View()
	g, err := findGroup(v, call.Scope, *in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	d := describer{v, g, leading(v, g), wantsAnomalies(g, in.Include)}
	out := &shape.DescribeTargetHealthOutput{TargetHealthDescriptions: []shape.TargetHealthDescription{}}
	if len(in.Targets) == 0 {
		for t := range store.Targets.Prefix(v, g.ARN+" ") {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, d.describe(t))
		}
		return out, nil
	}
	for n := range in.Targets {
		t, ok := store.Targets.Get(v, keyOf(g, &in.Targets[n]))
		if !ok {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, d.unregistered(&in.Targets[n]))
			continue
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, d.describe(t))
	}
	return out, nil
}

func wantsAnomalies(g *balancer.TargetGroup, include []shape.DescribeTargetHealthInputIncludeEnum) bool {
	return len(include) > 0 && g.Attribute(balancer.Algorithm) == "weighted_random"
}

// leading are the balancers that lead to a group.
func leading(r store.Reader, g *balancer.TargetGroup) (list []*balancer.Balancer) {
	for _, name := range balancersOf(r, g.ARN) {
		if b, ok := store.Balancers.Get(r, name); ok {
			list = append(list, b)
		}
	}
	return list
}

// describer describes the health of the targets of a group.
type describer struct {
	store.Reader
	group     *balancer.TargetGroup
	balancers []*balancer.Balancer
	anomalies bool
}

func (d describer) describe(t *balancer.Target) shape.TargetHealthDescription {
	r := d.health(t)
	out := shape.TargetHealthDescription{
		Target:          &shape.TargetDescription{Id: &t.ID, Port: new(int32(t.Port)), AvailabilityZone: member.Present(t.Zone)},
		HealthCheckPort: new(portText(d.group, t.Port)),
		TargetHealth: &shape.TargetHealth{
			State: shape.TargetHealthStateEnum(r.State), Reason: shape.TargetHealthReasonEnum(r.Reason), Description: member.Present(r.Detail),
		},
	}
	if d.anomalies {
		out.AnomalyDetection = &shape.AnomalyDetection{Result: shape.AnomalyResultEnumNormal, MitigationInEffect: shape.MitigationInEffectEnumNo}
	}
	return out
}

func (d describer) unregistered(in *shape.TargetDescription) shape.TargetHealthDescription {
	port := int32(d.group.Port)
	if in.Port != nil {
		port = *in.Port
	}
	return shape.TargetHealthDescription{
		Target: &shape.TargetDescription{Id: in.Id, Port: &port},
		TargetHealth: &shape.TargetHealth{
			State: shape.TargetHealthStateEnumUnused, Reason: shape.TargetHealthReasonEnumTargetNotRegistered,
			Description: new("Target is not registered to the target group"),
		},
	}
}

// health is what is said of a registered target.
func (d describer) health(t *balancer.Target) balancer.Report {
	switch {
	case !t.DrainingSince.IsZero():
		return balancer.Report{State: balancer.DrainingOut, Reason: balancer.ReasonDraining, Detail: "Target deregistration is in progress"}
	case len(d.balancers) == 0:
		return balancer.Report{State: balancer.Unused, Reason: balancer.ReasonUnused, Detail: "Target group is not configured to receive traffic from the load balancer"}
	case d.outside(t):
		return balancer.Report{State: balancer.Unused, Reason: balancer.ReasonUnused, Detail: "Target is in an Availability Zone that is not enabled for the load balancer"}
	case d.stopped(t):
		return balancer.Report{State: balancer.Unused, Reason: balancer.ReasonStopped, Detail: "Target is in the stopped state"}
	}
	h, _ := store.TargetHealth.Get(d, t.Key())
	seen := balancer.Effective(h)
	if seen.State == balancer.Healthy {
		seen.Reason, seen.Detail = "", ""
	}
	return seen
}

// outside tells whether no balancer has a node in the target's zone.
func (d describer) outside(t *balancer.Target) bool {
	zone := t.Zone
	if d.group.TargetType == balancer.TargetInstance {
		i, ok := instance(d, t.Scope, t.ID)
		if !ok {
			return false
		}
		zone = i.Zone
	}
	if zone == "" || zone == everyZone {
		return false
	}
	return !slices.ContainsFunc(d.balancers, func(b *balancer.Balancer) bool {
		return slices.ContainsFunc(b.Zones, func(z balancer.Zone) bool { return z.Name == zone })
	})
}

// stopped tells whether the target is an instance that is not there any more.
func (d describer) stopped(t *balancer.Target) bool {
	if d.group.TargetType != balancer.TargetInstance {
		return false
	}
	i, ok := instance(d, t.Scope, t.ID)
	return !ok || i.Status == cluster.Inactive
}
