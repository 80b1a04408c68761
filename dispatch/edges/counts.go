package edges

import (
	"context"
	"net/http"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/store"
)

// perTarget is the metric that services scale by; it is told by group alone, too.
const perTarget = "RequestCountPerTarget"

// ServeCounts keeps datapoints as CloudWatch's metrics of load balancers.
func (e *Edges) ServeCounts(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	var in []balancer.Count
	e.take(w, r, who, &in, func(ctx context.Context, edge string) error {
		if err := e.used(ctx, edge, in); err != nil {
			return err
		}
		k, v, now := e.of(edge), e.Store.View(), e.Now()
		data := map[arn.Scope][]metric.Datum{}
		for n := range in {
			b, ok := store.Balancers.Get(v, in[n].BalancerARN)
			if !ok || !k.owners[in[n].BalancerARN] || in[n].At.After(now) {
				continue
			}
			data[b.Scope] = append(data[b.Scope], Data(b, &in[n])...)
		}
		if e.Measure == nil {
			return nil
		}
		for scope, some := range data {
			if err := e.Measure(scope, some); err != nil {
				return err
			}
		}
		return nil
	})
}

// used notes which target groups had requests.
func (e *Edges) used(ctx context.Context, edge string, in []balancer.Count) error {
	k, v, now := e.of(edge), e.Store.View(), e.Now()
	var groups []string
	for n := range in {
		c := &in[n]
		if c.Name == perTarget && c.Set.Sum > 0 && k.owners[c.BalancerARN] && store.Unnoted(v, c.GroupARN, now) {
			groups = append(groups, c.GroupARN)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	_, err := e.Store.Update(ctx, func(tx *store.Tx) error { store.Used(tx, groups, now); return nil })
	return err
}

// Data are the datapoints of a count: one for each set of dimensions by which AWS
// shows the metric.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
func Data(b *balancer.Balancer, c *balancer.Count) []metric.Datum {
	name, own := c.Name, []metric.Dimension{balancerDimension(b)}
	if b.Kind == balancer.Classic {
		if name = balancer.ClassicMetric(c); name == "" {
			return nil
		}
	} else if c.GroupARN != "" {
		own = append(own, metric.Dimension{Name: "TargetGroup", Value: lastOf(c.GroupARN)})
	}
	all := [][]metric.Dimension{own}
	if c.Zone != "" {
		all = append(all, append([]metric.Dimension{{Name: "AvailabilityZone", Value: c.Zone}}, own...))
	}
	if name == perTarget {
		all = [][]metric.Dimension{own, own[1:]}
	}
	var out []metric.Datum
	for _, d := range all {
		out = append(out, metric.Datum{Metric: metric.Metric{Namespace: namespace(b.Kind), Name: name, Dimensions: metric.Sorted(d)}, At: c.At, Unit: c.Unit, Set: c.Set})
	}
	return out
}

func namespace(k balancer.Kind) string {
	switch k {
	case balancer.Network:
		return "AWS/NetworkELB"
	case balancer.Classic:
		return "AWS/ELB"
	}
	return "AWS/ApplicationELB"
}

func balancerDimension(b *balancer.Balancer) metric.Dimension {
	if b.Kind == balancer.Classic {
		return metric.Dimension{Name: "LoadBalancerName", Value: b.Name}
	}
	return metric.Dimension{Name: "LoadBalancer", Value: strings.TrimPrefix(lastOf(b.ARN), "loadbalancer/")}
}

// lastOf is the resource of an ARN: targetgroup/NAME/ID.
func lastOf(text string) string {
	a, err := arn.Parse(text)
	if err != nil {
		return text
	}
	return a.Resource
}

// ServeLines keeps a part of an access log.
func (e *Edges) ServeLines(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	var in balancer.Lines
	e.take(w, r, who, &in, func(ctx context.Context, edge string) error {
		b, ok := store.Balancers.Get(e.Store.View(), in.BalancerARN)
		switch {
		case !ok || !e.of(edge).owners[in.BalancerARN]:
			return fault.New(fault.AccessDenied, "This edge does not carry %s.", in.BalancerARN)
		case e.Keep == nil:
			return nil
		}
		return e.Keep(ctx, b, &in)
	})
}
