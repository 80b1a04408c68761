package ecs

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// announce makes the Cloud Map services of those that a service lets others call, and
// says in them how. plan/rollout deletes those that no deployment has any more.
func (a *API) announce(tx *store.Tx, call *gateway.Call, s *service.Service) error {
	have := s.Spec.Template.Connect
	if have == nil || !have.Enabled {
		return nil
	}
	next := *have
	next.Services = slices.Clone(have.Services)
	n, ok := store.Namespaces.Get(tx, store.ScopeKey(s.Scope, next.NamespaceID))
	if !ok {
		return namespaceNotFound(next.Namespace)
	}
	for i := range next.Services {
		d, err := a.announced(tx, call, n, s.ARN, &next.Services[i])
		if err != nil {
			return err
		}
		store.Discoveries.Put(tx, d)
		next.Services[i].RegistryARN = d.ARN
	}
	s.Spec.Template.Connect = &next
	return nil
}

// announced is the Cloud Map service of a name as the owner wants it: a new one, or its
// own as it is to be now.
func (a *API) announced(r store.Reader, call *gateway.Call, n *discovery.Namespace, owner string, c *service.ConnectService) (*discovery.Service, error) {
	id := "srv-" + a.newID()[:16]
	next := &discovery.Service{
		Scope: n.Scope, ID: id, ARN: discovery.ARN(n.Scope, discovery.KindService, id), NamespaceID: n.ID, Name: c.Discovery(),
		Kind: discovery.ServiceHTTP, CustomCheck: &discovery.CustomCheck{Threshold: 1}, CreatedAt: call.Now,
	}
	said := c.Called(n.Name, owner)
	for have := range store.Discoveries.By(r, store.DiscoveriesByNamespace, store.ScopeKey(n.Scope, n.ID)) {
		own := have.Connect != nil && have.Connect.Owner == owner
		switch {
		case n.Same(have.Name, next.Name) && !own:
			return nil, invalid("The discovery name %s already exists in the namespace %s.", next.Name, n.Name).
				WithHint("Cloud Map has the service %s: choose another discoveryName, or delete that one", have.ID)
		case n.Same(have.Name, next.Name):
			same := *have
			next = &same
		case have.Connect != nil && have.Connect.Alias == said.Alias && have.Connect.Port == said.Port:
			return nil, invalid("The client alias %s:%d already exists in the namespace %s.", said.Alias, said.Port, n.Name).
				WithHint("it is that of %s", have.Connect.Owner)
		}
	}
	next.Connect = said
	return next, nil
}

func namespaceNotFound(ref string) error {
	return fault.New(fault.NamespaceNotFound, "The specified namespace %s does not exist.", ref).
		WithHint("make it first: aws servicediscovery create-http-namespace --name NAME")
}

// findNamespace finds a namespace by name or ARN.
func findNamespace(r store.Reader, scope arn.Scope, ref string) (*discovery.Namespace, error) {
	if arn.IsARN(ref) {
		n, ok := store.Namespaces.Get(r, store.ScopeKey(scope, arn.NameOf(ref)))
		if !ok || n.ARN != ref {
			return nil, namespaceNotFound(ref)
		}
		return n, nil
	}
	for n := range store.Namespaces.By(r, store.NamespacesByName, store.ScopeKey(scope, strings.TrimSuffix(ref, "."))) {
		return n, nil
	}
	return nil, namespaceNotFound(ref)
}

// defaultNamespace is the ARN of the namespace that a cluster is given as its default:
// one that is there, or one of that name that is made, as AWS makes it.
func (a *API) defaultNamespace(tx *store.Tx, call *gateway.Call, in *ecs.ClusterServiceConnectDefaultsRequest) (string, error) {
	ref := member.Value(in.Namespace)
	if ref == "" {
		return "", nil
	}
	n, err := findNamespace(tx, call.Scope, ref)
	if err == nil || arn.IsARN(ref) {
		if err != nil {
			return "", err
		}
		return n.ARN, nil
	}
	if len(ref) > maxNamespaceName {
		return "", invalid("The namespace name can have at most %d characters.", maxNamespaceName)
	}
	id := "ns-" + a.newID()[:16]
	n = &discovery.Namespace{
		Scope: call.Scope, ID: id, ARN: discovery.ARN(call.Scope, discovery.KindNamespace, id), Name: ref, Kind: discovery.HTTP, CreatedAt: call.Now,
	}
	store.Namespaces.Put(tx, n)
	return n.ARN, nil
}

const maxNamespaceName = 1024

// namespaceTag names, by name or ARN, the namespace whose services a task of RunTask or
// StartTask calls by Service Connect. On AWS only tasks of services do.
const namespaceTag = "berth:service-connect"

// calledBy is the id of the namespace that tags name; empty when they name none.
func calledBy(r store.Reader, scope arn.Scope, tags []workload.Tag, def *workload.Definition) (string, error) {
	i := slices.IndexFunc(tags, func(t workload.Tag) bool { return t.Key == namespaceTag })
	if i < 0 {
		return "", nil
	}
	if err := connectsIn(def.Mode()); err != nil {
		return "", err
	}
	n, err := findNamespace(r, scope, tags[i].Value)
	if err != nil {
		return "", err
	}
	return n.ID, nil
}

// listServicesByNamespace lists those of all clusters.
func (a *API) listServicesByNamespace(_ context.Context, call *gateway.Call, in *ecs.ListServicesByNamespaceRequest) (*ecs.ListServicesByNamespaceResponse, error) {
	page, err := readPage(in.NextToken, orSize(in.MaxResults, serviceListDefault))
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	n, err := findNamespace(v, call.Scope, member.Value(in.Namespace))
	if err != nil {
		return nil, err
	}
	following := filter(store.Services.By(v, store.ServicesByNamespace, store.ScopeKey(n.Scope, n.ID)), func(s *service.Service) bool {
		return s.ARN > page.after.Key && s.Status != service.Inactive
	})
	found, next := fill(page, following, func(s *service.Service) cursor { return cursor{Key: s.ARN} })
	return &ecs.ListServicesByNamespaceResponse{ServiceArns: member.Each(found, func(s **service.Service) string { return (*s).ARN }), NextToken: next}, nil
}

// showConnectResources are the Cloud Map services that a revision's tasks are in.
func showConnectResources(c *service.Connect) []ecs.ServiceConnectServiceResource {
	if c == nil {
		return nil
	}
	return member.Some(c.Services, func(s *service.ConnectService) ecs.ServiceConnectServiceResource {
		return ecs.ServiceConnectServiceResource{DiscoveryName: new(s.Discovery()), DiscoveryArn: member.Present(s.RegistryARN)}
	})
}
