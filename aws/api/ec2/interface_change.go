package ec2

import (
	"net/netip"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

// amazonID is the requester of what AWS's own services make.
const amazonID = "amazon-aws"

func findInterface(r store.Reader, scope arn.Scope, id *string) (*leased, error) {
	k := interfaceKind(r)
	i, err := find(k, store.Interfaces, r, scope, id)
	if err == nil && !i.ReleasedAt.IsZero() {
		return nil, fault.New(k.missing, "The networkInterface ID '%s' does not exist", i.ID)
	}
	return i, err
}

func (a *API) createNetworkInterface(tx *store.Tx, call *gateway.Call, in *shape.CreateNetworkInterfaceRequest) (*shape.CreateNetworkInterfaceResult, error) {
	if err := unsupported("Prefixes of an interface, and IPv6,", len(in.Ipv6Addresses) > 0, in.Ipv6AddressCount != nil && *in.Ipv6AddressCount > 0,
		len(in.Ipv4Prefixes) > 0, in.Ipv4PrefixCount != nil, len(in.Ipv6Prefixes) > 0, in.Ipv6PrefixCount != nil); err != nil {
		return nil, err
	}
	s, err := findSubnet(tx, call.Scope, in.SubnetId)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeNetworkInterface)
	if err != nil {
		return nil, err
	}
	want := network.Interface{Kind: network.ForUser, Description: deref(in.Description), Tags: tags}
	if want.SecurityGroups, err = groupsFor(tx, call.Scope, s.VPCID, in.Groups); err != nil {
		return nil, err
	}
	first, more := addressesAsked(in)
	if first != nil {
		if want.PrivateIP, err = netip.ParseAddr(*first); err != nil {
			return nil, invalid("invalid value for parameter address: %s", *first)
		}
	}
	i, err := lease.Take(tx, s, want, call.Now)
	if err == nil {
		i, err = more.take(tx, i)
	}
	if err != nil {
		return nil, err
	}
	return &shape.CreateNetworkInterfaceResult{NetworkInterface: new(interfaceShape(tx, i)), ClientToken: in.ClientToken}, nil
}

// addressesAsked are the primary address, nil for any, and the secondary ones.
func addressesAsked(in *shape.CreateNetworkInterfaceRequest) (first *string, more further) {
	first, more.count = in.PrivateIpAddress, in.SecondaryPrivateIpAddressCount
	for _, a := range in.PrivateIpAddresses {
		if first == nil && (isTrue(a.Primary) || len(in.PrivateIpAddresses) == 1) {
			first = a.PrivateIpAddress
			continue
		}
		more.named = append(more.named, deref(a.PrivateIpAddress))
	}
	return first, more
}

// groupsFor checks that groups are of a VPC. Without any it is the default one.
func groupsFor(r store.Reader, scope arn.Scope, vpcID string, ids []string) ([]string, error) {
	for _, id := range ids {
		g, err := findGroup(r, scope, &id, nil)
		if err != nil {
			return nil, err
		}
		if g.VPCID != vpcID {
			return nil, invalid("You have specified two resources that belong to different networks.")
		}
	}
	if len(ids) > 0 {
		return ids, nil
	}
	for g := range store.SecurityGroups.By(r, store.SecurityGroupsByVPC, network.Key(scope, vpcID)) {
		if g.Name == "default" {
			return []string{g.ID}, nil
		}
	}
	return nil, nil
}

func (a *API) deleteNetworkInterface(tx *store.Tx, call *gateway.Call, in *shape.DeleteNetworkInterfaceRequest) (*empty, error) {
	i, err := findInterface(tx, call.Scope, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	if i.Kind != network.ForUser {
		return nil, fault.New(fault.InterfaceInUse, "Network interface '%s' is currently in use.", i.ID)
	}
	for held := range store.Addresses.By(tx, store.AddressesByInterface, network.Key(i.Scope, i.ID)) {
		freeAddress(tx, held)
	}
	if now, ok := store.Interfaces.Get(tx, network.Key(i.Scope, i.ID)); ok {
		lease.Release(tx, now, call.Now)
	}
	return &empty{}, nil
}

// attachNetworkInterface: instances have the one interface of their machine.
func (a *API) attachNetworkInterface(tx *store.Tx, call *gateway.Call, in *shape.AttachNetworkInterfaceRequest) (*shape.AttachNetworkInterfaceResult, error) {
	if _, err := findInterface(tx, call.Scope, in.NetworkInterfaceId); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.UnsupportedOperation, "Instances can not be given further network interfaces.")
}

func (a *API) detachNetworkInterface(tx *store.Tx, call *gateway.Call, in *shape.DetachNetworkInterfaceRequest) (*empty, error) {
	for i := range heldInterfaces(tx, call.Scope) {
		if i.Kind != network.ForUser && attachmentID(i) == deref(in.AttachmentId) {
			return nil, fault.New(fault.OperationNotPermitted, "You are not allowed to manage '%s' attachments.", requesterOf(i))
		}
	}
	return nil, fault.New(fault.InvalidAttachmentID, "The interface attachment '%s' does not exist.", deref(in.AttachmentId))
}

func requesterOf(i *leased) string {
	if i.Kind == network.ForTask {
		return "ecs"
	}
	return "ela"
}

func (a *API) modifyNetworkInterfaceAttribute(tx *store.Tx, call *gateway.Call, in *shape.ModifyNetworkInterfaceAttributeRequest) (*empty, error) {
	have, err := findOwnInterface(tx, call.Scope, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	next := *have
	if in.Description != nil {
		next.Description = deref(in.Description.Value)
	}
	if in.SourceDestCheck != nil && in.SourceDestCheck.Value != nil {
		next.Unchecked = !*in.SourceDestCheck.Value
	}
	if len(in.Groups) > 0 {
		if next.SecurityGroups, err = groupsFor(tx, call.Scope, have.VPCID, in.Groups); err != nil {
			return nil, err
		}
	}
	store.Interfaces.Put(tx, &next)
	return &empty{}, nil
}

func (a *API) resetNetworkInterfaceAttribute(tx *store.Tx, call *gateway.Call, in *shape.ResetNetworkInterfaceAttributeRequest) (*empty, error) {
	return a.modifyNetworkInterfaceAttribute(tx, call, &shape.ModifyNetworkInterfaceAttributeRequest{
		NetworkInterfaceId: in.NetworkInterfaceId, SourceDestCheck: &shape.AttributeBooleanValue{Value: new(true)},
	})
}

func (a *API) describeNetworkInterfaceAttribute(v *store.View, call *gateway.Call, in *shape.DescribeNetworkInterfaceAttributeRequest) (*shape.DescribeNetworkInterfaceAttributeResult, error) {
	i, err := findInterface(v, call.Scope, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeNetworkInterfaceAttributeResult{NetworkInterfaceId: new(i.ID)}
	switch in.Attribute {
	case shape.NetworkInterfaceAttributeDescription:
		out.Description = &shape.AttributeValue{Value: new(i.Description)}
	case shape.NetworkInterfaceAttributeGroupSet:
		out.Groups = groupIdentifiers(v, i)
	case shape.NetworkInterfaceAttributeSourceDestCheck:
		out.SourceDestCheck = &shape.AttributeBooleanValue{Value: new(!i.Unchecked)}
	case shape.NetworkInterfaceAttributeAttachment:
		out.Attachment = attachmentShape(v, i)
	case shape.NetworkInterfaceAttributeAssociatePublicIpAddress:
		out.AssociatePublicIpAddress = new(i.PublicIP.IsValid())
	default:
		return nil, invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}
