package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// drawn writes files below a folder that stands for a cgroup tree.
func drawn(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestUsageUnified(t *testing.T) {
	tree := &Tree{unified: true, root: drawn(t, map[string]string{
		"g/cpu.stat":       "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\nnr_periods 7\nnr_throttled 3\nthrottled_usec 5\n",
		"g/memory.current": "4096\n", "g/memory.peak": "8192\n", "g/memory.max": "max\n", "g/memory.stat": "anon 1\ninactive_file 2\n",
		"g/memory.events": "low 0\noom 2\noom_kill 1\n", "g/pids.current": "4\n", "g/pids.max": "100\n",
		"g/io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n",
	})}
	now := time.Unix(9, 0)
	got, err := tree.Usage("/g", now)
	want := &Usage{At: now, CPU: 3 * time.Second, CPUUser: 2 * time.Second, CPUSystem: time.Second, Periods: 7, Throttled: 3, ThrottledTime: 5 * time.Microsecond,
		Memory: 4096, MemoryPeak: 8192, MemoryStat: map[string]uint64{"anon": 1, "inactive_file": 2}, Unified: true, PIDs: 4, PIDsLimit: 100,
		Blocks: []Block{{Major: 8, ReadBytes: 1, WriteBytes: 2, Reads: 3, Writes: 4}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v %v", got, err)
	}
	if n, err := tree.OOMKills("/g"); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	if _, err := tree.Usage("/none", now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestUsageV1(t *testing.T) {
	root := drawn(t, map[string]string{
		"cpuacct/g/cpuacct.usage": "3000000000\n", "cpuacct/g/cpuacct.usage_percpu": "1 2 \n", "cpuacct/g/cpuacct.stat": "user 200\nsystem 100\n",
		"cpu/g/cpu.stat":                 "nr_periods 7\nnr_throttled 3\nthrottled_time 5\n",
		"memory/g/memory.usage_in_bytes": "4096\n", "memory/g/memory.max_usage_in_bytes": "8192\n", "memory/g/memory.limit_in_bytes": "9223372036854771712\n",
		"memory/g/memory.stat": "cache 1\n", "memory/g/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "pids/g/pids.current": "4\n", "pids/g/pids.max": "max\n",
		"blkio/g/blkio.throttle.io_service_bytes_recursive": "8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n",
		"blkio/g/blkio.throttle.io_serviced_recursive":      "8:0 Read 3\n8:0 Write 4\nTotal 7\n",
	})
	tree := &Tree{root: root, mounts: map[string]string{}}
	for _, c := range controllers {
		tree.mounts[c] = filepath.Join(root, c)
	}
	got, err := tree.Usage("/g", time.Time{})
	want := &Usage{CPU: 3 * time.Second, CPUUser: 2 * time.Second, CPUSystem: time.Second, PerCPU: []time.Duration{1, 2}, Periods: 7, Throttled: 3, ThrottledTime: 5,
		Memory: 4096, MemoryPeak: 8192, MemoryStat: map[string]uint64{"cache": 1}, PIDs: 4,
		Blocks: []Block{{Major: 8, ReadBytes: 1, WriteBytes: 2, Reads: 3, Writes: 4}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v %v", got, err)
	}
	if n, err := tree.OOMKills("/g"); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
}

func TestLimitsUnified(t *testing.T) {
	root := drawn(t, map[string]string{"cgroup.subtree_control": "", "berth/task/cpu.weight": "", "berth/task/cpu.max": "", "berth/task/memory.max": "", "berth/task/memory.low": "", "berth/task/pids.max": ""})
	tree := &Tree{unified: true, root: root}
	if err := tree.Create("/berth/task", Limits{CPUShares: 1024, CPUQuota: QuotaOf(256), Memory: 64 << 20, Reservation: 32 << 20, PIDs: 10}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"cpu.weight": "39", "cpu.max": "25000 100000", "memory.max": "67108864", "memory.low": "33554432", "pids.max": "10"} {
		if got, err := os.ReadFile(filepath.Join(root, "berth/task", file)); err != nil || string(got) != want {
			t.Errorf("%s: %q %v, want %q", file, got, err, want)
		}
	}
}

func TestWeight(t *testing.T) {
	for shares, want := range map[int]uint64{0: 1, 2: 1, 1024: 39, 262144: 10000, 1 << 30: 10000} {
		if got := Weight(shares); got != want {
			t.Errorf("%d shares weigh %d, want %d", shares, got, want)
		}
	}
}

func TestRealTree(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("cgroups need root")
	}
	tree, err := Find("/sys/fs/cgroup")
	if err != nil {
		t.Skipf("no cgroups here: %v", err)
	}
	parent := "/berth-test-" + filepath.Base(t.TempDir()) + "-" + time.Now().Format("150405.000000")
	group := parent + "/task"
	if err := tree.Create(group, Limits{CPUQuota: QuotaOf(512), Memory: 64 << 20}); err != nil {
		t.Fatal(err)
	}
	for _, memory := range []int64{32 << 20, 128 << 20} { // lower, then higher
		if err := tree.Create(group, Limits{Memory: memory}); err != nil {
			t.Fatal(err)
		}
		if u, err := tree.Usage(group, time.Now()); err != nil || u.MemoryLimit != uint64(memory) {
			t.Errorf("limit %d %v, want %d", u.MemoryLimit, err, memory)
		}
	}
	if err := tree.Remove(parent); err != nil {
		t.Error(err)
	}
	if _, err := tree.Usage(group, time.Now()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}
