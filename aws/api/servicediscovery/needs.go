package servicediscovery

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/discovery"
)

// Needs says by operation what a call must be allowed to do. What is not here needs
// its own action on "*".
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudmap.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateHttpNamespace":       tagged(func(in *shape.CreateHttpNamespaceRequest) []shape.Tag { return in.Tags }),
		"CreatePrivateDnsNamespace": tagged(func(in *shape.CreatePrivateDnsNamespaceRequest) []shape.Tag { return in.Tags }),
		"CreatePublicDnsNamespace":  tagged(func(in *shape.CreatePublicDnsNamespaceRequest) []shape.Tag { return in.Tags }),
		"UpdateHttpNamespace":       on(discovery.KindNamespace, func(in *shape.UpdateHttpNamespaceRequest) *string { return in.Id }),
		"UpdatePrivateDnsNamespace": on(discovery.KindNamespace, func(in *shape.UpdatePrivateDnsNamespaceRequest) *string { return in.Id }),
		"UpdatePublicDnsNamespace":  on(discovery.KindNamespace, func(in *shape.UpdatePublicDnsNamespaceRequest) *string { return in.Id }),
		"DeleteNamespace":           on(discovery.KindNamespace, func(in *shape.DeleteNamespaceRequest) *string { return in.Id }),
		"GetNamespace":              on(discovery.KindNamespace, func(in *shape.GetNamespaceRequest) *string { return in.Id }),

		"CreateService":           gateway.NeedsOf(needsOfCreate),
		"UpdateService":           on(discovery.KindService, func(in *shape.UpdateServiceRequest) *string { return in.Id }),
		"DeleteService":           on(discovery.KindService, func(in *shape.DeleteServiceRequest) *string { return in.Id }),
		"GetService":              on(discovery.KindService, func(in *shape.GetServiceRequest) *string { return in.Id }),
		"GetServiceAttributes":    on(discovery.KindService, func(in *shape.GetServiceAttributesRequest) *string { return in.ServiceId }),
		"UpdateServiceAttributes": on(discovery.KindService, func(in *shape.UpdateServiceAttributesRequest) *string { return in.ServiceId }),
		"DeleteServiceAttributes": on(discovery.KindService, func(in *shape.DeleteServiceAttributesRequest) *string { return in.ServiceId }),

		"RegisterInstance":                 of(func(in *shape.RegisterInstanceRequest) *string { return in.ServiceId }),
		"DeregisterInstance":               of(func(in *shape.DeregisterInstanceRequest) *string { return in.ServiceId }),
		"GetInstance":                      of(func(in *shape.GetInstanceRequest) *string { return in.ServiceId }),
		"ListInstances":                    of(func(in *shape.ListInstancesRequest) *string { return in.ServiceId }),
		"GetInstancesHealthStatus":         of(func(in *shape.GetInstancesHealthStatusRequest) *string { return in.ServiceId }),
		"UpdateInstanceCustomHealthStatus": of(func(in *shape.UpdateInstanceCustomHealthStatusRequest) *string { return in.ServiceId }),

		"DiscoverInstances": gateway.NeedsOf(func(_ *gateway.Call, in *shape.DiscoverInstancesRequest) []gateway.Need {
			return byName(in.NamespaceName, in.ServiceName)
		}),
		"DiscoverInstancesRevision": gateway.NeedsOf(func(_ *gateway.Call, in *shape.DiscoverInstancesRevisionRequest) []gateway.Need {
			return byName(in.NamespaceName, in.ServiceName)
		}),

		"TagResource": gateway.NeedsOf(func(_ *gateway.Call, in *shape.TagResourceRequest) []gateway.Need {
			return []gateway.Need{{Resources: []string{member.Value(in.ResourceARN)}, Keys: tagKeys(in.Tags)}}
		}),
		"UntagResource": gateway.NeedsOf(func(_ *gateway.Call, in *shape.UntagResourceRequest) []gateway.Need {
			return []gateway.Need{{Resources: []string{member.Value(in.ResourceARN)}, Keys: map[string][]string{"aws:TagKeys": in.TagKeys}}}
		}),
		"ListTagsForResource": gateway.On(func(_ *gateway.Call, in *shape.ListTagsForResourceRequest) []string {
			return []string{member.Value(in.ResourceARN)}
		}),
	}
}

// reference is the ARN of a resource that an id or an ARN names.
func reference(scope arn.Scope, ref *string, kind string) string {
	if arn.IsARN(member.Value(ref)) {
		return *ref
	}
	return discovery.ARN(scope, kind, member.Value(ref))
}

// on is the operation's own action on a resource.
func on[In any](kind string, id func(*In) *string) gateway.Needs {
	return gateway.On(func(call *gateway.Call, in *In) []string { return []string{reference(call.Scope, id(in), kind)} })
}

// of is the operation's own action on a service whose instances are meant.
func of[In any](service func(*In) *string) gateway.Needs {
	return gateway.NeedsOf(func(call *gateway.Call, in *In) []gateway.Need {
		name := reference(call.Scope, service(in), discovery.KindService)
		return []gateway.Need{{Resources: []string{name}, Keys: map[string][]string{"servicediscovery:ServiceArn": {name}}}}
	})
}

func byName(namespace, service *string) []gateway.Need {
	return []gateway.Need{{Keys: map[string][]string{
		"servicediscovery:NamespaceName": {member.Value(namespace)}, "servicediscovery:ServiceName": {member.Value(service)},
	}}}
}

// tagged is the operation's own action, and that what is born with tags is tagged.
func tagged[In any](tags func(*In) []shape.Tag) gateway.Needs {
	return gateway.NeedsOf(func(_ *gateway.Call, in *In) []gateway.Need { return withTags(gateway.Need{}, tags(in)) })
}

func withTags(need gateway.Need, tags []shape.Tag) []gateway.Need {
	if len(tags) == 0 {
		return []gateway.Need{need}
	}
	keys := tagKeys(tags)
	for key, values := range need.Keys {
		keys[key] = values
	}
	need.Keys = keys
	return []gateway.Need{need, {Action: "servicediscovery:TagResource", Keys: tagKeys(tags)}}
}

func needsOfCreate(call *gateway.Call, in *shape.CreateServiceRequest) []gateway.Need {
	name := reference(call.Scope, new(namespaceIn(in)), discovery.KindNamespace)
	return withTags(gateway.Need{Resources: []string{name}, Keys: map[string][]string{"servicediscovery:NamespaceArn": {name}}}, in.Tags)
}

func tagKeys(tags []shape.Tag) map[string][]string {
	keys := map[string][]string{}
	for i := range tags {
		key := member.Value(tags[i].Key)
		keys["aws:RequestTag/"+key] = []string{member.Value(tags[i].Value)}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], key)
	}
	return keys
}
