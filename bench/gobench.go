package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// tags are those that the build has.
const tags = "no_btrfs,no_zfs,no_devmapper,no_cri,no_tracing"

// goBenchmark runs benchmarks that a package has, and returns what they report, by
// name and unit.
func goBenchmark(ctx context.Context, pkg, pattern, duration string) (map[string]map[string]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-tags", tags, "-run", "^$", "-bench", pattern, "-benchtime", duration, pkg)
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s%s", err, out, exit.Stderr)
		}
		return nil, fmt.Errorf("benchmark %s of %s: %w", pattern, pkg, err)
	}
	all := map[string]map[string]float64{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 3 && strings.HasPrefix(f[0], "Benchmark") {
			name := strings.TrimPrefix(f[0], "Benchmark")
			if i := strings.LastIndexByte(name, '-'); i > 0 { // the number of CPUs
				name = name[:i]
			}
			all[name] = units(f[2:])
		}
	}
	return all, nil
}

// units reads pairs of a value and its unit.
func units(fields []string) map[string]float64 {
	out := map[string]float64{}
	for i := 0; i+1 < len(fields); i += 2 {
		if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
			out[fields[i+1]] = v
		}
	}
	return out
}
