package metrics

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/domain/fault"
)

// fullDisk is the part of the disk beyond which datapoints are refused.
const fullDisk = 0.9

// room refuses what the disk has no room for.
type room struct {
	diskUse func() float64
	now     func() time.Time

	mu       sync.Mutex
	measured time.Time
	used     float64
}

// admit measures at most once a second.
func (r *room) admit() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.measured).Abs() >= time.Second {
		r.measured, r.used = now, r.diskUse()
	}
	if r.used < fullDisk {
		return nil
	}
	return fault.New(fault.Unavailable, "The disk of the metrics is nearly full.").
		WithHint("free space on the server's disk; datapoints are taken again below %d %%", int(100*fullDisk))
}

// diskUse is the used part of the file system dir is on, as df counts it; 0 when
// it cannot be told.
func diskUse(dir string) float64 {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0
	}
	used := s.Blocks - s.Bfree
	if used+s.Bavail == 0 {
		return 0
	}
	return float64(used) / float64(used+s.Bavail)
}
