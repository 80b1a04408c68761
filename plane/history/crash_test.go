package history

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/etcd"
)

const crashDir = "BERTH_TEST_HISTORY_DIR"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := moveUntilKilled(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// openAll opens the store and the history of a folder, two hours after the tasks
// stopped.
func openAll(dir string) (*etcd.Store, *History, error) {
	s, err := etcd.Open(context.Background(), etcd.Options{Dir: filepath.Join(dir, "store")})
	if err != nil {
		return nil, nil, err
	}
	h, err := Open(filepath.Join(dir, "history"), Options{Store: s, Now: func() time.Time { return began.Add(2 * time.Hour) }})
	return s, h, err
}

// moveUntilKilled stores tasks that stopped long ago, prints how many there ever
// were, and moves them, all at once.
func moveUntilKilled(dir string) error {
	s, h, err := openAll(dir)
	if err != nil {
		return err
	}
	n := store.Tasks.Len(s.View())
	for range h.List(task.PastQuery{ClusterARN: scope.Cluster("c")}) {
		n++ // those in both make gaps in the numbers, no more
	}
	failed := make(chan error)
	go func() {
		for {
			if err := h.Step(context.Background()); err != nil {
				failed <- err
			}
		}
	}()
	for {
		select {
		case err := <-failed:
			return err
		default:
		}
		if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
			store.Tasks.Put(tx, ended(n, 0))
			return nil
		}); err != nil {
			return err
		}
		n++
		fmt.Println(n)
	}
}

// TestKilledAtAnyMomentNoTaskIsLost kills the process while tasks move. Each that
// was stored is in one place or in both; a look later, in the history alone.
func TestKilledAtAnyMomentNoTaskIsLost(t *testing.T) {
	dir := t.TempDir()
	known := map[int]bool{}
	for round := range 8 {
		killMover(t, dir, known)
		s, h, err := openAll(dir)
		must(t, err)
		for _, look := range []string{"before", "after"} {
			for n := range known {
				key := ended(n, 0).ARN
				_, inStore := store.Tasks.Get(s.View(), key)
				p, err := h.Task(key)
				must(t, err)
				if !inStore && p == nil || look == "after" && (inStore || p == nil) {
					t.Fatalf("round %d, %s the look: task %d in the store %v, in the history %v", round, look, n, inStore, p != nil)
				}
			}
			must(t, h.Step(context.Background()))
		}
		must(t, h.Close())
		must(t, s.Close())
	}
	if len(known) == 0 {
		t.Fatal("nothing was ever stored")
	}
}

// killMover runs a mover, kills it after some tasks and adds those it stored.
func killMover(t *testing.T, dir string, known map[int]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for left := 1 + rand.IntN(200); lines.Scan(); left-- {
		if strings.HasPrefix(lines.Text(), "error") {
			t.Fatal(lines.Text())
		}
		n := 0
		if _, err := fmt.Sscan(lines.Text(), &n); err != nil {
			t.Fatalf("the mover said %q", lines.Text())
		}
		known[n-1] = true
		if left == 0 {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the mover ended by itself")
	}
}
