package ec2

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/route"
)

// EnsureDefaultVPC makes the default VPC of a scope that never had a VPC, and
// completes those from before routes and gateways were stored. The scope's DHCP
// options mark that this was done: a default VPC that its owner deleted stays so.
func EnsureDefaultVPC(ctx context.Context, st store.Store, scope arn.Scope, cidr netip.Prefix) (*store.View, error) {
	v := st.View()
	if begun(v, scope) {
		return v, nil
	}
	v, err := st.Update(ctx, func(tx *store.Tx) error {
		if !begun(tx, scope) {
			begin(tx, scope, cidr)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("making the default VPC of %s: %w", scope.Region, err)
	}
	return v, nil
}

func begun(r store.Reader, scope arn.Scope) bool {
	_, ok := store.DHCPOptions.Get(r, network.Key(scope, network.DefaultOptions(scope).ID))
	return ok
}

func begin(tx *store.Tx, scope arn.Scope, cidr netip.Prefix) {
	options := network.DefaultOptions(scope)
	store.DHCPOptions.Put(tx, &options)
	have := 0
	for v := range store.VPCs.Prefix(tx, network.Key(scope, "")) {
		have++
		complete(tx, v)
	}
	if have == 0 {
		putDefault(tx, network.NewDefault(scope, cidr, ""))
	}
}

func putDefault(tx *store.Tx, d network.Default) {
	for n := range d.Subnets {
		store.Subnets.Put(tx, &d.Subnets[n])
	}
	store.SecurityGroups.Put(tx, &d.Group)
	complete(tx, &d.VPC)
}

// complete stores a VPC with all it implies and does not have yet.
func complete(tx *store.Tx, have *network.VPC) {
	v := *have
	if v.Number == 0 {
		v.Number = network.PickNumber(v.ID, func(n uint32) bool { return store.VPCs.Has(tx, store.VPCsByNumber, store.NumberKey(n)) })
	}
	if v.DHCPOptionsID == "" {
		v.DHCPOptionsID = network.DefaultOptions(v.Scope).ID
	}
	store.VPCs.Put(tx, &v)
	parts, key := network.NewParts(&v), network.Key(v.Scope, v.ID)
	if !store.SecurityGroups.Has(tx, store.SecurityGroupsByVPC, key) {
		store.SecurityGroups.Put(tx, &parts.Group)
	}
	if !store.ACLs.Has(tx, store.ACLsByVPC, key) {
		for s := range store.Subnets.By(tx, store.SubnetsByVPC, key) {
			parts.ACL.Associations = append(parts.ACL.Associations, aclAssociation(s.ID))
		}
		store.ACLs.Put(tx, &parts.ACL)
	}
	if _, ok := route.Main(tx, v.Scope, v.ID); !ok {
		if v.Default {
			gateway := network.DefaultGateway(&v)
			store.InternetGateways.Put(tx, &gateway)
			parts.Table.Routes = []network.Route{{To: network.World, Gateway: gateway.ID, Origin: byRoute}}
		}
		store.RouteTables.Put(tx, &parts.Table)
	}
}

func aclAssociation(subnetID string) network.ACLAssociation {
	return network.ACLAssociation{ID: network.DerivedID("aclassoc", subnetID), SubnetID: subnetID}
}
