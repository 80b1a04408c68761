package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// builds measures budget 21. The programs are removed before, so that all are
// linked anew; tests whose results are cached run all the same.
func builds(ctx context.Context, b *bench) (result, error) {
	for _, name := range []string{"berth", "containerd-shim-runc-v2", "berth-init", "berth-gvisor", "berth-objects"} {
		if err := os.Remove(filepath.Join(b.bin, name)); err != nil {
			return result{}, err
		}
	}
	r := result{}
	for _, c := range []struct {
		target string
		most   float64
	}{{"build", 30}, {"fast", 60}} {
		wall, used, failed, err := timed(ctx, c.target)
		if err != nil {
			return r, err
		}
		r.Figures = append(r.Figures,
			figure{Name: "make " + c.target, Value: wall.Seconds(), Unit: "s", Most: c.most},
			figure{Name: "of CPU", Value: used.Seconds(), Unit: "s"})
		r.Note = failed
	}
	return r, nil
}

// timed makes a target. used is the CPU time of all that it ran; failed tells of
// tests that did, which took their time all the same.
func timed(ctx context.Context, target string) (wall, used time.Duration, failed string, err error) {
	cmd := exec.CommandContext(ctx, "make", target)
	cmd.Env = append(os.Environ(), "GOFLAGS=-count=1", "MAKEFLAGS=")
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	wall = time.Since(begun)
	if failed = failures(string(out)); err != nil && failed == "" {
		return 0, 0, "", fmt.Errorf("make %s: %w: %s", target, err, out[max(0, len(out)-2000):])
	}
	return wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), failed, nil
}

func failures(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "--- FAIL") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ", ")
}
