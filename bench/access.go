package main

import "context"

// authorisation measures budget 22, by the benchmark of the package.
func authorisation(ctx context.Context, _ *bench) (result, error) {
	got, err := goBenchmark(ctx, "./plane/access", "^BenchmarkAuthorise$", "2s")
	return result{Figures: []figure{
		{Name: "a call", Value: got["Authorise"]["us-CPU"], Unit: "µs CPU", Most: 30},
	}}, err
}
