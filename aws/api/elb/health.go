package elb

import (
	"context"
	"maps"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

func (a *API) configureHealthCheck(ctx context.Context, call *gateway.Call, in *shape.ConfigureHealthCheckInput) (*shape.ConfigureHealthCheckOutput, error) {
	b, err := a.change(ctx, call, *in.LoadBalancerName, func(_ *store.Tx, b *balancer.Balancer) error {
		h := balancer.HealthCheck{
			Interval: int(*in.HealthCheck.Interval), Timeout: int(*in.HealthCheck.Timeout),
			Healthy: int(*in.HealthCheck.HealthyThreshold), Unhealthy: int(*in.HealthCheck.UnhealthyThreshold),
		}
		if err := h.ReadTarget(*in.HealthCheck.Target); err != nil {
			return err
		}
		if h.Timeout >= h.Interval {
			return invalid("HealthCheck timeout must be less than interval")
		}
		b.Classic.HealthCheck = h
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.ConfigureHealthCheckOutput{HealthCheck: showHealthCheck(&b)}, nil
}

func showHealthCheck(b *balancer.Balancer) *shape.HealthCheck {
	h := b.Classic.HealthCheck
	return &shape.HealthCheck{
		Target: new(h.Target()), Interval: new(int32(h.Interval)), Timeout: new(int32(h.Timeout)),
		HealthyThreshold: new(int32(h.Healthy)), UnhealthyThreshold: new(int32(h.Unhealthy)),
	}
}

func (a *API) describeInstanceHealth(_ context.Context, call *gateway.Call, in *shape.DescribeEndPointStateInput) (*shape.DescribeEndPointStateOutput, error) {
	v := a.Store.View()
	b, err := find(v, call.Scope, *in.LoadBalancerName)
	if err != nil {
		return nil, err
	}
	all := targetsOf(v, b)
	ids := slices.Sorted(maps.Keys(all))
	if len(in.Instances) > 0 {
		ids = member.Each(in.Instances, func(i *shape.Instance) string { return member.Value(i.InstanceId) })
	}
	out := &shape.DescribeEndPointStateOutput{InstanceStates: []shape.InstanceState{}}
	for _, id := range ids {
		t, ok := all[id]
		if !ok && !exists(v, call.Scope, id) {
			return nil, notThere(id)
		}
		s := unregistered
		if ok {
			s = stateOf(v, b, &t)
		}
		out.InstanceStates = append(out.InstanceStates, shape.InstanceState{InstanceId: &id, State: &s.state, ReasonCode: &s.reason, Description: &s.words})
	}
	return out, nil
}

// state is the health of an instance in the words of Classic balancers.
type state struct{ state, reason, words string }

var (
	unregistered = state{"OutOfService", "Instance", "Instance is not currently registered with the LoadBalancer."}
	registering  = state{"OutOfService", "ELB", "Instance registration is still in progress."}
	failing      = state{"OutOfService", "Instance", balancer.ClassicUnhealthy}
	inService    = state{"InService", "N/A", "N/A"}
	draining     = state{"InService", "N/A", "Instance deregistration currently in progress."}
	unknown      = state{"Unknown", "ELB", "A transient error occurred. Please try again later."}
	elsewhere    = state{"OutOfService", "ELB", "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to."}
)

// stateOf is healthy when the instance is so for every listener.
func stateOf(r store.Reader, b *balancer.Balancer, t *balancer.Target) state {
	if !t.DrainingSince.IsZero() {
		return draining
	}
	worst := inService
	for _, g := range groupsOf(r, b) {
		h, _ := store.TargetHealth.Get(r, balancer.TargetKey(g.ARN, t.ID, g.Port))
		switch balancer.Effective(h).State {
		case balancer.Healthy:
		case balancer.Unhealthy:
			return failing
		case balancer.Unavailable:
			worst = unknown
		default:
			worst = registering
		}
	}
	if worst == registering && !inZones(r, b, t.ID) {
		return elsewhere
	}
	return worst
}

// inZones tells whether a node of the balancer sends to the instance.
func inZones(r store.Reader, b *balancer.Balancer, id string) bool {
	for i := range store.Instances.By(r, store.InstancesByEC2ID, id) {
		if slices.Contains(zonesOf(b), i.Zone) {
			return true
		}
	}
	return b.Enabled(balancer.CrossZoneEnabled)
}
