package placement

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

func TestTasksGetTheAddressTheyName(t *testing.T) {
	home := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	v, err := memory.Open().Update(context.Background(), func(tx *store.Tx) error {
		store.Subnets.Put(tx, &network.Subnet{Scope: home, ID: "subnet-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/24")})
		store.Interfaces.Put(tx, &network.Interface{Scope: home, ID: "eni-1", VPCID: "vpc-1", PrivateIP: netip.MustParseAddr("10.0.0.10")})
		store.Interfaces.Put(tx, &network.Interface{Scope: home, ID: "eni-2", VPCID: "vpc-1", PrivateIP: netip.MustParseAddr("10.0.0.11"), ReleasedAt: time.Unix(1, 0)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"10.0.0.77": "10.0.0.77", "10.0.0.10, 10.0.0.12": "10.0.0.12", "10.0.0.11": "10.0.0.11", // in quarantine
		"10.0.0.10": "", "10.0.0.1": "", "10.9.9.9": "", "ten": "", "": "",
	} {
		x := &task.Task{Scope: home, ID: "0123456789abcdef0123456789abcdef", Tags: []workload.Tag{{Key: StaticAddressTag, Value: value}}}
		x.Spec.NetworkConfiguration = &task.NetworkConfiguration{Subnets: []string{"subnet-1"}}
		_, got, err := FreeAddress(v, x, "us-east-1a")
		if want == "" && err == nil || want != "" && (err != nil || got.String() != want) {
			t.Errorf("%q gave %v, %v; want %q", value, got, err, want)
		}
	}
}
