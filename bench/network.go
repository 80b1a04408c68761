package main

import "context"

// taskNetwork measures budget 18, by the benchmark of the package.
func taskNetwork(ctx context.Context, _ *bench) (result, error) {
	got, err := goBenchmark(ctx, "./agent/network", "Setup", "1s")
	r := result{}
	for _, mode := range []string{"awsvpc", "bridge"} {
		at := got["Setup/"+mode]
		r.Figures = append(r.Figures,
			figure{Name: mode + " p50", Value: at["ms-setup-p50"], Unit: "ms", Most: 5},
			figure{Name: "p99", Value: at["ms-setup-p99"], Unit: "ms"},
			figure{Name: "teardown p50", Value: at["ms-teardown-p50"], Unit: "ms"})
	}
	return r, err
}
