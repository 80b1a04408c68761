package rollout_test

import (
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
)

// TestScaleToZero lets a service sleep when no requests come, and wakes it.
func TestScaleToZero(t *testing.T) {
	w := play(t, service.Configuration{}, 2)
	w.behind()
	w.update(func(tx *store.Tx) {
		store.TargetGroups.Put(tx, &balancer.TargetGroup{Scope: scope, ARN: "blue", Protocol: "HTTP"})
	})
	w.change(func(_ *store.Tx, s *service.Service) {
		s.Tags = []workload.Tag{{Key: rollout.ScaleToZero, Value: "10m"}}
	})
	w.round(balancer.Healthy, 2)
	asleep := func(want bool) {
		t.Helper()
		if got := w.service().Asleep; got != want || store.Services.Has(w.s.View(), store.ServicesAsleep, "blue") != want {
			t.Errorf("asleep %v, want %v", got, want)
		}
	}
	w.pass(9 * time.Minute)
	w.update(func(tx *store.Tx) { store.GroupUses.Put(tx, &balancer.Use{GroupARN: "blue", At: w.now}) })
	w.pass(9 * time.Minute)
	asleep(false)
	w.pass(time.Minute)
	asleep(true)
	w.is("SUCCESSFUL, one 0/0 0/0")
	w.pass(time.Hour)
	w.is("SUCCESSFUL, one 0/0 0/0")
	w.update(func(tx *store.Tx) { store.Wake(tx, []string{"blue"}, w.now) })
	w.settle()
	asleep(true) // requests are held until there is a healthy target
	w.register(balancer.Healthy)
	w.settle()
	asleep(false)
	w.is("SUCCESSFUL, one 1/1 0/0")
	w.pass(10*time.Minute - 1)
	asleep(false)
	w.pass(1)
	asleep(true)
}
