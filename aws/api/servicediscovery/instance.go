package servicediscovery

import (
	"context"
	"maps"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/store"
)

func (a *API) registerInstance(ctx context.Context, call *gateway.Call, in *shape.RegisterInstanceRequest) (*shape.RegisterInstanceResponse, error) {
	id, err := a.operate(ctx, call, shape.OperationTypeRegisterInstance, in.CreatorRequestId, in, func(tx *store.Tx) (map[string]string, error) {
		s, err := findService(tx, call.Scope, *in.ServiceId)
		if err != nil {
			return nil, err
		}
		if err := s.CheckAttributes(in.Attributes); err != nil {
			return nil, err
		}
		i := &discovery.Instance{
			Scope: s.Scope, ServiceID: s.ID, ID: *in.InstanceId, Attributes: maps.Clone(in.Attributes), Token: member.Value(in.CreatorRequestId),
			Unhealthy: in.Attributes[discovery.InitialHealth] == discovery.Unhealthy, CreatedAt: call.Now,
		}
		if have, err := findInstance(tx, s, i.ID); err == nil {
			i.TaskARN, i.CreatedAt = have.TaskARN, have.CreatedAt
		}
		if err := resolveEC2(tx, i); err != nil {
			return nil, err
		}
		store.PutDiscovered(tx, i)
		return map[string]string{"SERVICE": s.ID, "INSTANCE": i.ID}, nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.RegisterInstanceResponse{OperationId: id}, nil
}

// resolveEC2 adds the address of an EC2 instance that is named.
func resolveEC2(r store.Reader, i *discovery.Instance) error {
	id := i.Attributes[discovery.EC2InstanceID]
	if id == "" {
		return nil
	}
	address, ok := privateAddress(r, i.Scope, id)
	if !ok {
		return invalid("The instance %s does not exist.", id)
	}
	i.Attributes[discovery.InstanceIPv4] = address
	return nil
}

func privateAddress(r store.Reader, scope arn.Scope, id string) (string, bool) {
	for i := range store.Instances.By(r, store.InstancesByEC2ID, id) {
		if i.Scope == scope && i.Status != cluster.InstanceInactive {
			a, ok := i.Attribute("berth.private-ip")
			return a, ok
		}
	}
	return "", false
}

func (a *API) deregisterInstance(ctx context.Context, call *gateway.Call, in *shape.DeregisterInstanceRequest) (*shape.DeregisterInstanceResponse, error) {
	id, err := a.operate(ctx, call, shape.OperationTypeDeregisterInstance, nil, in, func(tx *store.Tx) (map[string]string, error) {
		s, err := findService(tx, call.Scope, *in.ServiceId)
		if err != nil {
			return nil, err
		}
		if !store.DeleteDiscovered(tx, s.Scope, s.ID, *in.InstanceId) {
			return nil, instanceNotFound(*in.InstanceId)
		}
		return map[string]string{"SERVICE": s.ID, "INSTANCE": *in.InstanceId}, nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.DeregisterInstanceResponse{OperationId: id}, nil
}

func (a *API) getInstance(_ context.Context, call *gateway.Call, in *shape.GetInstanceRequest) (*shape.GetInstanceResponse, error) {
	v := a.store.View()
	s, err := findService(v, call.Scope, *in.ServiceId)
	if err != nil {
		return nil, err
	}
	i, err := findInstance(v, s, *in.InstanceId)
	if err != nil {
		return nil, err
	}
	return &shape.GetInstanceResponse{ResourceOwner: &s.Scope.Account, Instance: &shape.Instance{
		Id: &i.ID, CreatorRequestId: member.Present(i.Token), Attributes: i.Attributes, CreatedByAccount: &i.Scope.Account,
	}}, nil
}

func (a *API) listInstances(_ context.Context, call *gateway.Call, in *shape.ListInstancesRequest) (*shape.ListInstancesResponse, error) {
	v := a.store.View()
	s, err := findService(v, call.Scope, *in.ServiceId)
	if err != nil {
		return nil, err
	}
	list, next, ok := page.Cut(instancesOf(v, s), in.NextToken, in.MaxResults, maxPage, func(i *discovery.Instance) string { return i.ID }, false)
	if !ok {
		return nil, badToken()
	}
	return &shape.ListInstancesResponse{ResourceOwner: &s.Scope.Account, NextToken: next, Instances: member.Each(list, func(p **discovery.Instance) shape.InstanceSummary {
		i := *p
		return shape.InstanceSummary{Id: &i.ID, Attributes: i.Attributes, CreatedByAccount: &i.Scope.Account}
	})}, nil
}
