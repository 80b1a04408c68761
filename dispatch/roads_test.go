package dispatch

import (
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

func TestASessionTellsItsVPCs(t *testing.T) {
	h := open(t)
	i := h.instance("0a", ours())
	face := network.Interface{Scope: scope, ID: "eni-1", VPCID: "vpc-1", SubnetID: "subnet-1", PrivateIP: netip.MustParseAddr("172.31.16.9"), SecurityGroups: []string{"sg-1"}}
	group := network.SecurityGroup{Scope: scope, ID: "sg-1", VPCID: "vpc-1", Ingress: []network.Rule{{Protocol: "-1", Group: "sg-1"}}}
	h.update(func(tx *store.Tx) {
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-1", CIDR: netip.MustParsePrefix("172.31.0.0/16")})
		store.Subnets.Put(tx, &network.Subnet{Scope: scope, ID: "subnet-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("172.31.16.0/20")})
		store.SecurityGroups.Put(tx, &group)
		store.Interfaces.Put(tx, &face)
	})
	ws := h.connect(i)
	if first := attend[acs.NetworkStates](t, ws, acs.TypeNetworkStates); !first.Complete || len(first.States) != 0 {
		t.Fatalf("a host with nothing was told %+v", first)
	}
	here := face
	here.InstanceARN = i.ARN
	h.update(func(tx *store.Tx) { store.Interfaces.Put(tx, &here) })
	got := attend[acs.NetworkStates](t, ws, acs.TypeNetworkStates)
	if got.Complete || len(got.States) != 1 || len(got.States[0].Ends) != 1 || got.States[0].Members["sg-1"][0] != face.PrivateIP {
		t.Fatalf("an interface came: %+v", got)
	}
	open := group
	open.Ingress = []network.Rule{{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: "0.0.0.0/0"}}
	start := time.Now()
	h.update(func(tx *store.Tx) { store.SecurityGroups.Put(tx, &open) })
	got = attend[acs.NetworkStates](t, ws, acs.TypeNetworkStates)
	t.Logf("a rule was told after %v", time.Since(start))
	if len(got.States) != 1 || got.States[0].Groups[0].Ingress[0].FromPort != 80 {
		t.Fatalf("a rule came: %+v", got)
	}
	// What concerns nobody here is not told; the next frame is of the release.
	h.update(func(tx *store.Tx) {
		store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: scope, ID: "sg-9", VPCID: "vpc-1"})
	})
	gone := here
	gone.ReleasedAt = time.Now()
	h.update(func(tx *store.Tx) { store.Interfaces.Put(tx, &gone) })
	if got = attend[acs.NetworkStates](t, ws, acs.TypeNetworkStates); len(got.States) != 1 || len(got.States[0].Ends) != 0 || got.States[0].VPCID != "vpc-1" {
		t.Fatalf("the interface went: %+v", got)
	}
}
