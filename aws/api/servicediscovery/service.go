package servicediscovery

import (
	"cmp"
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func (a *API) createService(ctx context.Context, call *gateway.Call, in *shape.CreateServiceRequest) (*shape.CreateServiceResponse, error) {
	made, err := draft(call, in)
	if err != nil {
		return nil, err
	}
	var out *shape.Service
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		before, err := repeated(tx, call, in.CreatorRequestId, in, made.ID)
		if err != nil {
			return err
		}
		if s, ok := store.Discoveries.Get(tx, store.ScopeKey(call.Scope, before)); ok {
			out = showService(tx, s)
			return nil
		}
		if err := create(tx, made, namespaceIn(in)); err != nil {
			return err
		}
		out = showService(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateServiceResponse{Service: out}, nil
}

// namespaceIn is the namespace that a request names, in the old place or the new.
func namespaceIn(in *shape.CreateServiceRequest) string {
	if in.NamespaceId == nil && in.DnsConfig != nil {
		return member.Value(in.DnsConfig.NamespaceId)
	}
	return member.Value(in.NamespaceId)
}

// draft is the service that a request asks for, not yet in its namespace.
func draft(call *gateway.Call, in *shape.CreateServiceRequest) (*discovery.Service, error) {
	tags, err := readTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	s := &discovery.Service{
		Scope: call.Scope, ID: "srv-" + text(lower, 16), Name: *in.Name, Kind: string(in.Type), Description: member.Value(in.Description),
		Token: member.Value(in.CreatorRequestId), Tags: tags, CreatedAt: call.Now,
	}
	s.ARN = discovery.ARN(s.Scope, discovery.KindService, s.ID)
	if in.DnsConfig != nil {
		s.DNS = &discovery.DNS{Routing: cmp.Or(string(in.DnsConfig.RoutingPolicy), discovery.Multivalue), Records: member.Each(in.DnsConfig.DnsRecords, readRecord)}
	}
	if in.HealthCheckCustomConfig != nil {
		s.CustomCheck = &discovery.CustomCheck{Threshold: int(member.Value(in.HealthCheckCustomConfig.FailureThreshold))}
	}
	s.Health, err = readCheck(in.HealthCheckConfig)
	return s, err
}

func readRecord(r *shape.DnsRecord) discovery.Record {
	return discovery.Record{Type: string(r.Type), TTL: *r.TTL}
}

// readCheck reads a health check; nil for none.
func readCheck(in *shape.HealthCheckConfig) (*discovery.HealthCheck, error) {
	if in == nil {
		return nil, nil
	}
	if in.Type == shape.HealthCheckTypeTcp && in.ResourcePath != nil {
		return nil, invalid("A health check of type TCP has no ResourcePath.")
	}
	h := &discovery.HealthCheck{Type: string(in.Type), Path: member.Value(in.ResourcePath), Threshold: int(member.Value(in.FailureThreshold))}
	if h.Path == "" && in.Type != shape.HealthCheckTypeTcp {
		h.Path = "/"
	}
	h.Threshold = cmp.Or(h.Threshold, 1)
	return h, nil
}

func create(tx *store.Tx, s *discovery.Service, namespace string) error {
	if namespace == "" {
		return invalid("NamespaceId is required.")
	}
	n, err := findNamespace(tx, s.Scope, namespace)
	if err != nil {
		return err
	}
	s.NamespaceID = n.ID
	if s.Kind == "" {
		s.Kind = discovery.ServiceDNSHTTP
		if n.Kind == discovery.HTTP {
			s.Kind = discovery.ServiceHTTP
		}
	}
	if err := s.Check(n); err != nil {
		return err
	}
	for _, have := range servicesOf(tx, n) {
		if n.Same(have.Name, s.Name) {
			return serviceExists(have)
		}
	}
	store.Discoveries.Put(tx, s)
	return nil
}

// updateService follows AWS in that a health check or records that a request leaves
// out are deleted.
// https://docs.aws.amazon.com/cloud-map/latest/api/API_UpdateService.html
func (a *API) updateService(ctx context.Context, call *gateway.Call, in *shape.UpdateServiceRequest) (*shape.UpdateServiceResponse, error) {
	id, err := a.operate(ctx, call, shape.OperationTypeUpdateService, nil, in, func(tx *store.Tx) (map[string]string, error) {
		have, err := findService(tx, call.Scope, *in.Id)
		if err != nil {
			return nil, err
		}
		n, err := findNamespace(tx, have.Scope, have.NamespaceID)
		if err != nil {
			return nil, err
		}
		s, err := changed(have, in.Service)
		if err == nil {
			err = s.Check(n)
		}
		if err != nil {
			return nil, err
		}
		store.Discoveries.Put(tx, s)
		return map[string]string{"SERVICE": s.ID}, nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.UpdateServiceResponse{OperationId: id}, nil
}

func changed(have *discovery.Service, in *shape.ServiceChange) (*discovery.Service, error) {
	s := *have
	if in.Description != nil {
		s.Description = *in.Description
	}
	var err error
	if s.Health, err = readCheck(in.HealthCheckConfig); err != nil {
		return nil, err
	}
	if in.DnsConfig == nil {
		if s.DNS = nil; have.DNS != nil {
			s.Kind = discovery.ServiceHTTP
		}
		return &s, nil
	}
	if have.DNS == nil {
		return nil, invalid("The service %s has no DNS records to change.", s.ID)
	}
	s.DNS = &discovery.DNS{Routing: have.DNS.Routing, Records: member.Each(in.DnsConfig.DnsRecords, readRecord)}
	for _, r := range s.DNS.Records {
		if !have.DNS.Has(r.Type) {
			return nil, invalid("The type of a DNS record can't be changed: the service has no %s record.", r.Type).WithHint("delete the service and create it anew")
		}
	}
	return &s, nil
}

func (a *API) deleteService(ctx context.Context, call *gateway.Call, in *shape.DeleteServiceRequest) (*shape.DeleteServiceResponse, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		s, err := findService(tx, call.Scope, *in.Id)
		if err != nil {
			return err
		}
		if len(instancesOf(tx, s)) > 0 {
			return fault.New(fault.MapResourceInUse, "Service contains registered instances; delete the instances before deleting the service.").
				WithHint("aws servicediscovery list-instances --service-id %s shows them", s.ID)
		}
		store.Discoveries.Delete(tx, store.ScopeKey(s.Scope, s.ID))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.DeleteServiceResponse{}, nil
}
