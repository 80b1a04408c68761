package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

func (a *API) createSubnet(tx *store.Tx, call *gateway.Call, in *shape.CreateSubnetRequest) (*shape.CreateSubnetResult, error) {
	if err := unsupported("IPv6, IPAM and Outposts", in.Ipv6CidrBlock != nil, isTrue(in.Ipv6Native), in.OutpostArn != nil, in.Ipv4IpamPoolId != nil, in.Ipv6IpamPoolId != nil); err != nil {
		return nil, err
	}
	v, err := findVPC(tx, call.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	cidr, err := subnetRange(tx, v, deref(in.CidrBlock))
	if err != nil {
		return nil, err
	}
	zone, err := zoneFor(call.Scope.Region, deref(in.AvailabilityZone), deref(in.AvailabilityZoneId))
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeSubnet)
	if err != nil {
		return nil, err
	}
	s := network.Subnet{Scope: call.Scope, ID: newID("subnet"), VPCID: v.ID, CIDR: cidr, Zone: zone, ZoneID: network.ZoneID(zone), Tags: tags}
	putSubnet(tx, &s)
	return &shape.CreateSubnetResult{Subnet: new(subnetShape(tx, &s))}, nil
}

// putSubnet stores a new subnet under its VPC's default ACL.
func putSubnet(tx *store.Tx, s *network.Subnet) {
	store.Subnets.Put(tx, s)
	for acl := range store.ACLs.By(tx, store.ACLsByVPC, network.Key(s.Scope, s.VPCID)) {
		if acl.Default {
			next := *acl
			next.Associations = append(slices.Clone(acl.Associations), aclAssociation(s.ID))
			store.ACLs.Put(tx, &next)
		}
	}
}

func subnetRange(r store.Reader, v *network.VPC, text string) (netip.Prefix, error) {
	if _, err := netip.ParsePrefix(text); err != nil {
		return netip.Prefix{}, invalid("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text)
	}
	cidr, ok := network.ParseRange(text)
	if !ok || !network.Within(cidr, v.Ranges()) {
		return cidr, fault.New(fault.InvalidSubnetRange, "The CIDR '%s' is invalid.", text).WithHint("a subnet's range lies in its VPC's and is from a /16 to a /28")
	}
	for s := range store.Subnets.By(r, store.SubnetsByVPC, network.Key(v.Scope, v.ID)) {
		if s.CIDR.Overlaps(cidr) {
			return cidr, fault.New(fault.InvalidSubnetConflict, "The CIDR '%s' conflicts with another subnet", text)
		}
	}
	return cidr, nil
}

// zoneFor finds a zone by name or id; the first of the region without either.
func zoneFor(region, name, id string) (string, error) {
	zones := network.Zones(region)
	for _, z := range zones {
		if name == z || name == "" && (id == "" || id == network.ZoneID(z)) {
			return z, nil
		}
	}
	if name == "" {
		name = id
	}
	return "", invalid("Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s.", name, strings.Join(zones, ", "))
}

func (a *API) createDefaultSubnet(tx *store.Tx, call *gateway.Call, in *shape.CreateDefaultSubnetRequest) (*shape.CreateDefaultSubnetResult, error) {
	zone, err := zoneFor(call.Scope.Region, deref(in.AvailabilityZone), deref(in.AvailabilityZoneId))
	if err != nil {
		return nil, err
	}
	found := defaultVPCs(tx, call.Scope)
	if len(found) == 0 {
		return nil, fault.New(fault.DefaultVpcDoesNotExist, "No default VPC exists for this account in this region.")
	}
	v := found[0]
	for s := range store.Subnets.By(tx, store.SubnetsByVPC, network.Key(v.Scope, v.ID)) {
		if s.Default && s.Zone == zone {
			return nil, fault.New(fault.DefaultSubnetAlreadyExists, "'%s' is already the default subnet in %s.", s.ID, zone)
		}
	}
	for n := range network.DefaultSubnets {
		cidr, err := subnetRange(tx, v, network.DefaultSubnetRange(v.CIDR, n).String())
		if err != nil {
			continue // another subnet is there
		}
		s := network.Subnet{
			Scope: call.Scope, ID: newID("subnet"), VPCID: v.ID, CIDR: cidr, Zone: zone, ZoneID: network.ZoneID(zone), Default: true, MapPublicIP: true,
		}
		putSubnet(tx, &s)
		return &shape.CreateDefaultSubnetResult{Subnet: new(subnetShape(tx, &s))}, nil
	}
	return nil, fault.New(fault.InvalidSubnetConflict, "There is no room for a default subnet in %s", v.ID)
}

func (a *API) deleteSubnet(tx *store.Tx, call *gateway.Call, in *shape.DeleteSubnetRequest) (*empty, error) {
	s, err := findSubnet(tx, call.Scope, in.SubnetId)
	if err != nil {
		return nil, err
	}
	key := network.Key(s.Scope, s.ID)
	for i := range store.Interfaces.By(tx, store.InterfacesBySubnet, key) {
		if i.ReleasedAt.IsZero() {
			return nil, inUse("The subnet '%s' has dependencies and cannot be deleted.", s.ID)
		}
	}
	for t := range store.RouteTables.By(tx, store.RouteTablesBySubnet, key) {
		next := *t
		next.Associations = slices.DeleteFunc(slices.Clone(t.Associations), func(a network.Association) bool { return a.SubnetID == s.ID })
		store.RouteTables.Put(tx, &next)
	}
	for acl := range store.ACLs.By(tx, store.ACLsByVPC, network.Key(s.Scope, s.VPCID)) {
		next := *acl
		next.Associations = slices.DeleteFunc(slices.Clone(acl.Associations), func(a network.ACLAssociation) bool { return a.SubnetID == s.ID })
		store.ACLs.Put(tx, &next)
	}
	store.Subnets.Delete(tx, key)
	return &empty{}, nil
}

func (a *API) modifySubnetAttribute(tx *store.Tx, call *gateway.Call, in *shape.ModifySubnetAttributeRequest) (*empty, error) {
	asks := func(v *shape.AttributeBooleanValue) bool { return v != nil && isTrue(v.Value) }
	if err := unsupported("IPv6 and Outposts", asks(in.AssignIpv6AddressOnCreation), asks(in.EnableDns64), asks(in.MapCustomerOwnedIpOnLaunch),
		asks(in.EnableResourceNameDnsAAAARecordOnLaunch), in.EnableLniAtDeviceIndex != nil); err != nil {
		return nil, err
	}
	have, err := findSubnet(tx, call.Scope, in.SubnetId)
	if err != nil {
		return nil, err
	}
	next := *have
	if in.MapPublicIpOnLaunch != nil {
		setTo(&next.MapPublicIP, in.MapPublicIpOnLaunch.Value)
	}
	if in.EnableResourceNameDnsARecordOnLaunch != nil {
		setTo(&next.ResourceNameDNS, in.EnableResourceNameDnsARecordOnLaunch.Value)
	}
	if in.PrivateDnsHostnameTypeOnLaunch != "" {
		next.HostnameType = string(in.PrivateDnsHostnameTypeOnLaunch)
	}
	store.Subnets.Put(tx, &next)
	return &empty{}, nil
}
