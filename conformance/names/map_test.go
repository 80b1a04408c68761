package names_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	api "github.com/berthhq/berth/aws/api/servicediscovery"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

var background = context.Background()

// house is Cloud Map on a real socket, and a client of it.
type house struct {
	*gatewaytest.Server
	t *testing.T
	c *servicediscovery.Client
}

func open(t *testing.T) *house {
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		a := api.New(st)
		return []gateway.Offer{{Service: shape.API, Handlers: a.Operations(), Needs: a.Needs()}}
	}, nil)
	s.Furnish(t)
	config := s.Config(s.Root)
	config.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: resolved}}
	return &house{s, t, servicediscovery.NewFromConfig(config)}
}

// resolved answers the names that clients make of an endpoint by prefixing "data-",
// as berth's resolver does for tasks.
func resolved(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(address, "data-"))
}

func done[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func refused[E error](t *testing.T, err error) (as E) {
	t.Helper()
	if !errors.As(err, &as) {
		t.Errorf("got %v, want a %T", err, as)
	}
	return as
}

// over is the operation's target, which must have succeeded.
func (h *house) over(id *string, target string) string {
	h.t.Helper()
	o := done[*servicediscovery.GetOperationOutput](h.t)(h.c.GetOperation(background, &servicediscovery.GetOperationInput{OperationId: id})).Operation
	equal(h.t, "operation "+*id, o.Status, types.OperationStatusSuccess)
	return o.Targets[target]
}

func (h *house) vpc() *string {
	return new(network.NewDefault(gatewaytest.Scope, network.DefaultCIDR, "").VPC.ID)
}

func (h *house) private(name string) *string {
	h.t.Helper()
	out := done[*servicediscovery.CreatePrivateDnsNamespaceOutput](h.t)(h.c.CreatePrivateDnsNamespace(background, &servicediscovery.CreatePrivateDnsNamespaceInput{Name: &name, Vpc: h.vpc()}))
	return new(h.over(out.OperationId, "NAMESPACE"))
}

func (h *house) web(namespace *string) *types.Service {
	h.t.Helper()
	return done[*servicediscovery.CreateServiceOutput](h.t)(h.c.CreateService(background, &servicediscovery.CreateServiceInput{
		Name: new("web"), NamespaceId: namespace, Description: new("d"), HealthCheckCustomConfig: &types.HealthCheckCustomConfig{FailureThreshold: new(int32(1))},
		DnsConfig: &types.DnsConfig{DnsRecords: []types.DnsRecord{{Type: types.RecordTypeA, TTL: new(int64(10))}, {Type: types.RecordTypeSrv, TTL: new(int64(20))}}},
	})).Service
}

// TestNamespacesReadBack: what Terraform's aws_service_discovery_http_namespace,
// _private_dns_namespace and _public_dns_namespace write, read, update and delete.
func TestNamespacesReadBack(t *testing.T) {
	h := open(t)
	token := new("once")
	http := &servicediscovery.CreateHttpNamespaceInput{Name: new("shop"), CreatorRequestId: token, Description: new("first"), Tags: []types.Tag{{Key: new("a"), Value: new("b")}}}
	first := done[*servicediscovery.CreateHttpNamespaceOutput](t)(h.c.CreateHttpNamespace(background, http))
	again := done[*servicediscovery.CreateHttpNamespaceOutput](t)(h.c.CreateHttpNamespace(background, http))
	equal(t, "operation of the same request", *again.OperationId, *first.OperationId)
	id := h.over(first.OperationId, "NAMESPACE")
	_, err := h.c.CreateHttpNamespace(background, &servicediscovery.CreateHttpNamespaceInput{Name: new("shop")})
	exists := refused[*types.NamespaceAlreadyExists](t, err)
	equal(t, "the one there", *exists.NamespaceId, id)
	equal(t, "its token", *exists.CreatorRequestId, "once")
	_, err = h.c.CreateHttpNamespace(background, &servicediscovery.CreateHttpNamespaceInput{Name: new("other"), CreatorRequestId: token})
	equal(t, "first operation", *refused[*types.DuplicateRequest](t, err).DuplicateOperationId, *first.OperationId)

	get := func(id string) *types.Namespace {
		t.Helper()
		return done[*servicediscovery.GetNamespaceOutput](t)(h.c.GetNamespace(background, &servicediscovery.GetNamespaceInput{Id: &id})).Namespace
	}
	n := get(id)
	equal(t, "name", *n.Name, "shop")
	equal(t, "description", *n.Description, "first")
	equal(t, "arn", *n.Arn, "arn:aws:servicediscovery:eu-central-1:123456789012:namespace/"+id)
	equal(t, "HTTP name", *n.Properties.HttpProperties.HttpName, "shop")
	equal(t, "DNS properties", n.Properties.DnsProperties, nil)
	tags := done[*servicediscovery.ListTagsForResourceOutput](t)(h.c.ListTagsForResource(background, &servicediscovery.ListTagsForResourceInput{ResourceARN: n.Arn})).Tags
	equal(t, "tags", len(tags), 1)

	private := *h.private("shop.local")
	done[*servicediscovery.UpdatePrivateDnsNamespaceOutput](t)(h.c.UpdatePrivateDnsNamespace(background, &servicediscovery.UpdatePrivateDnsNamespaceInput{
		Id: &private, Namespace: &types.PrivateDnsNamespaceChange{Description: new("new"), Properties: &types.PrivateDnsNamespacePropertiesChange{
			DnsProperties: &types.PrivateDnsPropertiesMutableChange{SOA: &types.SOAChange{TTL: new(int64(30))}}}},
	}))
	n = get(private)
	equal(t, "type", n.Type, types.NamespaceTypeDnsPrivate)
	equal(t, "SOA", *n.Properties.DnsProperties.SOA.TTL, 30)
	equal(t, "zone", strings.HasPrefix(*n.Properties.DnsProperties.HostedZoneId, "Z"), true)
	equal(t, "description", *n.Description, "new")

	twin := done[*servicediscovery.CreatePrivateDnsNamespaceOutput](t)(h.c.CreatePrivateDnsNamespace(background, &servicediscovery.CreatePrivateDnsNamespaceInput{Name: new("shop.local"), Vpc: h.vpc()}))
	o := done[*servicediscovery.GetOperationOutput](t)(h.c.GetOperation(background, &servicediscovery.GetOperationInput{OperationId: twin.OperationId})).Operation
	equal(t, "twin", o.Status, types.OperationStatusFail)
	equal(t, "why", strings.HasPrefix(*o.ErrorMessage, "ConflictingDomainExists"), true)

	list := done[*servicediscovery.ListNamespacesOutput](t)(h.c.ListNamespaces(background, &servicediscovery.ListNamespacesInput{
		Filters: []types.NamespaceFilter{{Name: types.NamespaceFilterNameType, Values: []string{"DNS_PRIVATE"}, Condition: types.FilterConditionEq}},
	})).Namespaces
	equal(t, "private namespaces", len(list), 1)
	h.web(&private)
	_, err = h.c.DeleteNamespace(background, &servicediscovery.DeleteNamespaceInput{Id: &private})
	refused[*types.ResourceInUse](t, err)
	done[*servicediscovery.DeleteNamespaceOutput](t)(h.c.DeleteNamespace(background, &servicediscovery.DeleteNamespaceInput{Id: &id}))
	_, err = h.c.GetNamespace(background, &servicediscovery.GetNamespaceInput{Id: &id})
	refused[*types.NamespaceNotFound](t, err)
	_, err = h.c.GetNamespace(background, &servicediscovery.GetNamespaceInput{Id: new(strings.Repeat("x", 256))})
	refused[*types.InvalidInput](t, err)
}

// TestServicesReadBack: aws_service_discovery_service.
func TestServicesReadBack(t *testing.T) {
	h := open(t)
	namespace := h.private("shop.local")
	s := h.web(namespace)
	_, err := h.c.CreateService(background, &servicediscovery.CreateServiceInput{Name: new("WEB"), NamespaceId: namespace, Type: types.ServiceTypeOptionHttp})
	equal(t, "the one there", *refused[*types.ServiceAlreadyExists](t, err).ServiceId, *s.Id)
	done[*servicediscovery.UpdateServiceOutput](t)(h.c.UpdateService(background, &servicediscovery.UpdateServiceInput{Id: s.Id, Service: &types.ServiceChange{
		Description: new("e"), DnsConfig: &types.DnsConfigChange{DnsRecords: []types.DnsRecord{{Type: types.RecordTypeA, TTL: new(int64(5))}}},
	}}))
	s = done[*servicediscovery.GetServiceOutput](t)(h.c.GetService(background, &servicediscovery.GetServiceInput{Id: s.Id})).Service
	equal(t, "description", *s.Description, "e")
	equal(t, "routing", s.DnsConfig.RoutingPolicy, types.RoutingPolicyMultivalue)
	equal(t, "records", len(s.DnsConfig.DnsRecords), 1)
	equal(t, "TTL", *s.DnsConfig.DnsRecords[0].TTL, 5)
	equal(t, "threshold", *s.HealthCheckCustomConfig.FailureThreshold, 1)
	equal(t, "health check", s.HealthCheckConfig, nil)
	_, err = h.c.UpdateService(background, &servicediscovery.UpdateServiceInput{Id: s.Id, Service: &types.ServiceChange{
		DnsConfig: &types.DnsConfigChange{DnsRecords: []types.DnsRecord{{Type: types.RecordTypeAaaa, TTL: new(int64(5))}}},
	}})
	refused[*types.InvalidInput](t, err)
	for _, bad := range []servicediscovery.CreateServiceInput{
		{NamespaceId: namespace},
		{NamespaceId: namespace, DnsConfig: &types.DnsConfig{DnsRecords: []types.DnsRecord{{Type: types.RecordTypeCname, TTL: new(int64(5))}}}},
		{NamespaceId: namespace, HealthCheckConfig: &types.HealthCheckConfig{Type: types.HealthCheckTypeTcp}, Type: types.ServiceTypeOptionHttp},
	} {
		bad.Name = new("bad")
		_, err := h.c.CreateService(background, &bad)
		refused[*types.InvalidInput](t, err)
	}

	done[*servicediscovery.UpdateServiceAttributesOutput](t)(h.c.UpdateServiceAttributes(background, &servicediscovery.UpdateServiceAttributesInput{ServiceId: s.Id, Attributes: map[string]string{"port": "80", "stage": "test"}}))
	done[*servicediscovery.DeleteServiceAttributesOutput](t)(h.c.DeleteServiceAttributes(background, &servicediscovery.DeleteServiceAttributesInput{ServiceId: s.Id, Attributes: []string{"stage"}}))
	attributes := done[*servicediscovery.GetServiceAttributesOutput](t)(h.c.GetServiceAttributes(background, &servicediscovery.GetServiceAttributesInput{ServiceId: s.Id})).ServiceAttributes
	equal(t, "attributes", len(attributes.Attributes), 1)

	done[*servicediscovery.DeleteServiceOutput](t)(h.c.DeleteService(background, &servicediscovery.DeleteServiceInput{Id: s.Id}))
	_, err = h.c.GetService(background, &servicediscovery.GetServiceInput{Id: s.Id})
	refused[*types.ServiceNotFound](t, err)
	services := done[*servicediscovery.ListServicesOutput](t)(h.c.ListServices(background, &servicediscovery.ListServicesInput{
		Filters: []types.ServiceFilter{{Name: types.ServiceFilterNameNamespaceId, Values: []string{*namespace}}},
	})).Services
	equal(t, "services left", len(services), 0)
}

// TestInstancesAreDiscovered: aws_service_discovery_instance, and what programs ask.
func TestInstancesAreDiscovered(t *testing.T) {
	h := open(t)
	s := h.web(h.private("shop.local"))
	register := func(id string, attributes map[string]string) error {
		_, err := h.c.RegisterInstance(background, &servicediscovery.RegisterInstanceInput{ServiceId: s.Id, InstanceId: &id, Attributes: attributes})
		return err
	}
	refused[*types.InvalidInput](t, register("bad", map[string]string{"AWS_INSTANCE_PORT": "80"}))
	refused[*types.InvalidInput](t, register("bad", map[string]string{"AWS_INSTANCE_PORT": "80", "AWS_INSTANCE_IPV4": "one"}))
	for id, stage := range map[string]string{"one": "a", "two": "b", "three": "b"} {
		if err := register(id, map[string]string{"AWS_INSTANCE_PORT": "80", "AWS_INSTANCE_IPV4": "10.0.0.1", "stage": stage}); err != nil {
			t.Fatal(err)
		}
	}
	revision := func() int64 {
		t.Helper()
		out := done[*servicediscovery.DiscoverInstancesRevisionOutput](t)(h.c.DiscoverInstancesRevision(background, &servicediscovery.DiscoverInstancesRevisionInput{NamespaceName: new("shop.local"), ServiceName: new("web")}))
		return *out.InstancesRevision
	}
	before := revision()
	find := func(in servicediscovery.DiscoverInstancesInput) []types.HttpInstanceSummary {
		t.Helper()
		in.NamespaceName, in.ServiceName = new("shop.local"), new("web")
		return done[*servicediscovery.DiscoverInstancesOutput](t)(h.c.DiscoverInstances(background, &in)).Instances
	}
	equal(t, "all", len(find(servicediscovery.DiscoverInstancesInput{})), 3)
	equal(t, "stage b", len(find(servicediscovery.DiscoverInstancesInput{QueryParameters: map[string]string{"stage": "b"}})), 2)
	equal(t, "stage a preferred", len(find(servicediscovery.DiscoverInstancesInput{OptionalParameters: map[string]string{"stage": "a"}})), 1)
	equal(t, "stage c preferred", len(find(servicediscovery.DiscoverInstancesInput{OptionalParameters: map[string]string{"stage": "c"}})), 3)
	equal(t, "at most one", len(find(servicediscovery.DiscoverInstancesInput{MaxResults: new(int32(1))})), 1)

	health := func(id string, status types.CustomHealthStatus) {
		t.Helper()
		done[*servicediscovery.UpdateInstanceCustomHealthStatusOutput](t)(h.c.UpdateInstanceCustomHealthStatus(background, &servicediscovery.UpdateInstanceCustomHealthStatusInput{ServiceId: s.Id, InstanceId: &id, Status: status}))
	}
	health("one", types.CustomHealthStatusUnhealthy)
	equal(t, "revision after a change of health", revision(), before)
	equal(t, "healthy", len(find(servicediscovery.DiscoverInstancesInput{HealthStatus: types.HealthStatusFilterHealthy})), 2)
	equal(t, "unhealthy", *find(servicediscovery.DiscoverInstancesInput{HealthStatus: types.HealthStatusFilterUnhealthy})[0].InstanceId, "one")
	health("two", types.CustomHealthStatusUnhealthy)
	health("three", types.CustomHealthStatusUnhealthy)
	equal(t, "all ill", len(find(servicediscovery.DiscoverInstancesInput{HealthStatus: types.HealthStatusFilterHealthyOrElseAll})), 3)
	status := done[*servicediscovery.GetInstancesHealthStatusOutput](t)(h.c.GetInstancesHealthStatus(background, &servicediscovery.GetInstancesHealthStatusInput{ServiceId: s.Id})).Status
	equal(t, "status", status["two"], types.HealthStatusUnhealthy)

	pages := servicediscovery.NewListInstancesPaginator(h.c, &servicediscovery.ListInstancesInput{ServiceId: s.Id, MaxResults: new(int32(2))})
	listed := 0
	for pages.HasMorePages() {
		listed += len(done[*servicediscovery.ListInstancesOutput](t)(pages.NextPage(background)).Instances)
	}
	equal(t, "listed", listed, 3)
	_, err := h.c.DeleteService(background, &servicediscovery.DeleteServiceInput{Id: s.Id})
	refused[*types.ResourceInUse](t, err)
	gone := done[*servicediscovery.DeregisterInstanceOutput](t)(h.c.DeregisterInstance(background, &servicediscovery.DeregisterInstanceInput{ServiceId: s.Id, InstanceId: new("one")}))
	equal(t, "target", h.over(gone.OperationId, "INSTANCE"), "one")
	if revision() <= before {
		t.Error("the revision did not rise")
	}
	_, err = h.c.GetInstance(background, &servicediscovery.GetInstanceInput{ServiceId: s.Id, InstanceId: new("one")})
	refused[*types.InstanceNotFound](t, err)
	operations := done[*servicediscovery.ListOperationsOutput](t)(h.c.ListOperations(background, &servicediscovery.ListOperationsInput{
		Filters: []types.OperationFilter{{Name: types.OperationFilterNameType, Values: []string{"REGISTER_INSTANCE"}}, {Name: types.OperationFilterNameServiceId, Values: []string{*s.Id}}},
	})).Operations
	equal(t, "registrations", len(operations), 3)
}
