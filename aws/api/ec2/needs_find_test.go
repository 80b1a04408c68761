package ec2_test

import (
	"slices"
	"testing"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// What requests name by association, attachment or address is asked for by its ARN.
func TestNeedsFollowAssociations(t *testing.T) {
	s := start(t)
	s.Furnish(t)
	scope := gatewaytest.Scope
	var subnet *network.Subnet
	for subnet = range store.Subnets.Prefix(s.Store.View(), network.Key(scope, "")) {
		break
	}
	s.Put(t, func(tx *store.Tx) {
		store.RouteTables.Put(tx, &network.RouteTable{
			Scope: scope, ID: "rtb-1", VPCID: subnet.VPCID, Tags: []workload.Tag{{Key: "team", Value: "blue"}},
			Associations: []network.Association{{ID: "rtbassoc-1", SubnetID: subnet.ID}},
		})
		store.ACLs.Put(tx, &network.ACL{Scope: scope, ID: "acl-1", VPCID: subnet.VPCID, Associations: []network.ACLAssociation{{ID: "aclassoc-1", SubnetID: subnet.ID}}})
		store.Addresses.Put(tx, &network.Address{Scope: scope, AllocationID: "eipalloc-1", AssociationID: "eipassoc-1", InterfaceID: gatewaytest.FargateInterface})
	})
	needs := ec2.New(s.Store, network.DefaultCIDR).Needs()
	for operation, c := range map[string]struct {
		in   any
		want []string
	}{
		"DisassociateRouteTable":       {&shape.DisassociateRouteTableRequest{AssociationId: new("rtbassoc-1")}, []string{"route-table/rtb-1", "subnet/" + subnet.ID}},
		"ReplaceNetworkAclAssociation": {&shape.ReplaceNetworkAclAssociationRequest{AssociationId: new("aclassoc-1"), NetworkAclId: new("acl-1")}, []string{"network-acl/acl-1", "subnet/" + subnet.ID}},
		"DisassociateAddress":          {&shape.DisassociateAddressRequest{AssociationId: new("eipassoc-1")}, []string{"elastic-ip/eipalloc-1", "network-interface/" + gatewaytest.FargateInterface}},
		"CreateSecurityGroup":          {&shape.CreateSecurityGroupRequest{}, []string{"security-group/*", "vpc/" + subnet.VPCID}},
		"DeleteSecurityGroup":          {&shape.DeleteSecurityGroupRequest{}, nil},
	} {
		var got []string
		for _, n := range needs[operation](&gateway.Call{Scope: scope, Operation: operation}, c.in) {
			for _, r := range n.Resources {
				got = append(got, r[len(prefix):])
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s needs %v, want %v", operation, got, c.want)
		}
	}
	if n := needs["DeleteSecurityGroup"](&gateway.Call{Scope: scope}, &shape.DeleteSecurityGroupRequest{}); len(n) != 1 {
		t.Errorf("a request that names nothing needs %v, want its own action", n)
	}
	if n := needs["DeleteRouteTable"](&gateway.Call{Scope: scope}, &shape.DeleteRouteTableRequest{RouteTableId: new("rtb-1")}); !slices.Equal(n[0].Keys["ec2:Vpc"], []string{prefix + "vpc/" + subnet.VPCID}) {
		t.Errorf("the keys of a route table are %v", n[0].Keys)
	}
	table, _ := arn.Parse(prefix + "route-table/rtb-1")
	if tags, ok := ec2.TagsOf(s.Store.View(), table); !ok || len(tags) != 1 || tags[0].Value != "blue" {
		t.Errorf("the tags of a route table are %v, %v", tags, ok)
	}
}
