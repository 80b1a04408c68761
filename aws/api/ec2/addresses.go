package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

type address = network.Address

var addressKind = kind[address]{
	noun: "allocation", missing: fault.InvalidAllocationID,
	id:   func(a *address) string { return a.AllocationID },
	tags: func(a *address) []workload.Tag { return a.Tags },
	fields: map[string]func(*address) []string{
		"allocation-id":              one(func(a *address) string { return a.AllocationID }),
		"association-id":             one(func(a *address) string { return a.AssociationID }),
		"domain":                     always[address]("vpc"),
		"instance-id":                one(func(a *address) string { return a.InstanceID }),
		"network-border-group":       one(func(a *address) string { return a.Scope.Region }),
		"network-interface-id":       one(func(a *address) string { return a.InterfaceID }),
		"network-interface-owner-id": one(func(a *address) string { return a.Scope.Account }),
		"private-ip-address":         one(func(a *address) string { return addressText(a.PrivateIP) }),
		"public-ip":                  one(func(a *address) string { return a.IP.String() }),
	},
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func (a *API) describeAddresses(v *store.View, call *gateway.Call, in *shape.DescribeAddressesRequest) (*shape.DescribeAddressesResult, error) {
	filters := in.Filters
	for _, ip := range in.PublicIps {
		if _, err := addressBy(v, call.Scope, nil, &ip); err != nil {
			return nil, err
		}
	}
	if len(in.PublicIps) > 0 {
		filters = append([]shape.Filter{{Name: new("public-ip"), Values: in.PublicIps}}, filters...)
	}
	page, _, err := stored(&addressKind, store.Addresses, v, call.Scope, selection{ids: in.AllocationIds, filters: filters})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeAddressesResult{Addresses: each(page, func(a *address) shape.Address { return addressShape(v, a) })}, nil
}

func addressShape(r store.Reader, a *address) shape.Address {
	s := shape.Address{
		AllocationId: new(a.AllocationID), PublicIp: new(a.IP.String()), Domain: shape.DomainTypeVpc, PublicIpv4Pool: new("amazon"),
		NetworkBorderGroup: new(a.Scope.Region), Tags: tagShapes(a.Tags),
	}
	if a.AssociationID != "" {
		s.AssociationId, s.NetworkInterfaceId, s.NetworkInterfaceOwnerId = new(a.AssociationID), new(a.InterfaceID), new(a.Scope.Account)
		s.PrivateIpAddress, s.InstanceId = new(addressText(a.PrivateIP)), optional(a.InstanceID)
		if i, ok := store.Interfaces.Get(r, network.Key(a.Scope, a.InterfaceID)); ok {
			s.SubnetId = new(i.SubnetID)
		}
	}
	return s
}

// addressBy finds an address by its allocation, or else by itself.
func addressBy(r store.Reader, scope arn.Scope, allocation, ip *string) (*address, error) {
	if allocation != nil {
		return find(&addressKind, store.Addresses, r, scope, allocation)
	}
	for a := range store.Addresses.By(r, store.AddressesByIP, deref(ip)) {
		if a.Scope == scope {
			return a, nil
		}
	}
	if ip == nil {
		return nil, fault.New(fault.MissingParameter, "Either public IP or allocation id must be specified")
	}
	return nil, fault.New(fault.InvalidAddress, "Address '%s' not found.", *ip)
}

func (a *API) allocateAddress(tx *store.Tx, call *gateway.Call, in *shape.AllocateAddressRequest) (*shape.AllocateAddressResult, error) {
	if err := unsupported("Addresses of pools of one's own", in.CustomerOwnedIpv4Pool != nil, in.IpamPoolId != nil, in.PublicIpv4Pool != nil && *in.PublicIpv4Pool != "amazon"); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeElasticIp)
	if err != nil {
		return nil, err
	}
	made := address{Scope: call.Scope, AllocationID: newID("eipalloc"), Tags: tags}
	if made.IP, err = a.publicAddress(tx, made.AllocationID, in.Address); err != nil {
		return nil, err
	}
	store.Addresses.Put(tx, &made)
	return &shape.AllocateAddressResult{
		AllocationId: new(made.AllocationID), PublicIp: new(made.IP.String()), Domain: shape.DomainTypeVpc,
		PublicIpv4Pool: new("amazon"), NetworkBorderGroup: new(call.Scope.Region),
	}, nil
}

