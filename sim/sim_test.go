package sim_test

import (
	"slices"
	"testing"

	"github.com/berthhq/berth/sim"
)

// seeds are those of the suite; `berth sim` goes on from there.
const seeds = 60

func TestSeeds(t *testing.T) {
	started := map[string]int{}
	for seed := range uint64(seeds) {
		r := run(t, seed)
		for container, n := range r.Started {
			started[container] += n
		}
	}
	// A definition that placement refuses everywhere would prove nothing.
	for _, c := range []string{
		"web main", "port main", "batch main", "crash main", "mesh helper", "mesh main", "migrate helper", "migrate main",
		"train main", "fargate main", "job main",
	} {
		if started[c] < seeds/2 {
			t.Errorf("%s was started only %d times", c, started[c])
		}
	}
}

func run(t *testing.T, seed uint64) *sim.Report {
	t.Helper()
	r := sim.Run(seed, sim.Steps)
	if r.Err != nil {
		t.Fatal(r)
	}
	return r
}

func TestASeedTellsTheWholeStory(t *testing.T) {
	for seed := range uint64(10) {
		if a, b := run(t, seed), run(t, seed); !slices.Equal(a.Trace, b.Trace) || a.String() != b.String() {
			t.Errorf("seed %d went in two ways:\n%v\n%v", seed, a, b)
		}
	}
}
