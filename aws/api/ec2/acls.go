package ec2

import (
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type acl = network.ACL

// Network ACLs are kept and shown as they are told. Hosts do not filter by them.
var aclKind = kind[acl]{
	noun: "networkAcl", missing: fault.InvalidNetworkAclID,
	id:   func(a *acl) string { return a.ID },
	tags: func(a *acl) []workload.Tag { return a.Tags },
	fields: map[string]func(*acl) []string{
		"association.association-id": func(a *acl) []string {
			return texts(a.Associations, func(x network.ACLAssociation) string { return x.ID })
		},
		"association.network-acl-id": one(func(a *acl) string { return a.ID }),
		"association.subnet-id": func(a *acl) []string {
			return texts(a.Associations, func(x network.ACLAssociation) string { return x.SubnetID })
		},
		"default":               truth(func(a *acl) bool { return a.Default }),
		"entry.cidr":            entries(func(e *network.ACLEntry) string { return e.CIDR }),
		"entry.egress":          entries(func(e *network.ACLEntry) string { return strconv.FormatBool(e.Egress) }),
		"entry.icmp.code":       entries(func(e *network.ACLEntry) string { return strconv.Itoa(e.ICMPCode) }, "1", "58"),
		"entry.icmp.type":       entries(func(e *network.ACLEntry) string { return strconv.Itoa(e.ICMPType) }, "1", "58"),
		"entry.ipv6-cidr":       entries(func(e *network.ACLEntry) string { return e.CIDR6 }),
		"entry.port-range.from": entries(func(e *network.ACLEntry) string { return strconv.Itoa(e.FromPort) }, "6", "17"),
		"entry.port-range.to":   entries(func(e *network.ACLEntry) string { return strconv.Itoa(e.ToPort) }, "6", "17"),
		"entry.protocol":        entries(func(e *network.ACLEntry) string { return e.Protocol }),
		"entry.rule-action":     entries(func(e *network.ACLEntry) string { return string(action(e)) }),
		"entry.rule-number":     entries(func(e *network.ACLEntry) string { return strconv.Itoa(e.Number) }),
		"network-acl-id":        one(func(a *acl) string { return a.ID }),
		"owner-id":              one(func(a *acl) string { return a.Scope.Account }),
		"vpc-id":                one(func(a *acl) string { return a.VPCID }),
	},
}

// entries makes a filter field of the entries; of those of some protocols, if any are
// named.
func entries(value func(*network.ACLEntry) string, protocols ...string) func(*acl) []string {
	return func(a *acl) []string {
		return texts(a.Entries, func(e network.ACLEntry) string {
			if len(protocols) > 0 && !slices.Contains(protocols, e.Protocol) {
				return ""
			}
			return value(&e)
		})
	}
}

func action(e *network.ACLEntry) shape.RuleAction {
	if e.Allow {
		return shape.RuleActionAllow
	}
	return shape.RuleActionDeny
}

func (a *API) describeNetworkACLs(v *store.View, call *gateway.Call, in *shape.DescribeNetworkAclsRequest) (*shape.DescribeNetworkAclsResult, error) {
	page, next, err := stored(&aclKind, store.ACLs, v, call.Scope, selection{in.NetworkAclIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeNetworkAclsResult{NetworkAcls: each(page, aclShape), NextToken: next}, nil
}

func aclShape(a *acl) shape.NetworkAcl {
	s := shape.NetworkAcl{
		NetworkAclId: new(a.ID), VpcId: new(a.VPCID), OwnerId: new(a.Scope.Account), IsDefault: new(a.Default),
		Associations: []shape.NetworkAclAssociation{}, Entries: []shape.NetworkAclEntry{}, Tags: tagShapes(a.Tags),
	}
	for _, x := range a.Associations {
		s.Associations = append(s.Associations, shape.NetworkAclAssociation{NetworkAclAssociationId: new(x.ID), NetworkAclId: new(a.ID), SubnetId: new(x.SubnetID)})
	}
	for _, e := range a.Entries {
		s.Entries = append(s.Entries, entryShape(e))
	}
	return s
}

func entryShape(e network.ACLEntry) shape.NetworkAclEntry {
	s := shape.NetworkAclEntry{
		CidrBlock: optional(e.CIDR), Ipv6CidrBlock: optional(e.CIDR6), Egress: new(e.Egress), Protocol: new(e.Protocol), RuleNumber: new(int32(e.Number)),
		RuleAction: action(&e),
	}
	switch e.Protocol {
	case "6", "17":
		s.PortRange = &shape.PortRange{From: new(int32(e.FromPort)), To: new(int32(e.ToPort))}
	case "1", "58":
		s.IcmpTypeCode = &shape.IcmpTypeCode{Type: new(int32(e.ICMPType)), Code: new(int32(e.ICMPCode))}
	}
	return s
}

func (a *API) createNetworkACL(tx *store.Tx, call *gateway.Call, in *shape.CreateNetworkAclRequest) (*shape.CreateNetworkAclResult, error) {
	v, err := findVPC(tx, call.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeNetworkAcl)
	if err != nil {
		return nil, err
	}
	made := acl{Scope: call.Scope, ID: newID("acl"), VPCID: v.ID, Entries: network.ClosedEntries(), Tags: tags}
	store.ACLs.Put(tx, &made)
	return &shape.CreateNetworkAclResult{NetworkAcl: new(aclShape(&made)), ClientToken: in.ClientToken}, nil
}

func (a *API) deleteNetworkACL(tx *store.Tx, call *gateway.Call, in *shape.DeleteNetworkAclRequest) (*empty, error) {
	have, err := find(&aclKind, store.ACLs, tx, call.Scope, in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	if have.Default {
		return nil, invalid("cannot delete default network ACL %s", have.ID)
	}
	if len(have.Associations) > 0 {
		return nil, inUse("The networkAcl '%s' has dependencies and cannot be deleted.", have.ID)
	}
	store.ACLs.Delete(tx, network.Key(have.Scope, have.ID))
	return &empty{}, nil
}

func alterACL(tx *store.Tx, scope arn.Scope, id *string, fn func(*acl) error) error {
	have, err := find(&aclKind, store.ACLs, tx, scope, id)
	if err != nil {
		return err
	}
	next := *have
	next.Entries, next.Associations = slices.Clone(have.Entries), slices.Clone(have.Associations)
	if err := fn(&next); err != nil {
		return err
	}
	slices.SortStableFunc(next.Entries, byNumber)
	store.ACLs.Put(tx, &next)
	return nil
}

// byNumber is the order in which AWS shows entries: those of egress first.
func byNumber(a, b network.ACLEntry) int {
	if a.Egress != b.Egress {
		if a.Egress {
			return -1
		}
		return 1
	}
	return a.Number - b.Number
}

func (a *API) createACLEntry(tx *store.Tx, call *gateway.Call, in *shape.CreateNetworkAclEntryRequest) (*empty, error) {
	made, err := entryAsked(in)
	if err != nil {
		return nil, err
	}
	return &empty{}, alterACL(tx, call.Scope, in.NetworkAclId, func(next *acl) error {
		if entryAt(next, made.Number, made.Egress) >= 0 {
			return fault.New(fault.NetworkAclEntryAlreadyExists, "The network acl entry identified by %d already exists.", made.Number)
		}
		next.Entries = append(next.Entries, made)
		return nil
	})
}

func (a *API) replaceACLEntry(tx *store.Tx, call *gateway.Call, in *shape.ReplaceNetworkAclEntryRequest) (*empty, error) {
	made, err := entryAsked(new(shape.CreateNetworkAclEntryRequest(*in)))
	if err != nil {
		return nil, err
	}
	return &empty{}, alterACL(tx, call.Scope, in.NetworkAclId, func(next *acl) error {
		at := entryAt(next, made.Number, made.Egress)
		if at < 0 {
			return fault.New(fault.InvalidNetworkAclEntry, "The network acl entry identified by %d does not exist.", made.Number)
		}
		next.Entries[at] = made
		return nil
	})
}

func (a *API) deleteACLEntry(tx *store.Tx, call *gateway.Call, in *shape.DeleteNetworkAclEntryRequest) (*empty, error) {
	if in.RuleNumber == nil {
		return nil, fault.New(fault.MissingParameter, "The request must contain the parameter ruleNumber")
	}
	return &empty{}, alterACL(tx, call.Scope, in.NetworkAclId, func(next *acl) error {
		at := entryAt(next, int(*in.RuleNumber), isTrue(in.Egress))
		if at < 0 || *in.RuleNumber == network.LastEntry {
			return fault.New(fault.InvalidNetworkAclEntry, "The network acl entry identified by %d does not exist.", *in.RuleNumber)
		}
		next.Entries = slices.Delete(next.Entries, at, at+1)
		return nil
	})
}

func entryAt(a *acl, number int, egress bool) int {
	return slices.IndexFunc(a.Entries, func(e network.ACLEntry) bool { return e.Number == number && e.Egress == egress })
}

func entryAsked(in *shape.CreateNetworkAclEntryRequest) (network.ACLEntry, error) {
	e := network.ACLEntry{Egress: isTrue(in.Egress), Allow: in.RuleAction == shape.RuleActionAllow, Protocol: network.ProtocolNumber(deref(in.Protocol))}
	if in.RuleNumber == nil || *in.RuleNumber < 1 || *in.RuleNumber >= network.LastEntry {
		return e, invalid("The rule number must be from 1 to 32766.")
	}
	e.Number = int(*in.RuleNumber)
	var err error
	switch {
	case in.CidrBlock != nil:
		e.CIDR, err = anyRange(*in.CidrBlock, false, "cidrBlock")
	case in.Ipv6CidrBlock != nil:
		e.CIDR6, err = anyRange(*in.Ipv6CidrBlock, true, "ipv6CidrBlock")
	default:
		err = fault.New(fault.MissingParameter, "The request must contain the parameter cidrBlock or ipv6CidrBlock")
	}
	if p := in.PortRange; p != nil && p.From != nil && p.To != nil {
		e.FromPort, e.ToPort = int(*p.From), int(*p.To)
	} else if e.Protocol == "6" || e.Protocol == "17" {
		return e, fault.New(fault.MissingParameter, "The request must contain the parameter portRange")
	}
	if i := in.IcmpTypeCode; i != nil && i.Type != nil && i.Code != nil {
		e.ICMPType, e.ICMPCode = int(*i.Type), int(*i.Code)
	}
	return e, err
}

func (a *API) replaceACLAssociation(tx *store.Tx, call *gateway.Call, in *shape.ReplaceNetworkAclAssociationRequest) (*shape.ReplaceNetworkAclAssociationResult, error) {
	for have := range store.ACLs.Prefix(tx, network.Key(call.Scope, "")) {
		at := slices.IndexFunc(have.Associations, func(x network.ACLAssociation) bool { return x.ID == deref(in.AssociationId) })
		if at < 0 {
			continue
		}
		moved := network.ACLAssociation{ID: newID("aclassoc"), SubnetID: have.Associations[at].SubnetID}
		from := *have
		from.Associations = slices.Delete(slices.Clone(have.Associations), at, at+1)
		store.ACLs.Put(tx, &from)
		return &shape.ReplaceNetworkAclAssociationResult{NewAssociationId: new(moved.ID)}, alterACL(tx, call.Scope, in.NetworkAclId, func(next *acl) error {
			if next.VPCID != from.VPCID {
				return invalid("You have specified two resources that belong to different networks.")
			}
			next.Associations = append(next.Associations, moved)
			return nil
		})
	}
	return nil, fault.New(fault.InvalidAssociationID, "The association ID '%s' does not exist", deref(in.AssociationId))
}
