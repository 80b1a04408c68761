package service_test

import (
	"math/rand/v2"
	"testing"

	"github.com/berthhq/berth/domain/service"
)

func TestRoll(t *testing.T) {
	for _, c := range []struct {
		name       string
		bounds     service.Bounds
		fresh, old service.Tally
		blocked    bool
		want       service.Moves
	}{
		{name: "a new service", bounds: service.BoundsOf(4, 100, 200), want: service.Moves{Start: 4}},
		{name: "as wanted", bounds: service.BoundsOf(4, 100, 200), fresh: service.Tally{Healthy: 3, Pending: 1}},
		{name: "an update starts up to the maximum", bounds: service.BoundsOf(4, 100, 150), old: service.Tally{Healthy: 4}, want: service.Moves{Start: 2}},
		{name: "half healthy", bounds: service.BoundsOf(4, 100, 150), fresh: service.Tally{Healthy: 1, Unproven: 1}, old: service.Tally{Healthy: 4}, want: service.Moves{StopOld: 1}},
		{name: "all healthy", bounds: service.BoundsOf(4, 100, 200), fresh: service.Tally{Healthy: 4}, old: service.Tally{Healthy: 4}, want: service.Moves{StopOld: 4}},
		{name: "no room above: old ones go first", bounds: service.BoundsOf(4, 50, 100), old: service.Tally{Healthy: 4}, want: service.Moves{StopOld: 2}},
		{name: "no capacity: old ones make room", bounds: service.BoundsOf(4, 50, 200), old: service.Tally{Healthy: 4}, blocked: true, want: service.Moves{Start: 4, StopOld: 2}},
		{name: "no capacity and nothing to spare", bounds: service.BoundsOf(4, 100, 200), old: service.Tally{Healthy: 4}, blocked: true, want: service.Moves{Start: 4}},
		{name: "old ones that do not serve", bounds: service.BoundsOf(2, 100, 200), old: service.Tally{Pending: 1, Unhealthy: 1}, want: service.Moves{Start: 2, StopOld: 2}},
		{name: "old ones that just began stay", bounds: service.BoundsOf(2, 100, 200), fresh: service.Tally{Unproven: 2}, old: service.Tally{Unproven: 2}},
		{name: "scaled in", bounds: service.BoundsOf(2, 100, 200), fresh: service.Tally{Healthy: 5}, want: service.Moves{StopFresh: 3}},
		{name: "scaled in to nothing", bounds: service.BoundsOf(0, 100, 200), fresh: service.Tally{Healthy: 1, Pending: 1}, want: service.Moves{StopFresh: 2}},
		{name: "an unhealthy one is replaced first", bounds: service.BoundsOf(2, 100, 200), fresh: service.Tally{Healthy: 1, Unhealthy: 1}, want: service.Moves{Start: 1}},
		{name: "then stopped", bounds: service.BoundsOf(2, 100, 200), fresh: service.Tally{Healthy: 1, Unproven: 1, Unhealthy: 1}, want: service.Moves{StopFresh: 1}},
		{name: "or stopped first without room", bounds: service.BoundsOf(2, 50, 100), fresh: service.Tally{Healthy: 1, Unhealthy: 1}, want: service.Moves{StopFresh: 1}},
	} {
		if got := service.Roll(c.bounds, c.fresh, c.old, c.blocked); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestRollKeepsItsBounds plays whole rollouts with tasks that start, prove
// themselves and fail at random: our own moves never go beyond the bounds, and once
// tasks stop failing every rollout whose bounds leave room to move comes to its end.
func TestRollKeepsItsBounds(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := service.BoundsOf(r.IntN(12), r.IntN(101), 100+r.IntN(101))
		fresh, old := service.Tally{}, service.Tally{Healthy: r.IntN(14), Unproven: r.IntN(3), Pending: r.IntN(3)}
		for step := range 400 {
			m := service.Roll(b, fresh, old, step < 50 && r.IntN(4) == 0)
			if m.Start < 0 || m.StopFresh < 0 || m.StopOld < 0 || m.StopFresh > fresh.Live() || m.StopOld > old.Live() {
				t.Fatalf("seed %d: %+v of %+v %+v", seed, m, fresh, old)
			}
			if m.Start > 0 && m.Start+fresh.Live()+old.Live() > b.Upper {
				t.Fatalf("seed %d: %+v starts beyond %+v: %+v %+v", seed, m, b, fresh, old)
			}
			healthy := fresh.Healthy + old.Healthy
			stop(&fresh, m.StopFresh)
			stop(&old, m.StopOld)
			if now := fresh.Healthy + old.Healthy; now < healthy && now < b.Lower {
				t.Fatalf("seed %d: %+v leaves %d healthy of %d, at least %d must be", seed, m, now, healthy, b.Lower)
			}
			fresh.Pending += m.Start
			live(r, &fresh, step < 50)
			live(r, &old, step < 50)
		}
		if b.Lower < b.Upper && (fresh != service.Tally{Healthy: b.Want} || old.Live() > 0) {
			t.Fatalf("seed %d: %+v ended with %+v and %+v", seed, b, fresh, old)
		}
	}
}

func stop(t *service.Tally, n int) {
	for _, count := range []*int{&t.Unhealthy, &t.Pending, &t.Unproven, &t.Healthy} {
		k := min(n, *count)
		*count, n = *count-k, n-k
	}
}

// live lets each task take its next step, some of them for the worse.
func live(r *rand.Rand, t *service.Tally, faults bool) {
	began, proved := t.Pending, t.Unproven
	t.Pending, t.Unproven, t.Healthy = 0, began, t.Healthy+proved
	if !faults {
		return
	}
	if t.Healthy > 0 && r.IntN(3) == 0 {
		t.Healthy--
		t.Unhealthy += r.IntN(2)
	}
	if t.Unproven > 0 && r.IntN(3) == 0 {
		t.Unproven--
	}
}
