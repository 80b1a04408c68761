package cgroup

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what a group has used so far. A value that the kernel does not tell is
// zero.
type Usage struct {
	At time.Time // when it was read

	CPU           time.Duration // all cores together
	CPUUser       time.Duration
	CPUSystem     time.Duration
	PerCPU        []time.Duration // v1 only
	Periods       uint64          // of the quota
	Throttled     uint64          // periods in which the quota ran out
	ThrottledTime time.Duration

	Memory      uint64 // bytes, page cache included
	MemoryPeak  uint64
	MemoryLimit uint64            // bytes; 0 when unlimited
	MemoryStat  map[string]uint64 // the kernel's own names
	Unified     bool              // MemoryStat has v2's names

	PIDs      uint64
	PIDsLimit uint64 // 0 when unlimited

	Blocks []Block
}

// Block is what a group read from and wrote to one device.
type Block struct {
	Major, Minor          uint64
	ReadBytes, WriteBytes uint64
	Reads, Writes         uint64
}

// Usage reads the group, with all below it. now is kept in the result.
func (t *Tree) Usage(group string, now time.Time) (*Usage, error) {
	if len(t.dirs(group)) == 0 {
		return nil, fs.ErrNotExist
	}
	u := &Usage{At: now, Unified: t.unified}
	if t.unified {
		t.usage2(group, u)
	} else {
		t.usage1(group, u)
	}
	return u, nil
}

func (t *Tree) usage2(group string, u *Usage) {
	dir := filepath.Join(t.root, group)
	cpu := readKeys(filepath.Join(dir, "cpu.stat"))
	u.CPU, u.CPUUser, u.CPUSystem = micros(cpu["usage_usec"]), micros(cpu["user_usec"]), micros(cpu["system_usec"])
	u.Periods, u.Throttled, u.ThrottledTime = cpu["nr_periods"], cpu["nr_throttled"], micros(cpu["throttled_usec"])
	u.Memory, u.MemoryPeak = readNumber(filepath.Join(dir, "memory.current")), readNumber(filepath.Join(dir, "memory.peak"))
	u.MemoryLimit = readNumber(filepath.Join(dir, "memory.max"))
	u.MemoryStat = readKeys(filepath.Join(dir, "memory.stat"))
	u.PIDs, u.PIDsLimit = readNumber(filepath.Join(dir, "pids.current")), readNumber(filepath.Join(dir, "pids.max"))
	u.Blocks = readIOStat(filepath.Join(dir, "io.stat"))
}

// unlimited1 is how v1 writes "no limit": the largest number of whole pages.
const unlimited1 = 1 << 62

func (t *Tree) usage1(group string, u *Usage) {
	file := func(controller, name string) string {
		dir, _ := t.dir(controller, group)
		return filepath.Join(dir, name)
	}
	u.CPU = time.Duration(readNumber(file("cpuacct", "cpuacct.usage")))
	for _, ns := range readNumbers(file("cpuacct", "cpuacct.usage_percpu")) {
		u.PerCPU = append(u.PerCPU, time.Duration(ns))
	}
	ticks := readKeys(file("cpuacct", "cpuacct.stat"))
	u.CPUUser, u.CPUSystem = fromTicks(ticks["user"]), fromTicks(ticks["system"])
	cpu := readKeys(file("cpu", "cpu.stat"))
	u.Periods, u.Throttled, u.ThrottledTime = cpu["nr_periods"], cpu["nr_throttled"], time.Duration(cpu["throttled_time"])
	u.Memory, u.MemoryPeak = readNumber(file("memory", "memory.usage_in_bytes")), readNumber(file("memory", "memory.max_usage_in_bytes"))
	if limit := readNumber(file("memory", "memory.limit_in_bytes")); limit < unlimited1 {
		u.MemoryLimit = limit
	}
	u.MemoryStat = readKeys(file("memory", "memory.stat"))
	u.PIDs, u.PIDsLimit = readNumber(file("pids", "pids.current")), readNumber(file("pids", "pids.max"))
	u.Blocks = readBlkio(file("blkio", "blkio.throttle.io_service_bytes_recursive"), file("blkio", "blkio.throttle.io_serviced_recursive"))
}

// fromTicks reads USER_HZ, which is 100 on every Linux that Go runs on.
func fromTicks(n uint64) time.Duration { return time.Duration(n) * 10 * time.Millisecond }

func micros(n uint64) time.Duration { return time.Duration(n) * time.Microsecond }

// OOMKills counts the processes of the group itself that the kernel killed for
// want of memory, whether the group's own limit or one above it was reached.
func (t *Tree) OOMKills(group string) (uint64, error) {
	dir, ok := t.dir("memory", group)
	if !ok || !exists(dir) {
		return 0, fs.ErrNotExist
	}
	if t.unified {
		return readKeys(filepath.Join(dir, "memory.events"))["oom_kill"], nil
	}
	return readKeys(filepath.Join(dir, "memory.oom_control"))["oom_kill"], nil
}

func readPIDs(path string) ([]int, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []int
	for line := range strings.FieldsSeq(string(data)) {
		if pid, convErr := strconv.Atoi(line); convErr == nil {
			out = append(out, pid)
		}
	}
	return out, err
}

// readNumber reads a file with one number; "max", a missing file and anything
// else is 0.
func readNumber(path string) uint64 {
	if n := readNumbers(path); len(n) == 1 {
		return n[0]
	}
	return 0
}

func readNumbers(path string) []uint64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var out []uint64
	for f := range strings.FieldsSeq(string(data)) {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return nil
		}
		out = append(out, n)
	}
	return out
}

// readKeys reads lines of "name number".
func readKeys(path string) map[string]uint64 {
	out := map[string]uint64{}
	eachLine(path, func(fields []string) {
		if len(fields) != 2 {
			return
		}
		if n, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
			out[fields[0]] = n
		}
	})
	return out
}

func eachLine(path string, fn func(fields []string)) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		fn(strings.Fields(s.Text()))
	}
}
