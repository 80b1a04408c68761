package elb

import (
	"context"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// desync is the one attribute that calls name by its key.
const desync = "elb.http.desyncmitigationmode"

func (a *API) describeAttributes(_ context.Context, call *gateway.Call, in *shape.DescribeLoadBalancerAttributesInput) (*shape.DescribeLoadBalancerAttributesOutput, error) {
	b, err := find(a.Store.View(), call.Scope, *in.LoadBalancerName)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeLoadBalancerAttributesOutput{LoadBalancerAttributes: showAttributes(b)}, nil
}

func showAttributes(b *balancer.Balancer) *shape.LoadBalancerAttributes {
	out := &shape.LoadBalancerAttributes{
		CrossZoneLoadBalancing: &shape.CrossZoneLoadBalancing{Enabled: new(b.Enabled(balancer.CrossZoneEnabled))},
		AccessLog:              &shape.AccessLog{Enabled: new(b.Enabled(balancer.AccessLogs))},
		ConnectionDraining:     &shape.ConnectionDraining{Enabled: new(b.Enabled(balancer.Draining)), Timeout: number(b, balancer.DrainingTimeout)},
		ConnectionSettings:     &shape.ConnectionSettings{IdleTimeout: number(b, balancer.IdleTimeout)},
		AdditionalAttributes:   []shape.AdditionalAttribute{{Key: new(desync), Value: new(b.Attribute(desync))}},
	}
	if bucket := b.Attribute(balancer.AccessLogs); bucket == "true" || b.Attribute(balancer.AccessLogsBucket) != "" {
		out.AccessLog.S3BucketName = member.Present(b.Attribute(balancer.AccessLogsBucket))
		out.AccessLog.S3BucketPrefix = new(b.Attribute(balancer.AccessLogsPrefix))
		out.AccessLog.EmitInterval = number(b, balancer.AccessLogsInterval)
	}
	return out
}

func number(b *balancer.Balancer, name string) *int32 {
	n, _ := strconv.ParseInt(b.Attribute(name), 10, 32) // the table admits numbers only
	return new(int32(n))
}

func (a *API) modifyAttributes(ctx context.Context, call *gateway.Call, in *shape.ModifyLoadBalancerAttributesInput) (*shape.ModifyLoadBalancerAttributesOutput, error) {
	said := said(in.LoadBalancerAttributes)
	have, err := find(a.Store.View(), call.Scope, *in.LoadBalancerName)
	if err == nil && a.Logs != nil {
		err = a.Logs(ctx, have, said)
	}
	if err != nil {
		return nil, err
	}
	_, err = a.change(ctx, call, *in.LoadBalancerName, func(_ *store.Tx, b *balancer.Balancer) (err error) {
		b.Attributes, err = b.SetAttributes(said)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyLoadBalancerAttributesOutput{LoadBalancerName: in.LoadBalancerName, LoadBalancerAttributes: in.LoadBalancerAttributes}, nil
}

// said are a caller's attributes under the names of the table.
func said(in *shape.LoadBalancerAttributes) (all []balancer.Value) {
	truth := func(name string, v *bool) {
		if v != nil {
			all = append(all, balancer.Value{Name: name, Value: strconv.FormatBool(*v)})
		}
	}
	count := func(name string, v *int32) {
		if v != nil {
			all = append(all, balancer.Value{Name: name, Value: strconv.Itoa(int(*v))})
		}
	}
	text := func(name string, v *string) {
		if v != nil {
			all = append(all, balancer.Value{Name: name, Value: *v})
		}
	}
	truth(balancer.CrossZoneEnabled, member.Value(in.CrossZoneLoadBalancing).Enabled)
	logs := member.Value(in.AccessLog)
	truth(balancer.AccessLogs, logs.Enabled)
	text(balancer.AccessLogsBucket, logs.S3BucketName)
	text(balancer.AccessLogsPrefix, logs.S3BucketPrefix)
	count(balancer.AccessLogsInterval, logs.EmitInterval)
	truth(balancer.Draining, member.Value(in.ConnectionDraining).Enabled)
	count(balancer.DrainingTimeout, member.Value(in.ConnectionDraining).Timeout)
	count(balancer.IdleTimeout, member.Value(in.ConnectionSettings).IdleTimeout)
	for _, more := range in.AdditionalAttributes {
		text(member.Value(more.Key), more.Value)
	}
	return all
}

func describeAccountLimits(context.Context, *gateway.Call, *shape.DescribeAccountLimitsInput) (*shape.DescribeAccountLimitsOutput, error) {
	limit := func(name string, most int) shape.Limit { return shape.Limit{Name: &name, Max: new(strconv.Itoa(most))} }
	return &shape.DescribeAccountLimitsOutput{Limits: []shape.Limit{
		limit("classic-load-balancers", maxBalancers), limit("classic-listeners", maxListeners), limit("classic-registered-instances", 1000),
	}}, nil
}
