package elb

import (
	"context"
	"maps"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

func (a *API) describeLoadBalancers(_ context.Context, call *gateway.Call, in *shape.DescribeAccessPointsInput) (*shape.DescribeAccessPointsOutput, error) {
	v, list := a.Store.View(), []*balancer.Balancer{}
	if len(in.LoadBalancerNames) == 0 {
		for b := range store.Balancers.Prefix(v, balancer.ClassicARN(call.Scope, "")) {
			if b.Kind == balancer.Classic {
				list = append(list, b)
			}
		}
	}
	for _, name := range in.LoadBalancerNames {
		b, err := find(v, call.Scope, name)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	some, next := list, (*string)(nil)
	if len(in.LoadBalancerNames) == 0 {
		var ok bool
		if some, next, ok = page.Cut(list, in.Marker, in.PageSize, 400, func(b *balancer.Balancer) string { return b.Name }, false); !ok {
			return nil, invalid("Marker is not valid")
		}
	}
	out := &shape.DescribeAccessPointsOutput{NextMarker: next, LoadBalancerDescriptions: []shape.LoadBalancerDescription{}}
	for _, b := range some {
		out.LoadBalancerDescriptions = append(out.LoadBalancerDescriptions, show(v, b))
	}
	return out, nil
}

func show(r store.Reader, b *balancer.Balancer) shape.LoadBalancerDescription {
	d := shape.LoadBalancerDescription{
		LoadBalancerName: &b.Name, DNSName: &b.DNSName, CanonicalHostedZoneNameID: &b.HostedZoneID, Policies: showPolicies(b),
		AvailabilityZones: zonesOf(b), Subnets: subnetsOf(b), VPCId: &b.VPCID, Instances: showInstances(r, b), HealthCheck: showHealthCheck(b),
		SourceSecurityGroup: sourceGroup(r, b), SecurityGroups: b.SecurityGroups, CreatedTime: &b.CreatedAt, Scheme: &b.Scheme,
		ListenerDescriptions: []shape.ListenerDescription{}, BackendServerDescriptions: []shape.BackendServerDescription{},
	}
	if b.Scheme == balancer.InternetFacing {
		d.CanonicalHostedZoneName = &b.DNSName
	}
	for _, l := range listenersOf(r, b) {
		g := groupOf(r, l)
		d.ListenerDescriptions = append(d.ListenerDescriptions, shape.ListenerDescription{PolicyNames: names(l.Policies), Listener: &shape.Listener{
			Protocol: &l.Protocol, LoadBalancerPort: new(int32(l.Port)), InstanceProtocol: &g.Protocol, InstancePort: new(int32(g.Port)),
			SSLCertificateId: member.Present(certificateOf(l)),
		}})
	}
	for _, port := range slices.Sorted(maps.Keys(b.Classic.ServerPolicies)) {
		d.BackendServerDescriptions = append(d.BackendServerDescriptions, shape.BackendServerDescription{InstancePort: new(int32(port)), PolicyNames: b.Classic.ServerPolicies[port]})
	}
	return d
}

// names is a list that is there even when it is empty.
func names(list []string) []string { return append([]string{}, list...) }

func showPolicies(b *balancer.Balancer) *shape.Policies {
	out := &shape.Policies{AppCookieStickinessPolicies: []shape.AppCookieStickinessPolicy{}, LBCookieStickinessPolicies: []shape.LBCookieStickinessPolicy{}, OtherPolicies: []string{}}
	for _, p := range b.Classic.Policies {
		switch p.Type {
		case balancer.AppCookiePolicy:
			out.AppCookieStickinessPolicies = append(out.AppCookieStickinessPolicies, shape.AppCookieStickinessPolicy{PolicyName: &p.Name, CookieName: new(p.Attribute("CookieName"))})
		case balancer.LBCookiePolicy:
			out.LBCookieStickinessPolicies = append(out.LBCookieStickinessPolicies, shape.LBCookieStickinessPolicy{PolicyName: &p.Name, CookieExpirationPeriod: period(&p)})
		default:
			out.OtherPolicies = append(out.OtherPolicies, p.Name)
		}
	}
	return out
}
