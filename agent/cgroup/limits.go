package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Period is the window over which a CPU quota is counted, in microseconds: the
// kernel's default.
const Period = 100_000

// Limits bound a group. Zero means no bound.
type Limits struct {
	CPUShares   int   // weight against other groups; 1024 is one core's worth
	CPUQuota    int64 // microseconds of CPU in each Period
	Memory      int64 // bytes
	Reservation int64 // bytes the group keeps when the machine runs short
	Swap        int64 // bytes of swap beyond Memory; -1 none at all
	PIDs        int64
}

// QuotaOf turns CPU units (1024 to a core) into a quota.
func QuotaOf(units int) int64 { return int64(units) * Period / 1024 }

// setting is one file to write. An optional one may be missing.
type setting struct {
	controller string
	file       string
	value      string
	optional   bool
}

func (l Limits) v1() []setting {
	var out []setting
	if l.CPUShares > 0 {
		out = append(out, setting{"cpu", "cpu.shares", strconv.Itoa(max(l.CPUShares, 2)), false})
	}
	if l.CPUQuota > 0 {
		out = append(out,
			setting{"cpu", "cpu.cfs_period_us", strconv.Itoa(Period), false},
			setting{"cpu", "cpu.cfs_quota_us", strconv.FormatInt(max(l.CPUQuota, 1000), 10), false})
	}
	if l.Memory > 0 {
		out = append(out, setting{"memory", "memory.limit_in_bytes", strconv.FormatInt(l.Memory, 10), false})
		out = append(out, setting{"memory", "memory.memsw.limit_in_bytes", strconv.FormatInt(l.Memory+max(l.Swap, 0), 10), true})
	}
	if l.Reservation > 0 {
		out = append(out, setting{"memory", "memory.soft_limit_in_bytes", strconv.FormatInt(l.Reservation, 10), true})
	}
	if l.PIDs > 0 {
		out = append(out, setting{"pids", "pids.max", strconv.FormatInt(l.PIDs, 10), false})
	}
	return out
}

func (l Limits) v2() []setting {
	var out []setting
	if l.CPUShares > 0 {
		out = append(out, setting{"cpu", "cpu.weight", strconv.FormatUint(Weight(l.CPUShares), 10), false})
	}
	if l.CPUQuota > 0 {
		out = append(out, setting{"cpu", "cpu.max", fmt.Sprintf("%d %d", max(l.CPUQuota, 1000), Period), false})
	}
	if l.Memory > 0 {
		out = append(out, setting{"memory", "memory.max", strconv.FormatInt(l.Memory, 10), false})
		out = append(out, setting{"memory", "memory.swap.max", strconv.FormatInt(max(l.Swap, 0), 10), true})
	}
	if l.Reservation > 0 {
		out = append(out, setting{"memory", "memory.low", strconv.FormatInt(l.Reservation, 10), true})
	}
	if l.PIDs > 0 {
		out = append(out, setting{"pids", "pids.max", strconv.FormatInt(l.PIDs, 10), false})
	}
	return out
}

// Weight maps v1's shares (2 to 262144) onto v2's weight (1 to 10000) in a
// straight line, as the OCI runtimes do.
func Weight(shares int) uint64 {
	s := uint64(min(max(shares, 2), 262144))
	return 1 + (s-2)*9999/262142
}

// write applies settings in order. A memory limit below the one in force must be
// written before the limit of memory and swap, a higher one after: the second
// round settles both.
func (t *Tree) write(group string, settings []setting) error {
	var failed []setting
	for _, s := range settings {
		if t.set(group, s) != nil {
			failed = append(failed, s)
		}
	}
	for _, s := range failed {
		if err := t.set(group, s); err != nil && !(s.optional && errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("limit cgroup %s: %w", group, err)
		}
	}
	return nil
}

func (t *Tree) set(group string, s setting) error {
	dir, ok := t.dir(s.controller, group)
	if !ok {
		return fmt.Errorf("no %s controller: %w", s.controller, fs.ErrNotExist)
	}
	return os.WriteFile(filepath.Join(dir, s.file), []byte(s.value), 0)
}
