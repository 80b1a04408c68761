package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// builds measures budget 21. The programs are removed before, so that all are
// linked anew; tests whose results are cached run all the same.
func builds(ctx context.Context, b *bench) (result, error) {
	for _, name := range []string{"berth", "containerd-shim-runc-v2", "berth-init", "berth-gvisor"} {
		if err := os.Remove(filepath.Join(b.bin, name)); err != nil {
			return result{}, err
		}
	}
	build, err := timed(ctx, "build")
	if err != nil {
		return result{}, err
	}
	fast, err := timed(ctx, "fast")
	return result{Figures: []figure{
		{Name: "make build", Value: build.Seconds(), Unit: "s", Most: 30},
		{Name: "make fast", Value: fast.Seconds(), Unit: "s", Most: 60},
	}}, err
}

func timed(ctx context.Context, target string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, "make", target)
	cmd.Env = append(os.Environ(), "GOFLAGS=-count=1", "MAKEFLAGS=")
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("make %s: %w: %s", target, err, out[max(0, len(out)-2000):])
	}
	return time.Since(begun), nil
}
