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

func (a *API) getNamespace(_ context.Context, call *gateway.Call, in *shape.GetNamespaceRequest) (*shape.GetNamespaceResponse, error) {
	v := a.store.View()
	n, err := findNamespace(v, call.Scope, *in.Id)
	if err != nil {
		return nil, err
	}
	return &shape.GetNamespaceResponse{Namespace: &shape.Namespace{
		Id: &n.ID, Arn: &n.ARN, ResourceOwner: &n.Scope.Account, Name: &n.Name, Type: shape.NamespaceType(n.Kind),
		Description: member.Present(n.Description), ServiceCount: new(int32(len(servicesOf(v, n)))), Properties: properties(n),
		CreateDate: &n.CreatedAt, CreatorRequestId: member.Present(n.Token),
	}}, nil
}

func properties(n *discovery.Namespace) *shape.NamespaceProperties {
	p := &shape.NamespaceProperties{HttpProperties: &shape.HttpProperties{HttpName: &n.Name}}
	if n.Kind != discovery.HTTP {
		p.DnsProperties = &shape.DnsProperties{HostedZoneId: &n.HostedZoneID, SOA: &shape.SOA{TTL: &n.TTL}}
	}
	return p
}

func (a *API) listNamespaces(_ context.Context, call *gateway.Call, in *shape.ListNamespacesRequest) (*shape.ListNamespacesResponse, error) {
	v := a.store.View()
	var all []*discovery.Namespace
	for n := range store.Namespaces.Prefix(v, store.ScopeKey(call.Scope, "")) {
		pass, err := passesAll(in.Filters, func(f *shape.NamespaceFilter) (bool, error) { return namespacePasses(f, n) })
		if err != nil {
			return nil, err
		}
		if pass {
			all = append(all, n)
		}
	}
	list, next, ok := page.Cut(all, in.NextToken, in.MaxResults, maxPage, func(n *discovery.Namespace) string { return n.ID }, false)
	if !ok {
		return nil, badToken()
	}
	return &shape.ListNamespacesResponse{NextToken: next, Namespaces: member.Each(list, func(p **discovery.Namespace) shape.NamespaceSummary {
		n := *p
		return shape.NamespaceSummary{
			Id: &n.ID, Arn: &n.ARN, ResourceOwner: &n.Scope.Account, Name: &n.Name, Type: shape.NamespaceType(n.Kind),
			Description: member.Present(n.Description), ServiceCount: new(int32(len(servicesOf(v, n)))), Properties: properties(n), CreateDate: &n.CreatedAt,
		}
	})}, nil
}

func namespacePasses(f *shape.NamespaceFilter, n *discovery.Namespace) (bool, error) {
	switch f.Name {
	case shape.NamespaceFilterNameType:
		return compare(f.Condition, f.Values, n.Kind, shape.FilterConditionEq, shape.FilterConditionIn)
	case shape.NamespaceFilterNameResourceOwner:
		return owned(f.Condition, f.Values)
	}
	return compare(f.Condition, f.Values, n.Name, shape.FilterConditionEq, shape.FilterConditionIn, shape.FilterConditionBeginsWith)
}
