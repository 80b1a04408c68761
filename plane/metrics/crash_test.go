package metrics

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/berthhq/berth/domain/metric"
)

const crashDir = "BERTH_TEST_METRICS_DIR"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeUntilKilled adds one to the same minute again and again, and prints how often.
func writeUntilKilled(dir string) error {
	c := newClock()
	m, err := Open(dir, Options{Now: c.now, DiskUse: func() float64 { return 0 }})
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if err := m.Put(here, []metric.Datum{at(0, 1), at(time.Minute, 1)}); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKilledAtAnyMomentNothingAcknowledgedIsLost kills a writer, and finds what it
// was told is stored, in whole puts.
func TestKilledAtAnyMomentNothingAcknowledgedIsLost(t *testing.T) {
	dir, sum := t.TempDir(), 0.0
	for range 5 {
		sum += float64(killWriter(t, dir))
		m := open(t, dir, newClock())
		points, err := m.Read(here, metric.Query{Metric: cpu, Start: noon, End: noon.Add(time.Hour), Period: time.Minute})
		must(t, err)
		must(t, m.Close())
		if len(points) != 2 || points[0].Set.Count < sum || points[0].Set.Count != points[1].Set.Count {
			t.Fatalf("%v were acknowledged, there are %+v", sum, points)
		}
		sum = points[0].Set.Count
	}
}

// killWriter runs a writer, kills it after some acknowledgements and returns the
// last it printed.
func killWriter(t *testing.T, dir string) (acknowledged int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for left := 1 + rand.IntN(30); lines.Scan(); left-- {
		if strings.HasPrefix(lines.Text(), "error") {
			t.Fatal(lines.Text())
		}
		if _, err := fmt.Sscan(lines.Text(), &acknowledged); err != nil {
			t.Fatalf("the writer said %q", lines.Text())
		}
		if left == 0 {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the writer ended by itself")
	}
	return acknowledged
}

// slowDisk is a disk on which no write is safe while gate is locked.
type slowDisk struct {
	vfs.FS
	gate *sync.RWMutex
}

func (d slowDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, category)
	return slowFile{f, d.gate}, err
}

type slowFile struct {
	vfs.File
	gate *sync.RWMutex
}

func (f slowFile) Sync() error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.File.Sync()
}

func (f slowFile) SyncData() error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.File.SyncData()
}

// TestNothingIsCalledStoredBeforeItIsOnDisk holds the disk up.
func TestNothingIsCalledStoredBeforeItIsOnDisk(t *testing.T) {
	var gate sync.RWMutex
	c := newClock()
	m, err := Open(t.TempDir(), Options{Now: c.now, DiskUse: func() float64 { return 0 }, fs: slowDisk{vfs.Default, &gate}})
	must(t, err)
	defer m.Close()
	gate.Lock()
	answers := make(chan error, 2)
	for range cap(answers) {
		go func() { answers <- m.Put(here, []metric.Datum{at(0, 1)}) }()
	}
	for show(t, m, metric.Query{Period: time.Minute}) != "0s None 2/2" { // both are visible at once
		runtime.Gosched()
	}
	select {
	case err := <-answers:
		t.Errorf("stored before it was on disk: %v", err)
	default:
	}
	gate.Unlock()
	for range cap(answers) {
		must(t, <-answers)
	}
}