// publicAddress takes an address of the pool that nobody has: the one asked for, or one
// that the seed decides.
func (a *API) publicAddress(r store.Reader, seed string, asked *string) (netip.Addr, error) {
	if asked != nil {
		if ip, err := netip.ParseAddr(*asked); err == nil && a.public.Contains(ip) && lease.PublicIsFree(r, ip) {
			return ip, nil
		}
		return netip.Addr{}, fault.New(fault.InvalidAddress, "Address '%s' not found.", *asked)
	}
	if ip, ok := lease.Public(r, a.public, seed); ok {
		return ip, nil
	}
	return netip.Addr{}, fault.New(fault.AddressLimitExceeded, "The maximum number of addresses has been reached.").WithHint("all of %s is allocated", a.public)
}

func (a *API) releaseAddress(tx *store.Tx, call *gateway.Call, in *shape.ReleaseAddressRequest) (*empty, error) {
	have, err := addressBy(tx, call.Scope, in.AllocationId, in.PublicIp)
	if err != nil {
		return nil, err
	}
	if have.AssociationID != "" {
		return nil, fault.New(fault.AddressInUse, "Address %s is in use.", have.IP)
	}
	store.Addresses.Delete(tx, network.Key(have.Scope, have.AllocationID))
	return &empty{}, nil
}

