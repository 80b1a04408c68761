package ec2_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
	"github.com/berthhq/berth/store/route"
)

// A default VPC from before routes were stored gets them once, and its own number.
func TestOldDefaultVPCsAreCompleted(t *testing.T) {
	s := gatewaytest.Start(t, func(store.Store) []gateway.Offer { return nil }, nil)
	d := network.NewDefault(gatewaytest.Scope, network.DefaultCIDR, "")
	s.Put(t, func(tx *store.Tx) {
		store.VPCs.Put(tx, &d.VPC)
		store.SecurityGroups.Put(tx, &d.Group)
		for n := range d.Subnets {
			store.Subnets.Put(tx, &d.Subnets[n])
		}
	})
	for range 2 {
		v, err := ec2.EnsureDefaultVPC(context.Background(), s.Store, gatewaytest.Scope, network.DefaultCIDR)
		if err != nil {
			t.Fatal(err)
		}
		vpc, _ := store.VPCs.Get(v, network.Key(gatewaytest.Scope, d.VPC.ID))
		if vpc.Number == 0 || store.RouteTables.Len(v) != 1 || store.InternetGateways.Len(v) != 1 || store.ACLs.Len(v) != 1 || store.SecurityGroups.Len(v) != 1 {
			t.Errorf("got %+v", vpc)
		}
		if exit, _ := route.Exit(v, &d.Subnets[0]); exit != network.ExitIGW {
			t.Errorf("default subnet's exit is %q", exit)
		}
	}
	s.Put(t, func(tx *store.Tx) {
		want := network.Interface{ID: "eni-1", PrivateIP: netip.MustParseAddr("172.31.0.9"), Kind: network.ForBalancer}
		if _, err := lease.Take(tx, &d.Subnets[0], want, time.Unix(1, 0)); err != nil {
			t.Error(err)
		}
		if _, err := lease.Take(tx, &d.Subnets[0], want, time.Unix(1, 0)); err == nil {
			t.Error("an address was leased twice")
		}
	})
}
