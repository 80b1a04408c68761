package placement

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// Whether a task gets a public address is its own to say, not its subnet's.
func TestTasksAreAssignedPublicAddresses(t *testing.T) {
	home := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	_, err := memory.Open().Update(context.Background(), func(tx *store.Tx) error {
		store.Subnets.Put(tx, &network.Subnet{Scope: home, ID: "subnet-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/16"), MapPublicIP: true})
		const pool = 254
		seen := map[netip.Addr]bool{}
		for n := range pool + 2 {
			assign := "ENABLED"
			if n == 0 {
				assign = "DISABLED"
			}
			id := network.DerivedID("x", string(rune('a'+n)))[2:] + "00000000000000000"
			x := &task.Task{Scope: home, ARN: id, ID: id}
			x.Spec.NetworkConfiguration = &task.NetworkConfiguration{Subnets: []string{"subnet-1"}, AssignPublicIP: assign}
			got, err := Assign(tx, x, &Placement{Instance: &cluster.Instance{ARN: "one"}}, time.Unix(1, 0))
			if err != nil {
				t.Fatal(err)
			}
			i, _ := store.Interfaces.Get(tx, network.Key(home, got.Assignment.InterfaceID))
			want := n > 0 && n <= pool // the pool is empty then
			if i.PublicIP.IsValid() != want || want && !network.PublicPool().Contains(i.PublicIP) || seen[i.PublicIP] && want {
				t.Fatalf("task %d with %s has %v", n, assign, i.PublicIP)
			}
			seen[i.PublicIP] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