func (a *API) associateAddress(tx *store.Tx, call *gateway.Call, in *shape.AssociateAddressRequest) (*shape.AssociateAddressResult, error) {
	if err := unsupported("Association with an instance instead of an interface", in.InstanceId != nil); err != nil {
		return nil, err
	}
	have, err := addressBy(tx, call.Scope, in.AllocationId, in.PublicIp)
	if err != nil {
		return nil, err
	}
	i, err := findInterface(tx, call.Scope, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	if have.InterfaceID == i.ID {
		return &shape.AssociateAddressResult{AssociationId: new(have.AssociationID)}, nil
	}
	if have.AssociationID != "" && in.AllowReassociation != nil && !*in.AllowReassociation {
		return nil, fault.New(fault.AlreadyAssociated, "resource %s is already associated with associate-id %s", have.AllocationID, have.AssociationID)
	}
	if in.PrivateIpAddress != nil && *in.PrivateIpAddress != privateIP(i) {
		if slices.Contains(texts(i.Further, netip.Addr.String), *in.PrivateIpAddress) {
			return nil, unsupported("A public address of a secondary private one", true)
		}
		return nil, invalid("%s is not an address of %s", *in.PrivateIpAddress, i.ID)
	}
	have = freeAddress(tx, have)
	for other := range store.Addresses.By(tx, store.AddressesByInterface, network.Key(i.Scope, i.ID)) {
		freeAddress(tx, other)
	}
	return &shape.AssociateAddressResult{AssociationId: new(joinAddress(tx, have, i.ID).AssociationID)}, nil
}

// joinAddress gives an interface a public address.
func joinAddress(tx *store.Tx, a *address, interfaceID string) *address {
	have, _ := store.Interfaces.Get(tx, network.Key(a.Scope, interfaceID))
	i, next := *have, *a
	i.PublicIP = a.IP
	store.Interfaces.Put(tx, &i)
	next.AssociationID, next.InterfaceID, next.PrivateIP, next.InstanceID = newID("eipassoc"), i.ID, i.PrivateIP, hostID(tx, &i)
	store.Addresses.Put(tx, &next)
	return &next
}

// freeAddress takes an address from who has it.
func freeAddress(tx *store.Tx, a *address) *address {
	if a.AssociationID == "" {
		return a
	}
	if have, ok := store.Interfaces.Get(tx, network.Key(a.Scope, a.InterfaceID)); ok && have.PublicIP == a.IP {
		i := *have
		i.PublicIP = netip.Addr{}
		store.Interfaces.Put(tx, &i)
	}
	next := *a
	next.AssociationID, next.InterfaceID, next.PrivateIP, next.InstanceID = "", "", netip.Addr{}, ""
	store.Addresses.Put(tx, &next)
	return &next
}

func (a *API) disassociateAddress(tx *store.Tx, call *gateway.Call, in *shape.DisassociateAddressRequest) (*empty, error) {
	for have := range store.Addresses.Prefix(tx, network.Key(call.Scope, "")) {
		if in.AssociationId != nil && have.AssociationID != *in.AssociationId || in.AssociationId == nil && have.IP.String() != deref(in.PublicIp) {
			continue
		}
		if i, ok := store.Interfaces.Get(tx, network.Key(call.Scope, have.InterfaceID)); ok && i.Kind != network.ForUser && i.Kind != network.ForTask {
			return nil, fault.New(fault.AuthFailure, "You do not have permission to access the specified resource.").WithHint("%s belongs to %s", i.ID, i.Owner)
		}
		freeAddress(tx, have)
		return &empty{}, nil
	}
	return nil, fault.New(fault.InvalidAssociationID, "The association ID '%s' does not exist", deref(in.AssociationId)+deref(in.PublicIp))
}

// describeAddressesAttribute lists only those that have the attribute, as AWS does.
func (a *API) describeAddressesAttribute(v *store.View, call *gateway.Call, in *shape.DescribeAddressesAttributeRequest) (*shape.DescribeAddressesAttributeResult, error) {
	all := store.Addresses.Prefix(v, network.Key(call.Scope, ""))
	if len(in.AllocationIds) > 0 {
		var err error
		if all, err = addressKind.byID(in.AllocationIds, func(id string) (*address, bool) { return store.Addresses.Get(v, network.Key(call.Scope, id)) }); err != nil {
			return nil, err
		}
	}
	named := slices.DeleteFunc(slices.Collect(all), func(a *address) bool { return a.PTR == "" })
	page, next, err := derived(&addressKind, named, selection{max: in.MaxResults, token: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeAddressesAttributeResult{
		NextToken: next, Addresses: each(page, func(a *address) shape.AddressAttribute { return *attributeShape(a) }),
	}, nil
}

// attributeShape has the name as DNS does: with the dot of the root.
func attributeShape(a *address) *shape.AddressAttribute {
	s := &shape.AddressAttribute{AllocationId: new(a.AllocationID), PublicIp: new(a.IP.String())}
	if a.PTR != "" {
		s.PtrRecord = new(strings.TrimSuffix(a.PTR, ".") + ".")
	}
	return s
}

func (a *API) modifyAddressAttribute(tx *store.Tx, call *gateway.Call, in *shape.ModifyAddressAttributeRequest) (*shape.ModifyAddressAttributeResult, error) {
	next, err := setPTR(tx, call.Scope, in.AllocationId, deref(in.DomainName))
	return &shape.ModifyAddressAttributeResult{Address: next}, err
}

func (a *API) resetAddressAttribute(tx *store.Tx, call *gateway.Call, in *shape.ResetAddressAttributeRequest) (*shape.ResetAddressAttributeResult, error) {
	next, err := setPTR(tx, call.Scope, in.AllocationId, "")
	return &shape.ResetAddressAttributeResult{Address: next}, err
}

func setPTR(tx *store.Tx, scope arn.Scope, allocation *string, name string) (*shape.AddressAttribute, error) {
	have, err := find(&addressKind, store.Addresses, tx, scope, allocation)
	if err != nil {
		return nil, err
	}
	next := *have
	next.PTR = name
	store.Addresses.Put(tx, &next)
	return attributeShape(&next), nil
}
