package ec2

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// connections are the endpoints of a service; none of nil.
func connections(r store.Reader, s *service) func(func(*endpoint) bool) {
	if s == nil {
		return func(func(*endpoint) bool) {}
	}
	return store.Endpoints.By(r, store.EndpointsByService, s.Name)
}

func (a *API) describeServicePermissions(v *store.View, call *gateway.Call, in *shape.DescribeVpcEndpointServicePermissionsRequest) (*shape.DescribeVpcEndpointServicePermissionsResult, error) {
	s, err := find(&serviceKind, store.EndpointServices, v, call.Scope, in.ServiceId)
	if err != nil {
		return nil, err
	}
	var all []*shape.AllowedPrincipal
	for _, p := range s.Principals {
		all = append(all, &shape.AllowedPrincipal{Principal: new(p), PrincipalType: principalType(p), ServiceId: new(s.ID), ServicePermissionId: permissionID(s, p)})
	}
	page, next, err := derived(&principalKind, all, selection{nil, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeVpcEndpointServicePermissionsResult{
		NextToken: next, AllowedPrincipals: each(page, func(p *shape.AllowedPrincipal) shape.AllowedPrincipal { return *p }),
	}, nil
}

var principalKind = kind[shape.AllowedPrincipal]{
	id: func(p *shape.AllowedPrincipal) string { return *p.Principal },
	fields: map[string]func(*shape.AllowedPrincipal) []string{
		"principal":      one(func(p *shape.AllowedPrincipal) string { return *p.Principal }),
		"principal-type": one(func(p *shape.AllowedPrincipal) string { return string(p.PrincipalType) }),
	},
}

func permissionID(s *service, principal string) *string {
	return new(network.DerivedID("vpce-svc-perm", s.ID, principal))
}

func principalType(p string) shape.PrincipalType {
	switch {
	case p == "*":
		return shape.PrincipalTypeAll
	case strings.Contains(p, ":role/"):
		return shape.PrincipalTypeRole
	case strings.Contains(p, ":user/"):
		return shape.PrincipalTypeUser
	}
	return shape.PrincipalTypeAccount
}

func (a *API) modifyServicePermissions(tx *store.Tx, call *gateway.Call, in *shape.ModifyVpcEndpointServicePermissionsRequest) (*shape.ModifyVpcEndpointServicePermissionsResult, error) {
	out := &shape.ModifyVpcEndpointServicePermissionsResult{ReturnValue: new(true), AddedPrincipals: []shape.AddedPrincipal{}}
	return out, alterService(tx, call.Scope, in.ServiceId, func(s *service) error {
		s.Principals = append(without(s.Principals, append(in.RemoveAllowedPrincipals, in.AddAllowedPrincipals...)), in.AddAllowedPrincipals...)
		for _, p := range in.AddAllowedPrincipals {
			out.AddedPrincipals = append(out.AddedPrincipals, shape.AddedPrincipal{
				Principal: new(p), PrincipalType: principalType(p), ServiceId: new(s.ID), ServicePermissionId: permissionID(s, p),
			})
		}
		return nil
	})
}

func (a *API) describeEndpointConnections(v *store.View, call *gateway.Call, in *shape.DescribeVpcEndpointConnectionsRequest) (*shape.DescribeVpcEndpointConnectionsResult, error) {
	var all []*endpoint
	ids := map[string]string{}
	for s := range store.EndpointServices.Prefix(v, network.Key(call.Scope, "")) {
		ids[s.Name] = s.ID
		for e := range connections(v, s) {
			all = append(all, e)
		}
	}
	k := endpointKind
	k.fields = map[string]func(*endpoint) []string{"service-id": one(func(e *endpoint) string { return ids[e.ServiceName] })}
	for name, field := range endpointKind.fields {
		k.fields[name] = field
	}
	page, next, err := derived(&k, all, selection{nil, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeVpcEndpointConnectionsResult{NextToken: next, VpcEndpointConnections: each(page, func(e *endpoint) shape.VpcEndpointConnection {
		return shape.VpcEndpointConnection{
			ServiceId: new(ids[e.ServiceName]), VpcEndpointId: new(e.ID), VpcEndpointOwner: new(e.Scope.Account), VpcEndpointState: shape.State(e.State),
			CreationTimestamp: new(e.CreatedAt), IpAddressType: shape.IpAddressType(e.AddressType), VpcEndpointRegion: new(e.Scope.Region),
			VpcEndpointConnectionId: new(network.DerivedID("vpce-con", e.ID)),
		}
	})}, nil
}

func (a *API) acceptConnections(tx *store.Tx, call *gateway.Call, in *shape.AcceptVpcEndpointConnectionsRequest) (*shape.AcceptVpcEndpointConnectionsResult, error) {
	failed, err := judge(tx, call.Scope, in.ServiceId, in.VpcEndpointIds, endpointAvailable)
	return &shape.AcceptVpcEndpointConnectionsResult{Unsuccessful: failed}, err
}

func (a *API) rejectConnections(tx *store.Tx, call *gateway.Call, in *shape.RejectVpcEndpointConnectionsRequest) (*shape.RejectVpcEndpointConnectionsResult, error) {
	failed, err := judge(tx, call.Scope, in.ServiceId, in.VpcEndpointIds, endpointRejected)
	return &shape.RejectVpcEndpointConnectionsResult{Unsuccessful: failed}, err
}

// judge sets the state of endpoints of a service.
func judge(tx *store.Tx, scope arn.Scope, id *string, endpoints []string, state string) ([]shape.UnsuccessfulItem, error) {
	s, err := find(&serviceKind, store.EndpointServices, tx, scope, id)
	if err != nil {
		return nil, err
	}
	left := slices.Clone(endpoints)
	for e := range connections(tx, s) {
		if slices.Contains(endpoints, e.ID) {
			next := *e
			next.State = state
			store.Endpoints.Put(tx, &next)
			left = without(left, []string{e.ID})
		}
	}
	failed := []shape.UnsuccessfulItem{}
	for _, id := range left {
		failed = append(failed, unsuccessful(id, fault.New(fault.InvalidVpcEndpointID, "The Vpc Endpoint Id '%s' does not exist", id)))
	}
	return failed, nil
}
