package servicediscovery

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/store"
)

func showService(r store.Reader, s *discovery.Service) *shape.Service {
	return &shape.Service{
		Id: &s.ID, Arn: &s.ARN, ResourceOwner: &s.Scope.Account, CreatedByAccount: &s.Scope.Account, Name: &s.Name, NamespaceId: &s.NamespaceID,
		Description: member.Present(s.Description), InstanceCount: new(int32(len(instancesOf(r, s)))), Type: shape.ServiceType(s.Kind),
		DnsConfig: showDNS(s), HealthCheckConfig: showCheck(s.Health), HealthCheckCustomConfig: showCustom(s.CustomCheck),
		CreateDate: &s.CreatedAt, CreatorRequestId: member.Present(s.Token),
	}
}

func showDNS(s *discovery.Service) *shape.DnsConfig {
	if s.DNS == nil {
		return nil
	}
	return &shape.DnsConfig{
		NamespaceId: &s.NamespaceID, RoutingPolicy: shape.RoutingPolicy(s.DNS.Routing),
		DnsRecords: member.Each(s.DNS.Records, func(r *discovery.Record) shape.DnsRecord {
			return shape.DnsRecord{Type: shape.RecordType(r.Type), TTL: &r.TTL}
		}),
	}
}

func showCheck(h *discovery.HealthCheck) *shape.HealthCheckConfig {
	if h == nil {
		return nil
	}
	return &shape.HealthCheckConfig{Type: shape.HealthCheckType(h.Type), ResourcePath: member.Present(h.Path), FailureThreshold: new(int32(h.Threshold))}
}

func showCustom(c *discovery.CustomCheck) *shape.HealthCheckCustomConfig {
	if c == nil {
		return nil
	}
	return &shape.HealthCheckCustomConfig{FailureThreshold: member.Present(int32(c.Threshold))}
}

func (a *API) getService(_ context.Context, call *gateway.Call, in *shape.GetServiceRequest) (*shape.GetServiceResponse, error) {
	v := a.store.View()
	s, err := findService(v, call.Scope, *in.Id)
	if err != nil {
		return nil, err
	}
	return &shape.GetServiceResponse{Service: showService(v, s)}, nil
}

func (a *API) listServices(_ context.Context, call *gateway.Call, in *shape.ListServicesRequest) (*shape.ListServicesResponse, error) {
	v := a.store.View()
	var all []*discovery.Service
	for s := range store.Discoveries.Prefix(v, store.ScopeKey(call.Scope, "")) {
		pass, err := passesAll(in.Filters, func(f *shape.ServiceFilter) (bool, error) { return servicePasses(f, s) })
		if err != nil {
			return nil, err
		}
		if pass {
			all = append(all, s)
		}
	}
	list, next, ok := page.Cut(all, in.NextToken, in.MaxResults, maxPage, func(s *discovery.Service) string { return s.ID }, false)
	if !ok {
		return nil, badToken()
	}
	return &shape.ListServicesResponse{NextToken: next, Services: member.Each(list, func(p **discovery.Service) shape.ServiceSummary {
		s := showService(v, *p)
		return shape.ServiceSummary{
			Id: s.Id, Arn: s.Arn, ResourceOwner: s.ResourceOwner, CreatedByAccount: s.CreatedByAccount, Name: s.Name, Type: s.Type,
			Description: s.Description, InstanceCount: s.InstanceCount, DnsConfig: s.DnsConfig, HealthCheckConfig: s.HealthCheckConfig,
			HealthCheckCustomConfig: s.HealthCheckCustomConfig, CreateDate: s.CreateDate,
		}
	})}, nil
}

func servicePasses(f *shape.ServiceFilter, s *discovery.Service) (bool, error) {
	if f.Name == shape.ServiceFilterNameResourceOwner {
		return owned(f.Condition, f.Values)
	}
	ids := make([]string, len(f.Values))
	for i, ref := range f.Values {
		ids[i] = idIn(s.Scope, ref, discovery.KindNamespace)
	}
	return compare(f.Condition, ids, s.NamespaceID, shape.FilterConditionEq, shape.FilterConditionIn)
}
