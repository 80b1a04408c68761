package database

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// FullDisk is the part of the disk beyond which nothing new is taken.
const FullDisk = 0.9

// Disk watches the disk that a database is on.
type Disk struct {
	use func() float64
	now func() time.Time

	mu       sync.Mutex
	measured time.Time
	used     float64
}

// NewDisk watches by a measure of the used part, from 0 to 1; nil measures the file
// system that dir is on.
func NewDisk(dir string, use func() float64, now func() time.Time) *Disk {
	if use == nil {
		use = func() float64 { return diskUse(dir) }
	}
	return &Disk{use: use, now: now}
}

// Full measures at most once a second.
func (d *Disk) Full() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); now.Sub(d.measured).Abs() >= time.Second {
		d.measured, d.used = now, d.use()
	}
	return d.used >= FullDisk
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
