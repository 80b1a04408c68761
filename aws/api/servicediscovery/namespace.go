package servicediscovery

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// defaultSOA is the time to live of a namespace's SOA record in seconds.
const defaultSOA = 15

func (a *API) createHTTPNamespace(ctx context.Context, call *gateway.Call, in *shape.CreateHttpNamespaceRequest) (*shape.CreateHttpNamespaceResponse, error) {
	n := &discovery.Namespace{Name: *in.Name, Kind: discovery.HTTP, Description: member.Value(in.Description), Token: member.Value(in.CreatorRequestId)}
	id, err := a.createNamespace(ctx, call, n, in.Tags, in)
	if err != nil {
		return nil, err
	}
	return &shape.CreateHttpNamespaceResponse{OperationId: id}, nil
}

func (a *API) createPrivateNamespace(ctx context.Context, call *gateway.Call, in *shape.CreatePrivateDnsNamespaceRequest) (*shape.CreatePrivateDnsNamespaceResponse, error) {
	n := &discovery.Namespace{
		Name: *in.Name, Kind: discovery.DNSPrivate, VPCID: *in.Vpc, TTL: defaultSOA,
		Description: member.Value(in.Description), Token: member.Value(in.CreatorRequestId),
	}
	if in.Properties != nil {
		n.TTL = *in.Properties.DnsProperties.SOA.TTL
	}
	id, err := a.createNamespace(ctx, call, n, in.Tags, in)
	if err != nil {
		return nil, err
	}
	return &shape.CreatePrivateDnsNamespaceResponse{OperationId: id}, nil
}

func (a *API) createPublicNamespace(ctx context.Context, call *gateway.Call, in *shape.CreatePublicDnsNamespaceRequest) (*shape.CreatePublicDnsNamespaceResponse, error) {
	n := &discovery.Namespace{
		Name: *in.Name, Kind: discovery.DNSPublic, TTL: defaultSOA,
		Description: member.Value(in.Description), Token: member.Value(in.CreatorRequestId),
	}
	if in.Properties != nil {
		n.TTL = *in.Properties.DnsProperties.SOA.TTL
	}
	id, err := a.createNamespace(ctx, call, n, in.Tags, in)
	if err != nil {
		return nil, err
	}
	return &shape.CreatePublicDnsNamespaceResponse{OperationId: id}, nil
}

// createNamespace gives a namespace its ids and puts it into the store.
func (a *API) createNamespace(ctx context.Context, call *gateway.Call, n *discovery.Namespace, tags []shape.Tag, in any) (id *string, err error) {
	if n.Kind != discovery.HTTP && !discovery.IsDomain(n.Name) {
		return nil, invalid("%s is not a domain name.", n.Name)
	}
	if n.Tags, err = readTags(nil, tags); err != nil {
		return nil, err
	}
	n.Scope, n.ID, n.CreatedAt = call.Scope, "ns-"+text(lower, 16), call.Now
	n.ARN = discovery.ARN(n.Scope, discovery.KindNamespace, n.ID)
	if n.Kind != discovery.HTTP {
		n.HostedZoneID = "Z" + text(upper, 20)
	}
	return a.operate(ctx, call, shape.OperationTypeCreateNamespace, &n.Token, in, func(tx *store.Tx) (map[string]string, error) {
		if err := roomFor(tx, n); err != nil {
			return nil, err
		}
		store.Namespaces.Put(tx, n)
		return map[string]string{"NAMESPACE": n.ID}, nil
	})
}

// roomFor tells why there can't be such a namespace. Private ones may share a name
// where no VPC sees both.
func roomFor(r store.Reader, n *discovery.Namespace) error {
	for have := range store.Namespaces.By(r, store.NamespacesByName, store.ScopeKey(n.Scope, n.Name)) {
		if have.Kind == n.Kind && n.Kind != discovery.DNSPrivate {
			return namespaceExists(have)
		}
		if have.Kind == n.Kind && have.VPCID == n.VPCID {
			return cannotCreateZone("ConflictingDomainExists: The VPC %s is already associated with a hosted zone that conflicts with the domain %s.", n.VPCID, n.Name)
		}
	}
	if n.Kind != discovery.DNSPrivate {
		return nil
	}
	if _, ok := store.VPCs.Get(r, network.Key(n.Scope, n.VPCID)); !ok {
		return cannotCreateZone("InvalidVPCId: The VPC %s in region %s does not exist.", n.VPCID, n.Scope.Region)
	}
	return nil
}

func cannotCreateZone(format string, args ...any) *failure {
	return &failure{"CANNOT_CREATE_HOSTED_ZONE", fault.New(fault.InvalidMapInput, format, args...).Message}
}

func (a *API) deleteNamespace(ctx context.Context, call *gateway.Call, in *shape.DeleteNamespaceRequest) (*shape.DeleteNamespaceResponse, error) {
	id, err := a.operate(ctx, call, shape.OperationTypeDeleteNamespace, nil, in, func(tx *store.Tx) (map[string]string, error) {
		n, err := findNamespace(tx, call.Scope, *in.Id)
		if err != nil {
			return nil, err
		}
		if len(servicesOf(tx, n)) > 0 {
			return nil, fault.New(fault.MapResourceInUse, "The namespace %s has services.", n.ID).
				WithHint("delete them first: aws servicediscovery list-services --filters Name=NAMESPACE_ID,Values=%s", n.ID)
		}
		store.Namespaces.Delete(tx, store.ScopeKey(n.Scope, n.ID))
		return map[string]string{"NAMESPACE": n.ID}, nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.DeleteNamespaceResponse{OperationId: id}, nil
}
