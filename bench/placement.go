package main

import "context"

// placements measures budget 2, by the benchmarks of the package.
func placements(ctx context.Context, _ *bench) (result, error) {
	got, err := goBenchmark(ctx, "./plan/placement", "Place|Series", "2s")
	const unit = "decisions/s-a-core"
	return result{Figures: []figure{
		{Name: "at 5,000 instances", Value: got["Place/5000"][unit], Unit: "decisions/s a core", Least: 30_000},
		{Name: "at 10,000", Value: got["Place/10000"][unit], Unit: "decisions/s", Least: 15_000},
		{Name: "batched for a service of 5,000", Value: got["Series"][unit], Unit: "decisions/s", Least: 500_000},
	}}, err
}
