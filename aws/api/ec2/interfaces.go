package ec2

import (
	"context"
	"iter"
	"net/netip"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type leased = network.Interface

// interfaceKind needs the state: an interface names its groups and its instance
// by ids whose names are elsewhere.
func interfaceKind(r store.Reader) *kind[leased] {
	return &kind[leased]{
		noun: "networkInterface", missing: fault.InvalidNetworkInterfaceID,
		id:   func(i *leased) string { return i.ID },
		tags: func(i *leased) []workload.Tag { return i.Tags },
		fields: map[string]func(*leased) []string{
			"addresses.private-ip-address":    func(i *leased) []string { return texts(privateAddresses(i), netip.Addr.String) },
			"addresses.association.public-ip": publicIPs,
			"association.public-ip":           publicIPs,
			"association.allocation-id":       ofAddress(r, func(a *shape.NetworkInterfaceAssociation) *string { return a.AllocationId }),
			"association.association-id":      ofAddress(r, func(a *shape.NetworkInterfaceAssociation) *string { return a.AssociationId }),
			"association.ip-owner-id":         ofAddress(r, func(a *shape.NetworkInterfaceAssociation) *string { return a.IpOwnerId }),
			"attachment.attachment-id":        attachmentIDs,
			"attachment.instance-id":          one(func(i *leased) string { return hostID(r, i) }),
			"attachment.status":               attachmentStates,
			"availability-zone":               one(func(i *leased) string { return i.Zone }),
			"description":                     one(func(i *leased) string { return i.Description }),
			"group-id":                        func(i *leased) []string { return i.SecurityGroups },
			"group-name":                      func(i *leased) []string { return groupNames(r, i) },
			"interface-type":                  one(func(i *leased) string { return string(interfaceType(i)) }),
			"mac-address":                     one(func(i *leased) string { return i.MAC }),
			"network-interface-id":            one(func(i *leased) string { return i.ID }),
			"owner-id":                        one(func(i *leased) string { return i.Scope.Account }),
			"private-dns-name":                one(func(i *leased) string { return i.PrivateDNSName }),
			"private-ip-address":              one(privateIP),
			"requester-id":                    one(func(i *leased) string { return i.RequesterID }),
			"requester-managed":               truth(requesterManaged),
			"source-dest-check":               truth(func(i *leased) bool { return !i.Unchecked }),
			"status":                          one(func(i *leased) string { return string(interfaceStatus(i)) }),
			"subnet-id":                       one(func(i *leased) string { return i.SubnetID }),
			"vpc-id":                          one(func(i *leased) string { return i.VPCID }),
		},
	}
}

// ofAddress makes a filter field of what an interface shows of its public address.
func ofAddress(r store.Reader, value func(*shape.NetworkInterfaceAssociation) *string) func(*leased) []string {
	return func(i *leased) []string {
		if a := associationShape(r, i); a != nil && value(a) != nil {
			return []string{*value(a)}
		}
		return nil
	}
}

func privateIP(i *leased) string      { return i.PrivateIP.String() }
func requesterManaged(i *leased) bool { return i.RequesterID != "" }
func attachmentID(i *leased) string   { return network.DerivedID("eni-attach", i.ID) }

func publicIPs(i *leased) []string {
	if !i.PublicIP.IsValid() {
		return nil
	}
	return []string{i.PublicIP.String()}
}

// hostID is the EC2 id of the container instance that an interface is on. Empty
// for Fargate: its hosts are not the account's.
func hostID(r store.Reader, i *leased) string {
	host, ok := store.Instances.Get(r, i.InstanceARN)
	if !ok || !host.OffersEC2 {
		return ""
	}
	if t, ok := store.Tasks.Get(r, i.TaskARN); ok && t.Spec.LaunchType == workload.Fargate {
		return ""
	}
	return host.EC2ID
}

func groupNames(r store.Reader, i *leased) []string {
	var names []string
	for _, g := range groupIdentifiers(r, i) {
		names = append(names, *g.GroupName)
	}
	return names
}

func (a *API) describeNetworkInterfaces(ctx context.Context, call *gateway.Call, in *shape.DescribeNetworkInterfacesRequest) (*shape.DescribeNetworkInterfacesResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	k, all := interfaceKind(v), heldInterfaces(v, call.Scope)
	if len(in.NetworkInterfaceIds) > 0 {
		all, err = k.byID(in.NetworkInterfaceIds, func(id string) (*leased, bool) {
			i, ok := store.Interfaces.Get(v, network.Key(call.Scope, id))
			return i, ok && i.ReleasedAt.IsZero()
		})
		if err != nil {
			return nil, err
		}
	}
	page, next, err := k.list(all, selection{nil, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeNetworkInterfacesResult{
		NetworkInterfaces: each(page, func(i *leased) shape.NetworkInterface { return interfaceShape(v, i) }), NextToken: next,
	}, nil
}

// heldInterfaces leaves out what is released: on AWS an interface is gone then.
func heldInterfaces(r store.Reader, scope arn.Scope) iter.Seq[*leased] {
	return func(yield func(*leased) bool) {
		for i := range store.Interfaces.Prefix(r, network.Key(scope, "")) {
			if i.ReleasedAt.IsZero() && !yield(i) {
				return
			}
		}
	}
}

func interfaceShape(r store.Reader, i *leased) shape.NetworkInterface {
	association := associationShape(r, i)
	return shape.NetworkInterface{
		NetworkInterfaceId: new(i.ID), OwnerId: new(i.Scope.Account), VpcId: new(i.VPCID), SubnetId: new(i.SubnetID),
		AvailabilityZone: new(i.Zone), AvailabilityZoneId: new(network.ZoneID(i.Zone)), MacAddress: new(i.MAC),
		Description: new(i.Description), InterfaceType: interfaceType(i), Status: interfaceStatus(i),
		RequesterId: optional(i.RequesterID), RequesterManaged: new(requesterManaged(i)), SourceDestCheck: new(!i.Unchecked),
		PrivateDnsName: new(i.PrivateDNSName), PrivateIpAddress: new(privateIP(i)),
		PrivateIpAddresses: privateAddressShapes(i, association), Ipv6Addresses: []shape.NetworkInterfaceIpv6Address{},
		Groups: groupIdentifiers(r, i), Association: association,
		Attachment: attachmentShape(r, i), TagSet: tagList(i.Tags),
	}
}

// tagList is empty without tags: interfaces have the set always.
func tagList(tags []workload.Tag) []shape.Tag { return append([]shape.Tag{}, tagShapes(tags)...) }

func interfaceType(i *leased) shape.NetworkInterfaceType {
	switch i.Kind {
	case network.ForNAT:
		return shape.NetworkInterfaceTypeNatGateway
	case network.ForEndpoint:
		return shape.NetworkInterfaceTypeVpcEndpoint
	}
	return shape.NetworkInterfaceTypeInterface
}

// interfaceStatus: what a user made is attached to nothing.
func interfaceStatus(i *leased) shape.NetworkInterfaceStatus {
	if i.Kind == network.ForUser {
		return shape.NetworkInterfaceStatusAvailable
	}
	return shape.NetworkInterfaceStatusInUse
}

func attachmentIDs(i *leased) []string {
	if i.Kind == network.ForUser {
		return nil
	}
	return []string{attachmentID(i)}
}

func attachmentStates(i *leased) []string {
	if i.Kind == network.ForUser {
		return nil
	}
	return []string{string(shape.AttachmentStatusAttached)}
}

func attachmentShape(r store.Reader, i *leased) *shape.NetworkInterfaceAttachment {
	if i.Kind == network.ForUser {
		return nil
	}
	s := &shape.NetworkInterfaceAttachment{
		AttachmentId: new(attachmentID(i)), AttachTime: new(i.CreatedAt), Status: shape.AttachmentStatusAttached, DeviceIndex: new(int32(1)),
		NetworkCardIndex: new(int32(0)), InstanceId: optional(hostID(r, i)), InstanceOwnerId: new(i.Scope.Account), DeleteOnTermination: new(true),
	}
	if i.Kind != network.ForTask {
		s.InstanceOwnerId, s.DeleteOnTermination = new(i.RequesterID), new(false)
	}
	return s
}

func associationShape(r store.Reader, i *leased) *shape.NetworkInterfaceAssociation {
	if !i.PublicIP.IsValid() {
		return nil
	}
	s := &shape.NetworkInterfaceAssociation{PublicIp: new(i.PublicIP.String()), IpOwnerId: new("amazon")}
	for a := range store.Addresses.By(r, store.AddressesByInterface, network.Key(i.Scope, i.ID)) {
		if a.IP == i.PublicIP {
			s.AllocationId, s.AssociationId, s.IpOwnerId = new(a.AllocationID), new(a.AssociationID), new(a.Scope.Account)
		}
	}
	return s
}

func groupIdentifiers(r store.Reader, i *leased) []shape.GroupIdentifier {
	out := make([]shape.GroupIdentifier, 0, len(i.SecurityGroups))
	for _, id := range i.SecurityGroups {
		name := ""
		if g, ok := store.SecurityGroups.Get(r, network.Key(i.Scope, id)); ok {
			name = g.Name
		}
		out = append(out, shape.GroupIdentifier{GroupId: new(id), GroupName: new(name)})
	}
	return out
}
