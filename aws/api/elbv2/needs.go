package elbv2

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
)

// Needs says by operation what its callers must be allowed to do. Operations that are
// not here need their own action on everything.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateLoadBalancer": gateway.NeedsOf(createLoadBalancerNeeds),
		"CreateListener":     gateway.NeedsOf(createListenerNeeds),
		"CreateRule": gateway.NeedsOf(func(_ *gateway.Call, in *shape.CreateRuleInput) []gateway.Need {
			return tagging("CreateRule", gateway.Need{Resources: []string{*in.ListenerArn}}, balancer.ChildARN(*in.ListenerArn, "listener-rule", "*"), in.Tags)
		}),
		"CreateTargetGroup": gateway.NeedsOf(func(c *gateway.Call, in *shape.CreateTargetGroupInput) []gateway.Need {
			group := balancer.GroupARN(c.Scope, *in.Name, "*")
			return tagging("CreateTargetGroup", gateway.Need{Resources: []string{group}}, group, in.Tags)
		}),
		"CreateTrustStore": gateway.NeedsOf(func(c *gateway.Call, in *shape.CreateTrustStoreInput) []gateway.Need {
			store := balancer.TrustStoreARN(c.Scope, *in.Name, "*")
			needs := tagging("CreateTrustStore", gateway.Need{Resources: []string{store}}, store, in.Tags)
			return append(needs, reading(in.CaCertificatesBundleS3Bucket, in.CaCertificatesBundleS3Key))
		}),

		"DeleteLoadBalancer":           one(func(in *shape.DeleteLoadBalancerInput) *string { return in.LoadBalancerArn }),
		"ModifyLoadBalancerAttributes": one(func(in *shape.ModifyLoadBalancerAttributesInput) *string { return in.LoadBalancerArn }),
		"ModifyCapacityReservation":    one(func(in *shape.ModifyCapacityReservationInput) *string { return in.LoadBalancerArn }),
		"ModifyIpPools":                one(func(in *shape.ModifyIpPoolsInput) *string { return in.LoadBalancerArn }),
		"SetIpAddressType":             one(func(in *shape.SetIpAddressTypeInput) *string { return in.LoadBalancerArn }),
		"SetSubnets": gateway.NeedsOf(func(_ *gateway.Call, in *shape.SetSubnetsInput) []gateway.Need {
			return []gateway.Need{{Resources: []string{*in.LoadBalancerArn}, Keys: keys("elasticloadbalancing:Subnet", subnetsOf(in.Subnets, in.SubnetMappings))}}
		}),
		"SetSecurityGroups": gateway.NeedsOf(func(_ *gateway.Call, in *shape.SetSecurityGroupsInput) []gateway.Need {
			return []gateway.Need{{Resources: []string{*in.LoadBalancerArn}, Keys: keys("elasticloadbalancing:SecurityGroup", in.SecurityGroups)}}
		}),

		"ModifyListener": gateway.NeedsOf(func(_ *gateway.Call, in *shape.ModifyListenerInput) []gateway.Need {
			return []gateway.Need{{Resources: []string{*in.ListenerArn}, Keys: listenerKeys(in.Protocol, in.SslPolicy)}}
		}),
		"DeleteListener":             one(func(in *shape.DeleteListenerInput) *string { return in.ListenerArn }),
		"ModifyListenerAttributes":   one(func(in *shape.ModifyListenerAttributesInput) *string { return in.ListenerArn }),
		"AddListenerCertificates":    one(func(in *shape.AddListenerCertificatesInput) *string { return in.ListenerArn }),
		"RemoveListenerCertificates": one(func(in *shape.RemoveListenerCertificatesInput) *string { return in.ListenerArn }),

		"ModifyRule": one(func(in *shape.ModifyRuleInput) *string { return in.RuleArn }),
		"DeleteRule": one(func(in *shape.DeleteRuleInput) *string { return in.RuleArn }),
		"SetRulePriorities": gateway.On(func(_ *gateway.Call, in *shape.SetRulePrioritiesInput) []string {
			return member.Each(in.RulePriorities, func(p *shape.RulePriorityPair) string { return member.Value(p.RuleArn) })
		}),

		"ModifyTargetGroup":           one(func(in *shape.ModifyTargetGroupInput) *string { return in.TargetGroupArn }),
		"ModifyTargetGroupAttributes": one(func(in *shape.ModifyTargetGroupAttributesInput) *string { return in.TargetGroupArn }),
		"DeleteTargetGroup":           one(func(in *shape.DeleteTargetGroupInput) *string { return in.TargetGroupArn }),
		"RegisterTargets":             one(func(in *shape.RegisterTargetsInput) *string { return in.TargetGroupArn }),
		"DeregisterTargets":           one(func(in *shape.DeregisterTargetsInput) *string { return in.TargetGroupArn }),

		"ModifyTrustStore": gateway.NeedsOf(func(_ *gateway.Call, in *shape.ModifyTrustStoreInput) []gateway.Need {
			return []gateway.Need{{Resources: []string{*in.TrustStoreArn}}, reading(in.CaCertificatesBundleS3Bucket, in.CaCertificatesBundleS3Key)}
		}),
		"AddTrustStoreRevocations": gateway.NeedsOf(func(_ *gateway.Call, in *shape.AddTrustStoreRevocationsInput) []gateway.Need {
			needs := []gateway.Need{{Resources: []string{*in.TrustStoreArn}}}
			for _, c := range in.RevocationContents {
				needs = append(needs, reading(c.S3Bucket, c.S3Key))
			}
			return needs
		}),
		"DeleteTrustStore":                  one(func(in *shape.DeleteTrustStoreInput) *string { return in.TrustStoreArn }),
		"RemoveTrustStoreRevocations":       one(func(in *shape.RemoveTrustStoreRevocationsInput) *string { return in.TrustStoreArn }),
		"DeleteSharedTrustStoreAssociation": one(func(in *shape.DeleteSharedTrustStoreAssociationInput) *string { return in.TrustStoreArn }),

		"AddTags":    gateway.On(func(_ *gateway.Call, in *shape.AddTagsInput) []string { return in.ResourceArns }),
		"RemoveTags": gateway.On(func(_ *gateway.Call, in *shape.RemoveTagsInput) []string { return in.ResourceArns }),
	}
}

