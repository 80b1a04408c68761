package elbv2

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/store"
)

func (a *API) describeTargetHealth(_ context.Context, call *gateway.Call, in *shape.DescribeTargetHealthInput) (*shape.DescribeTargetHealthOutput, error) {
	v := a.store.View()
	g, err := findGroup(v, call.Scope, *in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	d := describer{v, g, wantsAnomalies(g, in.Include)}
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

// describer describes the health of the targets of a group.
type describer struct {
	store.Reader
	group     *balancer.TargetGroup
	anomalies bool
}

func (d describer) describe(t *balancer.Target) shape.TargetHealthDescription {
	r := road.HealthOf(d, d.group, t)
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
