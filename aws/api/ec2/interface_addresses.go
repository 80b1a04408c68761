package ec2

import (
	"net/netip"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

// further are the secondary addresses that a request asks for: by name, or so many.
type further struct {
	named []string
	count *int32
}

// mostFurther is how many secondary addresses an interface has: what AWS's largest
// instances take.
const mostFurther = 49

// take leases the addresses for an interface that is stored already.
func (f further) take(tx *store.Tx, i *leased) (*leased, error) {
	s, err := findSubnet(tx, i.Scope, &i.SubnetID)
	if err != nil {
		return nil, err
	}
	count := 0
	if f.count != nil {
		count = int(*f.count)
	}
	if len(f.named) > 0 && count > 0 {
		return nil, fault.New(fault.InvalidParameterCombination, "You cannot specify both private IP addresses and a count of them.")
	}
	if len(i.Further)+len(f.named)+count > mostFurther {
		return nil, fault.New(fault.PrivateAddressLimit, "The number of private addresses of %s is limited to %d.", i.ID, mostFurther+1)
	}
	for _, text := range f.named {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, invalid("invalid value for parameter address: %s", text)
		}
		if i, err = addAddress(tx, s, i, a); err != nil {
			return nil, err
		}
	}
	for range count {
		a, ok := lease.Free(tx, s, i.ID)
		if !ok {
			return nil, fault.New(fault.InsufficientFreeAddresses, "The specified subnet does not have enough free addresses to satisfy the request.")
		}
		if i, err = addAddress(tx, s, i, a); err != nil {
			return nil, err
		}
	}
	return i, nil
}

func addAddress(tx *store.Tx, s *network.Subnet, i *leased, a netip.Addr) (*leased, error) {
	if !s.Leasable(a) {
		return nil, invalid("Address %s does not fall within the subnet's address range", a)
	}
	if store.Interfaces.Has(tx, store.InterfacesByAddress, store.AddressKey(i.Scope, i.VPCID, a)) {
		return nil, fault.New(fault.AddressInUse, "Address %s is in use.", a)
	}
	next := *i
	next.Further = append(slices.Clone(i.Further), a)
	store.Interfaces.Put(tx, &next)
	return &next, nil
}

// findOwnInterface finds an interface that its account made, and may change.
func findOwnInterface(r store.Reader, scope arn.Scope, id *string) (*leased, error) {
	i, err := findInterface(r, scope, id)
	if err == nil && i.Kind != network.ForUser {
		return nil, fault.New(fault.OperationNotPermitted, "The network interface '%s' is managed by AWS and can not be changed.", i.ID)
	}
	return i, err
}

func (a *API) assignPrivateAddresses(tx *store.Tx, call *gateway.Call, in *shape.AssignPrivateIpAddressesRequest) (*shape.AssignPrivateIpAddressesResult, error) {
	if err := unsupported("Prefixes of an interface", len(in.Ipv4Prefixes) > 0, in.Ipv4PrefixCount != nil); err != nil {
		return nil, err
	}
	have, err := findOwnInterface(tx, call.Scope, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	if len(in.PrivateIpAddresses) == 0 && in.SecondaryPrivateIpAddressCount == nil {
		return nil, fault.New(fault.MissingParameter, "Either private IP addresses or the secondary private IP address count must be specified.")
	}
	next, err := further{in.PrivateIpAddresses, in.SecondaryPrivateIpAddressCount}.take(tx, have)
	if err != nil {
		return nil, err
	}
	out := &shape.AssignPrivateIpAddressesResult{NetworkInterfaceId: new(next.ID), AssignedPrivateIpAddresses: []shape.AssignedPrivateIpAddress{}}
	for _, a := range next.Further[len(have.Further):] {
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, shape.AssignedPrivateIpAddress{PrivateIpAddress: new(a.String())})
	}
	return out, nil
}

func (a *API) unassignPrivateAddresses(tx *store.Tx, call *gateway.Call, in *shape.UnassignPrivateIpAddressesRequest) (*empty, error) {
	have, err := findOwnInterface(tx, call.Scope, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	next := *have
	next.Further = slices.DeleteFunc(slices.Clone(have.Further), func(a netip.Addr) bool { return slices.Contains(in.PrivateIpAddresses, a.String()) })
	if len(have.Further)-len(next.Further) != len(in.PrivateIpAddresses) || len(in.PrivateIpAddresses) == 0 {
		return nil, invalid("Some of the specified addresses are not assigned to interface %s", have.ID)
	}
	store.Interfaces.Put(tx, &next)
	return &empty{}, nil
}

// privateAddresses are all addresses of an interface, the primary one first.
func privateAddresses(i *leased) []netip.Addr { return append([]netip.Addr{i.PrivateIP}, i.Further...) }

func privateAddressShapes(i *leased, association *shape.NetworkInterfaceAssociation) []shape.NetworkInterfacePrivateIpAddress {
	out := []shape.NetworkInterfacePrivateIpAddress{{
		Primary: new(true), PrivateDnsName: new(i.PrivateDNSName), PrivateIpAddress: new(privateIP(i)), Association: association,
	}}
	for _, a := range i.Further {
		out = append(out, shape.NetworkInterfacePrivateIpAddress{
			Primary: new(false), PrivateDnsName: new(network.PrivateDNSName(i.Scope.Region, a)), PrivateIpAddress: new(a.String()),
		})
	}
	return out
}
