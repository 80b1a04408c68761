package elb

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
)

// Needs says by operation what its callers must be allowed to do. Operations that are
// not here need their own action on everything.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancing.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateLoadBalancer": gateway.NeedsOf(createNeeds),
		"CreateLoadBalancerListeners": on(func(in *shape.CreateLoadBalancerListenerInput) (*string, map[string][]string) {
			return in.LoadBalancerName, protocolKeys(in.Listeners)
		}),
		"AttachLoadBalancerToSubnets": on(func(in *shape.AttachLoadBalancerToSubnetsInput) (*string, map[string][]string) {
			return in.LoadBalancerName, map[string][]string{"elasticloadbalancing:Subnet": in.Subnets}
		}),
		"DetachLoadBalancerFromSubnets": on(func(in *shape.DetachLoadBalancerFromSubnetsInput) (*string, map[string][]string) {
			return in.LoadBalancerName, map[string][]string{"elasticloadbalancing:Subnet": in.Subnets}
		}),
		"ApplySecurityGroupsToLoadBalancer": on(func(in *shape.ApplySecurityGroupsToLoadBalancerInput) (*string, map[string][]string) {
			return in.LoadBalancerName, map[string][]string{"elasticloadbalancing:SecurityGroup": in.SecurityGroups}
		}),
		"CreateLoadBalancerPolicy":                one(func(in *shape.CreateLoadBalancerPolicyInput) *string { return in.LoadBalancerName }),
		"CreateAppCookieStickinessPolicy":         one(func(in *shape.CreateAppCookieStickinessPolicyInput) *string { return in.LoadBalancerName }),
		"CreateLBCookieStickinessPolicy":          one(func(in *shape.CreateLBCookieStickinessPolicyInput) *string { return in.LoadBalancerName }),
		"ConfigureHealthCheck":                    one(func(in *shape.ConfigureHealthCheckInput) *string { return in.LoadBalancerName }),
		"DeleteLoadBalancer":                      one(func(in *shape.DeleteAccessPointInput) *string { return in.LoadBalancerName }),
		"DeleteLoadBalancerListeners":             one(func(in *shape.DeleteLoadBalancerListenerInput) *string { return in.LoadBalancerName }),
		"DeleteLoadBalancerPolicy":                one(func(in *shape.DeleteLoadBalancerPolicyInput) *string { return in.LoadBalancerName }),
		"RegisterInstancesWithLoadBalancer":       one(func(in *shape.RegisterEndPointsInput) *string { return in.LoadBalancerName }),
		"DeregisterInstancesFromLoadBalancer":     one(func(in *shape.DeregisterEndPointsInput) *string { return in.LoadBalancerName }),
		"EnableAvailabilityZonesForLoadBalancer":  one(func(in *shape.AddAvailabilityZonesInput) *string { return in.LoadBalancerName }),
		"DisableAvailabilityZonesForLoadBalancer": one(func(in *shape.RemoveAvailabilityZonesInput) *string { return in.LoadBalancerName }),
		"ModifyLoadBalancerAttributes":            one(func(in *shape.ModifyLoadBalancerAttributesInput) *string { return in.LoadBalancerName }),
		"SetLoadBalancerListenerSSLCertificate":   one(func(in *shape.SetLoadBalancerListenerSSLCertificateInput) *string { return in.LoadBalancerName }),
		"SetLoadBalancerPoliciesForBackendServer": one(func(in *shape.SetLoadBalancerPoliciesForBackendServerInput) *string { return in.LoadBalancerName }),
		"SetLoadBalancerPoliciesOfListener":       one(func(in *shape.SetLoadBalancerPoliciesOfListenerInput) *string { return in.LoadBalancerName }),

		"AddTags": gateway.NeedsOf(func(call *gateway.Call, in *shape.AddTagsInput) []gateway.Need {
			return []gateway.Need{{Resources: arns(call.Scope, in.LoadBalancerNames), Keys: tagKeys(in.Tags)}}
		}),
		"RemoveTags": gateway.NeedsOf(func(call *gateway.Call, in *shape.RemoveTagsInput) []gateway.Need {
			keys := member.Each(in.Tags, func(t *shape.TagKeyOnly) string { return member.Value(t.Key) })
			return []gateway.Need{{Resources: arns(call.Scope, in.LoadBalancerNames), Keys: map[string][]string{"aws:TagKeys": keys}}}
		}),
	}
}

// on is the operation's own action on the balancer that a member names.
func on[In any](of func(*In) (*string, map[string][]string)) gateway.Needs {
	return gateway.NeedsOf(func(call *gateway.Call, in *In) []gateway.Need {
		name, keys := of(in)
		return []gateway.Need{{Resources: []string{balancer.ClassicARN(call.Scope, *name)}, Keys: keys}}
	})
}

func one[In any](name func(*In) *string) gateway.Needs {
	return on(func(in *In) (*string, map[string][]string) { return name(in), nil })
}

func arns(scope arn.Scope, names []string) []string {
	return member.Each(names, func(name *string) string { return balancer.ClassicARN(scope, *name) })
}

func createNeeds(call *gateway.Call, in *shape.CreateAccessPointInput) []gateway.Need {
	made, keys := []string{balancer.ClassicARN(call.Scope, *in.LoadBalancerName)}, tagKeys(in.Tags)
	keys["elasticloadbalancing:Scheme"] = []string{balancer.InternetFacing}
	if in.Scheme != nil {
		keys["elasticloadbalancing:Scheme"] = []string{*in.Scheme}
	}
	for name, values := range map[string][]string{
		"elasticloadbalancing:Subnet": in.Subnets, "elasticloadbalancing:SecurityGroup": in.SecurityGroups,
		"elasticloadbalancing:ListenerProtocol": protocolKeys(in.Listeners)["elasticloadbalancing:ListenerProtocol"],
	} {
		if len(values) > 0 {
			keys[name] = values
		}
	}
	needs := []gateway.Need{{Resources: made, Keys: keys}}
	if len(in.Tags) > 0 {
		tagging := tagKeys(in.Tags)
		tagging["elasticloadbalancing:CreateAction"] = []string{"CreateLoadBalancer"}
		needs = append(needs, gateway.Need{Action: "elasticloadbalancing:AddTags", Resources: made, Keys: tagging})
	}
	return needs
}

func protocolKeys(in []shape.Listener) map[string][]string {
	return map[string][]string{"elasticloadbalancing:ListenerProtocol": member.Each(in, func(l *shape.Listener) string { return member.Value(l.Protocol) })}
}

func tagKeys(tags []shape.Tag) map[string][]string {
	all := map[string][]string{}
	for _, t := range tags {
		all["aws:RequestTag/"+member.Value(t.Key)] = []string{member.Value(t.Value)}
		all["aws:TagKeys"] = append(all["aws:TagKeys"], member.Value(t.Key))
	}
	return all
}
