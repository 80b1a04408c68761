package cgroup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestClearEndsWhatRuns(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("cgroups need root")
	}
	tree, err := Find("/sys/fs/cgroup")
	if err != nil {
		t.Skipf("no cgroups here: %v", err)
	}
	parent := fmt.Sprintf("/berth-clear-%d", os.Getpid())
	group := parent + "/task/container"
	if err := tree.Create(group, Limits{}); err != nil {
		t.Fatal(err)
	}
	left := exec.Command("sleep", "1000")
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = left.Process.Kill() })
	for _, dir := range tree.dirs(group) {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Append(nil, left.Process.Pid), 0); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := tree.Children(parent); err != nil || !slices.Equal(got, []string{"task"}) {
		t.Errorf("below: %v %v", got, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- left.Wait() }() // nobody but its parent can reap it
	if err := tree.Clear(t.Context(), parent); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil || err.Error() != "signal: killed" {
		t.Errorf("it ended with %v", err)
	}
	if got, err := tree.Children(parent); err != nil || len(got) != 0 {
		t.Errorf("still there: %v %v", got, err)
	}
	if err := tree.Clear(t.Context(), parent); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestTheWholeMachineIsNotCleared(t *testing.T) {
	tree := &Tree{unified: true, root: drawn(t, map[string]string{"cgroup.procs": ""})}
	for _, group := range []string{"", "/", "//"} {
		if err := tree.Clear(t.Context(), group); err == nil {
			t.Errorf("%q was cleared", group)
		}
	}
}
