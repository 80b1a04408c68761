package servicediscovery

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// mostDiscovered is how many instances are answered when the caller did not say.
const mostDiscovered = 100

func (a *API) discoverInstances(_ context.Context, call *gateway.Call, in *shape.DiscoverInstancesRequest) (*shape.DiscoverInstancesResponse, error) {
	if in.OwnerAccount != nil && *in.OwnerAccount != call.Scope.Account {
		return nil, namespaceNotFound(*in.NamespaceName)
	}
	v := a.store.View()
	n, s, err := named(v, call.Scope, *in.NamespaceName, *in.ServiceName)
	if err != nil {
		return nil, err
	}
	q := discovery.Query{Health: string(in.HealthStatus), Required: in.QueryParameters, Optional: in.OptionalParameters, Most: mostDiscovered}
	if in.MaxResults != nil {
		q.Most = int(*in.MaxResults)
	}
	found := q.Find(s, instancesOf(v, s))
	return &shape.DiscoverInstancesResponse{InstancesRevision: &s.Revision, Instances: member.Each(found, func(p **discovery.Instance) shape.HttpInstanceSummary {
		i := *p
		return shape.HttpInstanceSummary{
			InstanceId: &i.ID, NamespaceName: &n.Name, ServiceName: &s.Name, HealthStatus: shape.HealthStatus(s.Status(i)), Attributes: i.Attributes,
		}
	})}, nil
}

func (a *API) discoverInstancesRevision(_ context.Context, call *gateway.Call, in *shape.DiscoverInstancesRevisionRequest) (*shape.DiscoverInstancesRevisionResponse, error) {
	if in.OwnerAccount != nil && *in.OwnerAccount != call.Scope.Account {
		return nil, namespaceNotFound(*in.NamespaceName)
	}
	_, s, err := named(a.store.View(), call.Scope, *in.NamespaceName, *in.ServiceName)
	if err != nil {
		return nil, err
	}
	return &shape.DiscoverInstancesRevisionResponse{InstancesRevision: &s.Revision}, nil
}

func (a *API) updateHealth(ctx context.Context, call *gateway.Call, in *shape.UpdateInstanceCustomHealthStatusRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		s, err := findService(tx, call.Scope, *in.ServiceId)
		if err != nil {
			return err
		}
		have, err := findInstance(tx, s, *in.InstanceId)
		if err != nil {
			return err
		}
		if s.CustomCheck == nil {
			return fault.New(fault.CustomHealthNotFound, "The service %s has no custom health check.", s.ID).
				WithHint("create the service with HealthCheckCustomConfig")
		}
		i := *have
		i.Unhealthy = in.Status == shape.CustomHealthStatusUnhealthy
		store.DiscoveryInstances.Put(tx, &i) // the revision tells of instances, not of their health
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, nil
}

func (a *API) getHealth(_ context.Context, call *gateway.Call, in *shape.GetInstancesHealthStatusRequest) (*shape.GetInstancesHealthStatusResponse, error) {
	v := a.store.View()
	s, err := findService(v, call.Scope, *in.ServiceId)
	if err != nil {
		return nil, err
	}
	all := instancesOf(v, s)
	if in.Instances != nil {
		all = nil
		for _, id := range in.Instances {
			i, err := findInstance(v, s, id)
			if err != nil {
				return nil, err
			}
			all = append(all, i)
		}
	}
	list, next, ok := page.Cut(all, in.NextToken, in.MaxResults, maxPage, func(i *discovery.Instance) string { return i.ID }, false)
	if !ok {
		return nil, badToken()
	}
	out := &shape.GetInstancesHealthStatusResponse{NextToken: next, Status: map[string]shape.HealthStatus{}}
	for _, i := range list {
		out.Status[i.ID] = shape.HealthStatus(s.Status(i))
	}
	return out, nil
}
