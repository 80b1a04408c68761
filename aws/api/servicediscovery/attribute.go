package servicediscovery

import (
	"context"
	"maps"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func (a *API) getServiceAttributes(_ context.Context, call *gateway.Call, in *shape.GetServiceAttributesRequest) (*shape.GetServiceAttributesResponse, error) {
	s, err := findService(a.store.View(), call.Scope, *in.ServiceId)
	if err != nil {
		return nil, err
	}
	return &shape.GetServiceAttributesResponse{ServiceAttributes: &shape.ServiceAttributes{
		ServiceArn: &s.ARN, ResourceOwner: &s.Scope.Account, Attributes: s.Attributes,
	}}, nil
}

func (a *API) updateServiceAttributes(ctx context.Context, call *gateway.Call, in *shape.UpdateServiceAttributesRequest) (*shape.UpdateServiceAttributesResponse, error) {
	err := a.changeAttributes(ctx, call, *in.ServiceId, func(attributes map[string]string) { maps.Copy(attributes, in.Attributes) })
	if err != nil {
		return nil, err
	}
	return &shape.UpdateServiceAttributesResponse{}, nil
}

func (a *API) deleteServiceAttributes(ctx context.Context, call *gateway.Call, in *shape.DeleteServiceAttributesRequest) (*shape.DeleteServiceAttributesResponse, error) {
	err := a.changeAttributes(ctx, call, *in.ServiceId, func(attributes map[string]string) {
		for _, key := range in.Attributes {
			delete(attributes, key)
		}
	})
	if err != nil {
		return nil, err
	}
	return &shape.DeleteServiceAttributesResponse{}, nil
}

func (a *API) changeAttributes(ctx context.Context, call *gateway.Call, service string, change func(map[string]string)) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findService(tx, call.Scope, service)
		if err != nil {
			return err
		}
		s := *have
		s.Attributes = map[string]string{}
		maps.Copy(s.Attributes, have.Attributes)
		change(s.Attributes)
		if len(s.Attributes) > discovery.MaxServiceAttributes {
			return fault.New(fault.MapAttributesLimit, "The attribute can't be added to the service because you've exceeded the quota of %d attributes that you can add to a service.", discovery.MaxServiceAttributes)
		}
		store.Discoveries.Put(tx, &s)
		return nil
	})
	return err
}
