package servicediscovery

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/store"
)

func (a *API) updateHTTPNamespace(ctx context.Context, call *gateway.Call, in *shape.UpdateHttpNamespaceRequest) (*shape.UpdateHttpNamespaceResponse, error) {
	id, err := a.updateNamespace(ctx, call, *in.Id, in.UpdaterRequestId, in, discovery.HTTP, in.Namespace.Description, nil)
	if err != nil {
		return nil, err
	}
	return &shape.UpdateHttpNamespaceResponse{OperationId: id}, nil
}

func (a *API) updatePrivateNamespace(ctx context.Context, call *gateway.Call, in *shape.UpdatePrivateDnsNamespaceRequest) (*shape.UpdatePrivateDnsNamespaceResponse, error) {
	var ttl *int64
	if p := in.Namespace.Properties; p != nil {
		ttl = p.DnsProperties.SOA.TTL
	}
	id, err := a.updateNamespace(ctx, call, *in.Id, in.UpdaterRequestId, in, discovery.DNSPrivate, in.Namespace.Description, ttl)
	if err != nil {
		return nil, err
	}
	return &shape.UpdatePrivateDnsNamespaceResponse{OperationId: id}, nil
}

func (a *API) updatePublicNamespace(ctx context.Context, call *gateway.Call, in *shape.UpdatePublicDnsNamespaceRequest) (*shape.UpdatePublicDnsNamespaceResponse, error) {
	var ttl *int64
	if p := in.Namespace.Properties; p != nil {
		ttl = p.DnsProperties.SOA.TTL
	}
	id, err := a.updateNamespace(ctx, call, *in.Id, in.UpdaterRequestId, in, discovery.DNSPublic, in.Namespace.Description, ttl)
	if err != nil {
		return nil, err
	}
	return &shape.UpdatePublicDnsNamespaceResponse{OperationId: id}, nil
}

// updateNamespace changes what is said; nil leaves it.
func (a *API) updateNamespace(ctx context.Context, call *gateway.Call, ref string, token *string, in any, kind string, description *string, ttl *int64) (*string, error) {
	return a.operate(ctx, call, shape.OperationTypeUpdateNamespace, token, in, func(tx *store.Tx) (map[string]string, error) {
		have, err := findNamespace(tx, call.Scope, ref)
		if err != nil {
			return nil, err
		}
		if have.Kind != kind {
			return nil, invalid("The namespace %s is of type %s.", have.ID, have.Kind)
		}
		n := *have
		if description != nil {
			n.Description = *description
		}
		if ttl != nil {
			n.TTL = *ttl
		}
		store.Namespaces.Put(tx, &n)
		return map[string]string{"NAMESPACE": n.ID}, nil
	})
}
