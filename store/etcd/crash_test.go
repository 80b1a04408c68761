package etcd_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/etcd"
)

// crashDir names the store a child process of these tests writes to until killed.
const crashDir = "BERTH_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// writeUntilKilled prints each key once it is acknowledged. Every update changes
// two records, so that half a transaction would show.
func writeUntilKilled(dir string) {
	s, err := etcd.Open(context.Background(), etcd.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	base := store.Clusters.Len(s.View())
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("%d-%d-%d", base, w, n)
				if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
					store.Clusters.Put(tx, &cluster.Cluster{ARN: "a" + key})
					store.Clusters.Put(tx, &cluster.Cluster{ARN: "b" + key})
					return nil
				}); err != nil {
					log.Fatal(err)
				}
				fmt.Println(key)
			}
		})
	}
	wg.Wait()
}

func TestKilledNothingAcknowledgedIsLost(t *testing.T) {
	dir := t.TempDir()
	var acknowledged []string
	for round := range 5 {
		acknowledged = append(acknowledged, killAfter(t, dir, 50+300*round)...)
		s, err := etcd.Open(context.Background(), etcd.Options{Dir: dir})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for _, key := range acknowledged {
			if _, ok := store.Clusters.Get(s.View(), "a"+key); !ok {
				t.Errorf("round %d: %s was acknowledged and is gone", round, key)
			}
		}
		for c := range store.Clusters.Prefix(s.View(), "a") {
			if _, ok := store.Clusters.Get(s.View(), "b"+c.ARN[1:]); !ok {
				t.Errorf("round %d: half of %s is there", round, c.ARN)
			}
		}
		s.Close()
	}
}

// killAfter runs a writer and kills it once it has acknowledged so many updates.
func killAfter(t *testing.T, dir string, updates int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // the pipe ends with the child; what it said before counts
		}
		acknowledged = append(acknowledged, strings.TrimSpace(line))
		if len(acknowledged) == updates {
			child.Process.Kill()
		}
	}
	child.Wait()
	if len(acknowledged) < updates {
		t.Fatalf("the writer ended by itself after %d updates", len(acknowledged))
	}
	return acknowledged
}
