package ec2

import (
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

type endpoint = network.Endpoint

// States of endpoints, as the API has them.
const (
	endpointPending   = string(shape.StatePendingAcceptance)
	endpointAvailable = "available" // the model's is capitalised; EC2 and its clients are not
	endpointRejected  = "rejected"
)

// openPolicy is the policy of an endpoint that was given none.
const openPolicy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`

var endpointKind = kind[endpoint]{
	noun: "Vpc Endpoint", missing: fault.InvalidVpcEndpointID,
	id:   func(e *endpoint) string { return e.ID },
	tags: func(e *endpoint) []workload.Tag { return e.Tags },
	fields: map[string]func(*endpoint) []string{
		"ip-address-type":    one(func(e *endpoint) string { return e.AddressType }),
		"service-name":       one(func(e *endpoint) string { return e.ServiceName }),
		"vpc-endpoint-id":    one(func(e *endpoint) string { return e.ID }),
		"vpc-endpoint-owner": one(func(e *endpoint) string { return e.Scope.Account }),
		"vpc-endpoint-state": one(func(e *endpoint) string { return e.State }),
		"vpc-endpoint-type":  one(func(e *endpoint) string { return e.Kind }),
		"vpc-id":             one(func(e *endpoint) string { return e.VPCID }),
	},
}

func serviceName(region, service string) string { return "com.amazonaws." + region + "." + service }

func (a *API) describeVPCEndpoints(v *store.View, call *gateway.Call, in *shape.DescribeVpcEndpointsRequest) (*shape.DescribeVpcEndpointsResult, error) {
	page, next, err := stored(&endpointKind, store.Endpoints, v, call.Scope, selection{in.VpcEndpointIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeVpcEndpointsResult{NextToken: next, VpcEndpoints: each(page, func(e *endpoint) shape.VpcEndpoint { return endpointShape(v, e) })}, nil
}

func endpointShape(r store.Reader, e *endpoint) shape.VpcEndpoint {
	s := shape.VpcEndpoint{
		VpcEndpointId: new(e.ID), VpcEndpointType: shape.VpcEndpointType(e.Kind), VpcId: new(e.VPCID), ServiceName: new(e.ServiceName),
		State: shape.State(e.State), PolicyDocument: optional(e.Policy), RouteTableIds: append([]string{}, e.RouteTableIDs...),
		SubnetIds: append([]string{}, e.SubnetIDs...), NetworkInterfaceIds: append([]string{}, e.InterfaceIDs...), Groups: []shape.SecurityGroupIdentifier{},
		PrivateDnsEnabled: new(e.PrivateDNS), RequesterManaged: new(false), DnsEntries: []shape.DnsEntry{}, OwnerId: new(e.Scope.Account),
		CreationTimestamp: new(e.CreatedAt), Tags: tagShapes(e.Tags),
	}
	if e.Kind == string(shape.VpcEndpointTypeInterface) {
		s.IpAddressType, s.DnsOptions = shape.IpAddressType(e.AddressType), &shape.DnsOptions{DnsRecordIpType: shape.DnsRecordIpType(e.AddressType)}
	}
	for _, id := range e.SecurityGroups {
		g, ok := store.SecurityGroups.Get(r, network.Key(e.Scope, id))
		if ok {
			s.Groups = append(s.Groups, shape.SecurityGroupIdentifier{GroupId: new(id), GroupName: new(g.Name)})
		}
	}
	for _, name := range e.DNSNames {
		s.DnsEntries = append(s.DnsEntries, shape.DnsEntry{DnsName: new(name), HostedZoneId: new("Z" + network.DerivedID("", e.Scope.Region)[2:15])})
	}
	return s
}

func (a *API) createVPCEndpoint(tx *store.Tx, call *gateway.Call, in *shape.CreateVpcEndpointRequest) (*shape.CreateVpcEndpointResult, error) {
	if err := unsupported("This kind of endpoint", in.ServiceNetworkArn != nil, in.ResourceConfigurationArn != nil, len(in.SubnetConfigurations) > 0,
		in.ServiceRegion != nil && *in.ServiceRegion != call.Scope.Region, in.IpAddressType != "" && in.IpAddressType != shape.IpAddressTypeIpv4); err != nil {
		return nil, err
	}
	v, err := findVPC(tx, call.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeVpcEndpoint)
	if err != nil {
		return nil, err
	}
	e := endpoint{
		Scope: call.Scope, ID: newID("vpce"), VPCID: v.ID, Kind: string(in.VpcEndpointType), ServiceName: deref(in.ServiceName),
		Policy: deref(in.PolicyDocument), PrivateDNS: isTrue(in.PrivateDnsEnabled), CreatedAt: call.Now, Tags: tags,
	}
	if e.Kind == "" {
		e.Kind = string(shape.VpcEndpointTypeGateway)
	}
	if err := offer(tx, &e); err != nil {
		return nil, err
	}
	if e.Policy == "" {
		e.Policy = openPolicy
	}
	change := endpointChange{tx, call, &e}
	if e.Kind == string(shape.VpcEndpointTypeGateway) {
		err = change.addTables(in.RouteTableIds)
	} else {
		err = change.join(in.SubnetIds, in.SecurityGroupIds)
	}
	if err != nil {
		return nil, err
	}
	store.Endpoints.Put(tx, &e)
	return &shape.CreateVpcEndpointResult{VpcEndpoint: new(endpointShape(tx, &e)), ClientToken: in.ClientToken}, nil
}

// offer finds who offers the endpoint's service, and the state it begins in.
func offer(r store.Reader, e *endpoint) error {
	e.State = endpointAvailable
	for _, s := range amazonsServices(e.Scope.Region) {
		if s.name == e.ServiceName {
			if !slices.Contains(s.kinds, e.Kind) {
				return invalid("The service %s does not support endpoints of type %s", e.ServiceName, e.Kind)
			}
			return nil
		}
	}
	for s := range store.EndpointServices.By(r, store.EndpointServicesByName, e.ServiceName) {
		if e.Kind == string(shape.VpcEndpointTypeInterface) && admits(s, e.Scope.Account) {
			if s.MustAccept {
				e.State = endpointPending
			}
			return nil
		}
	}
	return fault.New(fault.InvalidServiceName, "The Vpc Endpoint Service '%s' does not exist", e.ServiceName)
}

// endpointChange changes an endpoint that is stored afterwards.
type endpointChange struct {
	tx   *store.Tx
	call *gateway.Call
	*endpoint
}

// addTables routes the service's ranges to a gateway endpoint.
func (c endpointChange) addTables(ids []string) error {
	for _, id := range ids {
		list, ok := listOf(c.Scope, c.ServiceName)
		if !ok || slices.Contains(c.RouteTableIDs, id) {
			continue
		}
		err := alterTable(c.tx, c.Scope, &id, func(t *routeTable) error {
			if t.VPCID != c.VPCID {
				return invalid("The route table %s is not in the VPC %s", t.ID, c.VPCID)
			}
			t.Routes = append(t.Routes, network.Route{To: list.ID, Gateway: c.ID, Origin: byRoute})
			return nil
		})
		if err != nil {
			return err
		}
		c.RouteTableIDs = append(slices.Clone(c.RouteTableIDs), id)
	}
	return nil
}

func listOf(scope arn.Scope, service string) (*prefixList, bool) {
	for _, p := range amazonsLists(scope) {
		if p.Name == service {
			return p, true
		}
	}
	return nil, false
}

func (c endpointChange) removeTables(ids []string) {
	for _, id := range ids {
		if have, ok := store.RouteTables.Get(c.tx, network.Key(c.Scope, id)); ok {
			next := *have
			next.Routes = slices.DeleteFunc(slices.Clone(have.Routes), func(r network.Route) bool { return r.Gateway == c.ID })
			store.RouteTables.Put(c.tx, &next)
		}
	}
	c.RouteTableIDs = without(c.RouteTableIDs, ids)
}

func without(list, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(gone, s) })
}

// join makes a new interface endpoint's groups and interfaces.
func (c endpointChange) join(subnets, groups []string) (err error) {
	if len(subnets) == 0 { // AWS takes none, too: subnets can come later
		subnets = nil
	}
	if c.SecurityGroups, err = groupsFor(c.tx, c.Scope, c.VPCID, groups); err != nil {
		return err
	}
	c.AddressType = string(shape.IpAddressTypeIpv4)
	c.DNSNames = []string{c.ID + "-" + c.ID[len(c.ID)-8:] + "." + serviceDomain(c.ServiceName, c.Scope.Region)}
	return c.addSubnets(subnets)
}

// addSubnets gives an interface endpoint an address in each subnet.
func (c endpointChange) addSubnets(ids []string) error {
	for _, id := range ids {
		s, err := findSubnet(c.tx, c.Scope, &id)
		if err != nil {
			return err
		}
		if s.VPCID != c.VPCID || slices.Contains(c.SubnetIDs, id) {
			return invalid("The subnet %s is not in the VPC %s, or given twice", id, c.VPCID)
		}
		i, err := lease.Take(c.tx, s, network.Interface{
			Kind: network.ForEndpoint, Owner: c.ID, SecurityGroups: c.SecurityGroups, Description: "VPC Endpoint Interface " + c.ID, RequesterID: amazonID,
		}, c.call.Now)
		if err != nil {
			return err
		}
		c.SubnetIDs, c.InterfaceIDs = append(slices.Clone(c.SubnetIDs), id), append(slices.Clone(c.InterfaceIDs), i.ID)
	}
	return nil
}

func (c endpointChange) removeSubnets(ids []string) {
	for _, id := range slices.Clone(c.InterfaceIDs) {
		i, ok := store.Interfaces.Get(c.tx, network.Key(c.Scope, id))
		if ok && slices.Contains(ids, i.SubnetID) {
			lease.Release(c.tx, i, c.call.Now)
			c.InterfaceIDs = without(c.InterfaceIDs, []string{id})
		}
	}
	c.SubnetIDs = without(c.SubnetIDs, ids)
}

func (c endpointChange) setGroups(add, remove []string) error {
	if len(add)+len(remove) == 0 {
		return nil
	}
	groups, err := groupsFor(c.tx, c.Scope, c.VPCID, append(without(c.SecurityGroups, append(remove, add...)), add...))
	if err != nil {
		return err
	}
	c.SecurityGroups = groups
	for _, id := range c.InterfaceIDs {
		if have, ok := store.Interfaces.Get(c.tx, network.Key(c.Scope, id)); ok {
			next := *have
			next.SecurityGroups = groups
			store.Interfaces.Put(c.tx, &next)
		}
	}
	return nil
}

func (a *API) modifyVPCEndpoint(tx *store.Tx, call *gateway.Call, in *shape.ModifyVpcEndpointRequest) (*shape.ModifyVpcEndpointResult, error) {
	have, err := find(&endpointKind, store.Endpoints, tx, call.Scope, in.VpcEndpointId)
	if err != nil {
		return nil, err
	}
	next := *have
	c := endpointChange{tx, call, &next}
	if in.PolicyDocument != nil {
		next.Policy = *in.PolicyDocument
	}
	if isTrue(in.ResetPolicy) {
		next.Policy = openPolicy
	}
	setTo(&next.PrivateDNS, in.PrivateDnsEnabled)
	c.removeTables(in.RemoveRouteTableIds)
	c.removeSubnets(in.RemoveSubnetIds)
	if err := c.setGroups(in.AddSecurityGroupIds, in.RemoveSecurityGroupIds); err != nil {
		return nil, err
	}
	if err := c.addTables(in.AddRouteTableIds); err != nil {
		return nil, err
	}
	if err := c.addSubnets(in.AddSubnetIds); err != nil {
		return nil, err
	}
	store.Endpoints.Put(tx, &next)
	return &shape.ModifyVpcEndpointResult{Return: new(true)}, nil
}

func (a *API) deleteVPCEndpoints(tx *store.Tx, call *gateway.Call, in *shape.DeleteVpcEndpointsRequest) (*shape.DeleteVpcEndpointsResult, error) {
	out := &shape.DeleteVpcEndpointsResult{Unsuccessful: []shape.UnsuccessfulItem{}}
	for _, id := range in.VpcEndpointIds {
		have, err := find(&endpointKind, store.Endpoints, tx, call.Scope, &id)
		if err != nil {
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
			continue
		}
		next := *have
		c := endpointChange{tx, call, &next}
		c.removeTables(have.RouteTableIDs)
		c.removeSubnets(have.SubnetIDs)
		store.Endpoints.Delete(tx, network.Key(have.Scope, have.ID))
	}
	return out, nil
}

func unsuccessful(id string, err error) shape.UnsuccessfulItem {
	f := fault.Of(err)
	return shape.UnsuccessfulItem{ResourceId: new(id), Error: &shape.UnsuccessfulItemError{Code: new(f.Kind.Code(fault.EC2)), Message: new(f.Message)}}
}
