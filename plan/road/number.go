package road

import (
	"time"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// firstNumber keeps VPCs apart from other networks that may use VXLAN between the same
// machines: Docker's and Kubernetes' count from below.
const firstNumber = 0xbe0000

// lastNumber is VXLAN's: identifiers have 24 bits.
const lastNumber = 1<<24 - 1

// Planner numbers VPCs that have none.
func Planner() plan.Planner {
	return plan.Planner{Name: "road", Wakes: []store.Descriptor{store.VPCs}, Look: number}
}

func number(v *store.View, _ time.Time) (d plan.Decision) {
	for vpc := range store.VPCs.All(v) {
		if vpc.Number == 0 {
			key := network.Key(vpc.Scope, vpc.ID)
			d.Changes = append(d.Changes, plan.Change{Subject: key, Says: "give the VPC its number", Apply: func(tx *store.Tx) error { return give(tx, key) }})
		}
	}
	return d
}

func give(tx *store.Tx, key string) error {
	vpc, ok := store.VPCs.Get(tx, key)
	if !ok || vpc.Number != 0 {
		return plan.ErrStale
	}
	taken := map[uint32]bool{}
	for other := range store.VPCs.All(tx) {
		taken[other.Number] = true
	}
	for n := uint32(firstNumber); n <= lastNumber; n++ {
		if !taken[n] {
			next := *vpc
			next.Number = n
			store.VPCs.Put(tx, &next)
			return nil
		}
	}
	return plan.ErrStale
}