// one is the need of an operation on the resource that a member names.
func one[In any](arn func(*In) *string) gateway.Needs {
	return gateway.On(func(_ *gateway.Call, in *In) []string { return []string{member.Value(arn(in))} })
}

func createLoadBalancerNeeds(call *gateway.Call, in *shape.CreateLoadBalancerInput) []gateway.Need {
	kind, scheme := balancer.Application, shape.LoadBalancerSchemeEnumInternetFacing
	if in.Type != "" {
		kind = balancer.Kind(in.Type)
	}
	if in.Scheme != "" {
		scheme = in.Scheme
	}
	made := balancer.ARNOf(call.Scope, kind, *in.Name, "*")
	need := gateway.Need{Resources: []string{made}, Keys: map[string][]string{"elasticloadbalancing:Scheme": {string(scheme)}}}
	for name, values := range map[string][]string{
		"elasticloadbalancing:Subnet": subnetsOf(in.Subnets, in.SubnetMappings), "elasticloadbalancing:SecurityGroup": in.SecurityGroups,
	} {
		if len(values) > 0 {
			need.Keys[name] = values
		}
	}
	return tagging("CreateLoadBalancer", need, made, in.Tags)
}

func createListenerNeeds(_ *gateway.Call, in *shape.CreateListenerInput) []gateway.Need {
	need := gateway.Need{Resources: []string{*in.LoadBalancerArn}, Keys: listenerKeys(in.Protocol, in.SslPolicy)}
	return tagging("CreateListener", need, balancer.ChildARN(*in.LoadBalancerArn, "listener", "*"), in.Tags)
}

func listenerKeys(protocol shape.ProtocolEnum, policy *string) map[string][]string {
	out := keys("elasticloadbalancing:ListenerProtocol", nonEmpty(string(protocol)))
	for name, values := range keys("elasticloadbalancing:SecurityPolicy", nonEmpty(member.Value(policy))) {
		if out == nil {
			out = map[string][]string{}
		}
		out[name] = values
	}
	return out
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// keys is a condition key with its values; nil without any.
func keys(name string, values []string) map[string][]string {
	if len(values) == 0 {
		return nil
	}
	return map[string][]string{name: values}
}

func subnetsOf(ids []string, mappings []shape.SubnetMapping) []string {
	if len(ids) > 0 {
		return ids
	}
	return member.Some(mappings, func(m *shape.SubnetMapping) string { return member.Value(m.SubnetId) })
}

// tagging adds that what is born with tags is tagged, too.
func tagging(action string, need gateway.Need, made string, tags []shape.Tag) []gateway.Need {
	if len(tags) == 0 {
		return []gateway.Need{need}
	}
	return []gateway.Need{need, {
		Action: "elasticloadbalancing:AddTags", Resources: []string{made}, Keys: map[string][]string{"elasticloadbalancing:CreateAction": {action}},
	}}
}

// reading is the need to read an object that a caller has berth read.
func reading(bucket, key *string) gateway.Need {
	return gateway.Need{Action: "s3:GetObject", Resources: []string{"arn:aws:s3:::" + member.Value(bucket) + "/" + member.Value(key)}}
}
