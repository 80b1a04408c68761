package sim_test

import (
	"testing"

	"github.com/berthhq/berth/sim"
)

// seeds and steps make a run of the suite; `berth sim` goes on from there.
const seeds, steps = 200, 1500

func TestSeeds(t *testing.T) {
	for seed := range uint64(seeds) {
		if r := sim.Run(seed, steps); r.Err != nil {
			t.Fatal(r)
		} else if testing.Verbose() {
			t.Log(r)
		}
	}
}
