package servicediscovery_test

import (
	"testing"

	"github.com/berthhq/berth/aws/api/servicediscovery"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/store"
)

func start(t testing.TB) *gatewaytest.Server {
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := servicediscovery.New(st)
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
	s.Furnish(t)
	return s
}

func TestAuthorisation(t *testing.T) {
	const (
		prefix    = "arn:aws:servicediscovery:eu-central-1:123456789012:"
		namespace = prefix + "namespace/ns-1"
		service   = prefix + "service/srv-1"
	)
	type keys = map[string][]string
	need := func(operation string, k keys, resources ...string) gateway.Need {
		return gateway.Need{Action: "servicediscovery:" + operation, Resources: resources, Keys: k}
	}
	on := func(operation, input string, resources ...string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{need(operation, nil, resources...)}}
	}
	of := func(operation, input string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{need(operation, keys{"servicediscovery:ServiceArn": {service}}, service)}}
	}
	names := keys{"servicediscovery:NamespaceName": {"shop"}, "servicediscovery:ServiceName": {"web"}}
	team := keys{"aws:RequestTag/team": {"a"}, "aws:TagKeys": {"team"}}
	gatewaytest.Authorisation(t, start, shape.API, []gatewaytest.Authorised{
		on("CreateHttpNamespace", `{"Name":"shop"}`),
		{
			Operation: "CreateHttpNamespace", Input: `{"Name":"shop","Tags":[{"Key":"team","Value":"a"}]}`,
			Needs: []gateway.Need{need("CreateHttpNamespace", team), need("TagResource", team)},
		},
		on("CreatePrivateDnsNamespace", `{"Name":"shop","Vpc":"vpc-1"}`), on("CreatePublicDnsNamespace", `{"Name":"shop.example"}`),
		on("UpdateHttpNamespace", `{"Id":"ns-1","Namespace":{"Description":"d"}}`, namespace),
		on("UpdatePrivateDnsNamespace", `{"Id":"`+namespace+`","Namespace":{"Description":"d"}}`, namespace),
		on("UpdatePublicDnsNamespace", `{"Id":"ns-1","Namespace":{"Description":"d"}}`, namespace),
		on("DeleteNamespace", `{"Id":"ns-1"}`, namespace), on("GetNamespace", `{"Id":"ns-1"}`, namespace), on("ListNamespaces", `{}`),
		{
			Operation: "CreateService", Input: `{"Name":"web","NamespaceId":"ns-1"}`,
			Needs: []gateway.Need{need("CreateService", keys{"servicediscovery:NamespaceArn": {namespace}}, namespace)},
		},
		on("UpdateService", `{"Id":"srv-1","Service":{"Description":"d"}}`, service), on("DeleteService", `{"Id":"srv-1"}`, service),
		on("GetService", `{"Id":"srv-1"}`, service), on("ListServices", `{}`),
		on("GetServiceAttributes", `{"ServiceId":"srv-1"}`, service),
		on("UpdateServiceAttributes", `{"ServiceId":"srv-1","Attributes":{"a":"b"}}`, service),
		on("DeleteServiceAttributes", `{"ServiceId":"srv-1","Attributes":["a"]}`, service),
		of("RegisterInstance", `{"ServiceId":"srv-1","InstanceId":"i","Attributes":{"a":"b"}}`),
		of("DeregisterInstance", `{"ServiceId":"srv-1","InstanceId":"i"}`), of("GetInstance", `{"ServiceId":"`+service+`","InstanceId":"i"}`),
		of("ListInstances", `{"ServiceId":"srv-1"}`), of("GetInstancesHealthStatus", `{"ServiceId":"srv-1"}`),
		of("UpdateInstanceCustomHealthStatus", `{"ServiceId":"srv-1","InstanceId":"i","Status":"HEALTHY"}`),
		{Operation: "DiscoverInstances", Input: `{"NamespaceName":"shop","ServiceName":"web"}`, Needs: []gateway.Need{need("DiscoverInstances", names)}},
		{Operation: "DiscoverInstancesRevision", Input: `{"NamespaceName":"shop","ServiceName":"web"}`, Needs: []gateway.Need{need("DiscoverInstancesRevision", names)}},
		on("GetOperation", `{"OperationId":"o"}`), on("ListOperations", `{}`),
		{
			Operation: "TagResource", Input: `{"ResourceARN":"` + service + `","Tags":[{"Key":"team","Value":"a"}]}`,
			Needs: []gateway.Need{need("TagResource", team, service)},
		},
		{
			Operation: "UntagResource", Input: `{"ResourceARN":"` + service + `","TagKeys":["team"]}`,
			Needs: []gateway.Need{need("UntagResource", keys{"aws:TagKeys": {"team"}}, service)},
		},
		on("ListTagsForResource", `{"ResourceARN":"`+namespace+`"}`, namespace),
	})
}
