package road_test

import (
	"context"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

func TestEveryVPCGetsANumberOfItsOwn(t *testing.T) {
	s := memory.Open()
	if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
		for _, id := range []string{"vpc-1", "vpc-2", "vpc-3"} {
			store.VPCs.Put(tx, &network.VPC{ID: id})
		}
		store.VPCs.Put(tx, &network.VPC{ID: "vpc-4", Number: 0xbe0001})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := control.New(s, []plan.Planner{road.Planner()}, nil).Step(context.Background(), time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	seen := map[uint32]bool{}
	for v := range store.VPCs.All(s.View()) {
		if v.Number < 0xbe0000 || v.Number >= 1<<24 || seen[v.Number] || v.ID == "vpc-4" && v.Number != 0xbe0001 {
			t.Errorf("%s has the number %d", v.ID, v.Number)
		}
		seen[v.Number] = true
	}
}
