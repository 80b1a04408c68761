package archive

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/domain/fault"
)

// fullDisk is the part of the disk beyond which events are refused: agents keep
// them and send them later, and creates and deletes still find room.
const fullDisk = 0.9

// room keeps the archive within its quota and the disk.
type room struct {
	quota   int64
	full    Full
	diskUse func() float64
	now     func() time.Time

	stored  atomic.Int64 // bytes of all events
	refused atomic.Int64 // events
	dropped atomic.Int64 // bytes

	mu       sync.Mutex
	measured time.Time
	used     float64
}

// admit refuses events that have no room. makeRoom is true when old events should
// go soon.
func (r *room) admit(events int, bytes int64) (makeRoom bool, err error) {
	if r.diskFull() {
		r.refused.Add(int64(events))
		return false, fault.New(fault.Unavailable, "The log archive's disk is nearly full.").
			WithHint("free space on the server's disk; the events are taken again below %d %%", int(100*fullDisk))
	}
	if r.quota == 0 || r.stored.Load()+bytes <= r.quota {
		return false, nil
	}
	// Old events go in the background; a tenth of the quota is lent meanwhile.
	if r.full == DropOldest && r.stored.Load()+bytes <= r.quota+r.quota/10 {
		return true, nil
	}
	r.refused.Add(int64(events))
	return r.full == DropOldest, fault.New(fault.Unavailable, "The log archive is full: its quota is %d bytes.", r.quota).
		WithHint("shorten the retention of log groups or delete some, or raise the quota")
}

// diskFull measures at most once a second.
func (r *room) diskFull() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.measured).Abs() >= time.Second {
		r.measured, r.used = now, r.diskUse()
	}
	return r.used >= fullDisk
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
