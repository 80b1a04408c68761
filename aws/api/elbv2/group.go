package elbv2

import (
	"context"
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// maxTargetGroups is how many target groups an account has in a region.
const maxTargetGroups = 3000

func (a *API) createTargetGroup(ctx context.Context, call *gateway.Call, in *shape.CreateTargetGroupInput) (*shape.CreateTargetGroupOutput, error) {
	g, err := a.readGroup(call, in)
	if err != nil {
		return nil, err
	}
	view, err := a.store.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.VPCs.Get(tx, network.Key(call.Scope, g.VPCID)); !ok {
			return invalid("The VPC ID '%s' is not found", g.VPCID)
		}
		if have, ok := groupNamed(tx, call.Scope, g.Name); ok {
			if !sameGroup(have, g) {
				return fault.New(fault.DuplicateTargetGroupName, "A target group with the same name '%s' exists, but with different settings", g.Name)
			}
			g = have
			return nil
		}
		if groupCount(tx, call.Scope) >= maxTargetGroups {
			return fault.New(fault.TooManyTargetGroups, "The maximum number of target groups has been reached")
		}
		store.TargetGroups.Put(tx, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateTargetGroupOutput{TargetGroups: []shape.TargetGroup{showGroup(view, g)}}, nil
}

func groupNamed(r store.Reader, scope arn.Scope, name string) (*balancer.TargetGroup, bool) {
	for g := range store.TargetGroups.By(r, store.TargetGroupsByName, store.ScopeKey(scope, name)) {
		if g.ClassicARN == "" {
			return g, true
		}
	}
	return nil, false
}

func groupCount(r store.Reader, scope arn.Scope) (n int) {
	for g := range store.TargetGroups.All(r) {
		if g.Scope == scope && g.ClassicARN == "" {
			n++
		}
	}
	return n
}

// sameGroup tells whether a group is what a caller asks for again.
func sameGroup(have, said *balancer.TargetGroup) bool {
	return have.Protocol == said.Protocol && have.ProtocolVersion == said.ProtocolVersion && have.Port == said.Port && have.VPCID == said.VPCID &&
		have.TargetType == said.TargetType && have.HealthCheck == said.HealthCheck && slices.Equal(have.Tags, said.Tags)
}

// readGroup checks what needs no other record.
func (a *API) readGroup(call *gateway.Call, in *shape.CreateTargetGroupInput) (*balancer.TargetGroup, error) {
	g := &balancer.TargetGroup{
		Scope: call.Scope, Name: *in.Name, ARN: balancer.GroupARN(call.Scope, *in.Name, a.newID()), Protocol: string(in.Protocol), Port: int(member.Value(in.Port)),
		ProtocolVersion: member.Value(in.ProtocolVersion), VPCID: member.Value(in.VpcId), TargetType: balancer.TargetInstance, AddressType: "ipv4",
		CreatedAt: call.Now, Version: 1,
	}
	if in.TargetType != "" {
		g.TargetType = string(in.TargetType)
	}
	if in.IpAddressType != "" {
		g.AddressType = string(in.IpAddressType)
	}
	if g.ProtocolVersion == "" && g.Application() {
		g.ProtocolVersion = "HTTP1"
	}
	if err := balancer.CheckName("Target group", g.Name); err != nil {
		return nil, err
	}
	switch {
	case g.TargetType == balancer.TargetLambda: // the check refuses it
	case g.Protocol == "":
		return nil, invalid("A protocol must be specified")
	case g.Port == 0:
		return nil, invalid("A port must be specified")
	case g.VPCID == "":
		return nil, invalid("A VPC ID must be specified")
	case in.TargetControlPort != nil:
		return nil, unfit("Target control ports are not supported")
	}
	var err error
	if g.Tags, err = readTags(in.Tags); err != nil {
		return nil, err
	}
	g.HealthCheck = balancer.DefaultHealthCheck(g, string(in.HealthCheckProtocol))
	sayHealth(g, checked{
		in.HealthCheckPort, in.HealthCheckPath, in.HealthCheckEnabled, in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds,
		in.HealthyThresholdCount, in.UnhealthyThresholdCount, in.Matcher,
	})
	return g, balancer.CheckGroup(g)
}

// checked is what a caller says of a health check. What is absent stays.
type checked struct {
	port, path         *string
	enabled            *bool
	interval, timeout  *int32
	healthy, unhealthy *int32
	matcher            *shape.Matcher
}

func sayHealth(g *balancer.TargetGroup, said checked) {
	h := &g.HealthCheck
	set(&h.Port, said.port)
	set(&h.Path, said.path)
	set(&h.Enabled, said.enabled)
	for _, n := range []struct {
		to   *int
		said *int32
	}{{&h.Interval, said.interval}, {&h.Timeout, said.timeout}, {&h.Healthy, said.healthy}, {&h.Unhealthy, said.unhealthy}} {
		if n.said != nil {
			*n.to = int(*n.said)
		}
	}
	if said.matcher != nil {
		set(&h.Matcher, said.matcher.HttpCode)
		set(&h.Matcher, said.matcher.GrpcCode)
	}
}

func set[T any](to, said *T) {
	if said != nil {
		*to = *said
	}
}

func (a *API) modifyTargetGroup(ctx context.Context, call *gateway.Call, in *shape.ModifyTargetGroupInput) (*shape.ModifyTargetGroupOutput, error) {
	g, view, err := a.changeGroup(ctx, call, *in.TargetGroupArn, func(g *balancer.TargetGroup) error {
		if protocol := string(in.HealthCheckProtocol); protocol != "" && protocol != g.HealthCheck.Protocol {
			turnCheck(g, protocol)
		}
		sayHealth(g, checked{
			in.HealthCheckPort, in.HealthCheckPath, in.HealthCheckEnabled, in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds,
			in.HealthyThresholdCount, in.UnhealthyThresholdCount, in.Matcher,
		})
		return balancer.CheckGroup(g)
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyTargetGroupOutput{TargetGroups: []shape.TargetGroup{showGroup(view, &g)}}, nil
}

// turnCheck has the health check speak another protocol: path and matcher are gone, or
// get that one's defaults; times and counts stay.
func turnCheck(g *balancer.TargetGroup, protocol string) {
	fresh, h := balancer.DefaultHealthCheck(g, protocol), &g.HealthCheck
	h.Protocol = protocol
	if h.Path == "" || fresh.Path == "" {
		h.Path, h.Matcher = fresh.Path, fresh.Matcher
	}
}

func (a *API) deleteTargetGroup(ctx context.Context, call *gateway.Call, in *shape.DeleteTargetGroupInput) (*shape.DeleteTargetGroupOutput, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		g, err := findGroup(tx, call.Scope, *in.TargetGroupArn)
		if err != nil {
			return nil // it is deleted already, as AWS has it
		}
		if len(store.BalancersLeadingTo(tx, g.ARN)) > 0 {
			return fault.New(fault.LoadBalancingInUse, "Target group '%s' is currently in use by a listener or a rule", g.ARN)
		}
		for _, t := range slices.Collect(store.Targets.Prefix(tx, g.ARN+" ")) {
			dropTarget(tx, t)
		}
		store.TargetGroups.Delete(tx, g.ARN)
		return nil
	})
	return &shape.DeleteTargetGroupOutput{}, err
}

func (a *API) describeTargetGroups(_ context.Context, call *gateway.Call, in *shape.DescribeTargetGroupsInput) (*shape.DescribeTargetGroupsOutput, error) {
	v := a.store.View()
	list, err := chosenGroups(v, call.Scope, in)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(list, in.Marker, in.PageSize, func(g *balancer.TargetGroup) string { return g.ARN })
	if err != nil {
		return nil, err
	}
	out := member.Each(part, func(g **balancer.TargetGroup) shape.TargetGroup { return showGroup(v, *g) })
	return &shape.DescribeTargetGroupsOutput{TargetGroups: out, NextMarker: next}, nil
}

// chosenGroups are those that a call names, or those of a balancer; all when it says
// nothing.
func chosenGroups(r store.Reader, scope arn.Scope, in *shape.DescribeTargetGroupsInput) ([]*balancer.TargetGroup, error) {
	said := 0
	for _, there := range []bool{in.LoadBalancerArn != nil, len(in.TargetGroupArns) > 0, len(in.Names) > 0} {
		if there {
			said++
		}
	}
	if said > 1 {
		return nil, invalid("Only one of load balancer ARN, target group ARNs and names can be specified")
	}
	if in.LoadBalancerArn != nil {
		if _, err := findBalancer(r, scope, *in.LoadBalancerArn); err != nil {
			return nil, err
		}
	}
	var list []*balancer.TargetGroup
	for g := range store.TargetGroups.All(r) {
		named := said == 0 || slices.Contains(in.TargetGroupArns, g.ARN) || slices.Contains(in.Names, g.Name) ||
			in.LoadBalancerArn != nil && slices.Contains(store.BalancersLeadingTo(r, g.ARN), *in.LoadBalancerArn)
		if g.Scope == scope && g.ClassicARN == "" && named {
			list = append(list, g)
		}
	}
	if in.LoadBalancerArn == nil && said > 0 && len(list) < len(in.TargetGroupArns)+len(in.Names) {
		return nil, fault.New(fault.TargetGroupNotFound, "One or more target groups not found")
	}
	return list, nil
}

func showGroup(r store.Reader, g *balancer.TargetGroup) shape.TargetGroup {
	h := &g.HealthCheck
	out := shape.TargetGroup{
		TargetGroupArn: &g.ARN, TargetGroupName: &g.Name, Protocol: shape.ProtocolEnum(g.Protocol), Port: new(int32(g.Port)), VpcId: &g.VPCID,
		HealthCheckProtocol: shape.ProtocolEnum(h.Protocol), HealthCheckPort: &h.Port, HealthCheckEnabled: &h.Enabled,
		HealthCheckIntervalSeconds: new(int32(h.Interval)), HealthCheckTimeoutSeconds: new(int32(h.Timeout)),
		HealthyThresholdCount: new(int32(h.Healthy)), UnhealthyThresholdCount: new(int32(h.Unhealthy)), HealthCheckPath: member.Present(h.Path),
		LoadBalancerArns: store.BalancersLeadingTo(r, g.ARN), TargetType: shape.TargetTypeEnum(g.TargetType), ProtocolVersion: member.Present(g.ProtocolVersion),
		IpAddressType: shape.TargetGroupIpAddressTypeEnum(g.AddressType),
	}
	switch {
	case h.Matcher == "":
	case g.ProtocolVersion == "GRPC":
		out.Matcher = &shape.Matcher{GrpcCode: &h.Matcher}
	default:
		out.Matcher = &shape.Matcher{HttpCode: &h.Matcher}
	}
	if out.LoadBalancerArns == nil {
		out.LoadBalancerArns = []string{}
	}
	return out
}

func (a *API) describeTargetGroupAttributes(_ context.Context, call *gateway.Call, in *shape.DescribeTargetGroupAttributesInput) (*shape.DescribeTargetGroupAttributesOutput, error) {
	g, err := findGroup(a.store.View(), call.Scope, *in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeTargetGroupAttributesOutput{Attributes: member.Each(g.AttributeValues(), showGroupAttribute)}, nil
}

func (a *API) modifyTargetGroupAttributes(ctx context.Context, call *gateway.Call, in *shape.ModifyTargetGroupAttributesInput) (*shape.ModifyTargetGroupAttributesOutput, error) {
	said := member.Each(in.Attributes, func(x *shape.TargetGroupAttribute) balancer.Value {
		return balancer.Value{Name: member.Value(x.Key), Value: member.Value(x.Value)}
	})
	g, _, err := a.changeGroup(ctx, call, *in.TargetGroupArn, func(g *balancer.TargetGroup) (err error) {
		g.Attributes, err = g.SetAttributes(said)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyTargetGroupAttributesOutput{Attributes: member.Each(g.AttributeValues(), showGroupAttribute)}, nil
}

func showGroupAttribute(v *balancer.Value) shape.TargetGroupAttribute {
	return shape.TargetGroupAttribute{Key: &v.Name, Value: &v.Value}
}

// portText is the port of a health check of a target.
func portText(g *balancer.TargetGroup, port int) string {
	if g.HealthCheck.Port == balancer.TrafficPort {
		return strconv.Itoa(port)
	}
	return g.HealthCheck.Port
}
