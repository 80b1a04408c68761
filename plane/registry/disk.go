package registry

import (
	"errors"
	"net/http"

	"golang.org/x/sys/unix"
)

// disk watches the file system under a folder.
type disk struct {
	folder string
	fullAt float64
}

// usage is the used share of what an unprivileged user may use, and what is left
// in bytes.
func (d disk) usage() (used float64, left uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(d.folder, &s); err != nil {
		return 0, 0, err
	}
	taken := s.Blocks - s.Bfree
	if taken+s.Bavail == 0 {
		return 0, 0, nil
	}
	return float64(taken) / float64(taken+s.Bavail), s.Bavail * uint64(s.Bsize), nil
}

// refusal says that the disk is too full to take more; nil while it is not.
func (d disk) refusal() *refusal {
	used, left, err := d.usage()
	if err != nil || used < d.fullAt {
		return nil
	}
	return refuse(http.StatusInsufficientStorage, "DENIED",
		"the disk of berth's registry (%s) is %.0f %% full, %d MiB left, and takes no more images from %.0f %% on: delete images, or free space there",
		d.folder, used*100, left>>20, d.fullAt*100)
}

// overflow is the refusal after a write ran out of space.
func (d disk) overflow() *refusal {
	return refuse(http.StatusInsufficientStorage, "DENIED",
		"no space left on the disk of berth's registry (%s); nothing of this upload was kept: delete images, or free space there", d.folder)
}

// isFull tells whether a write failed for want of space.
func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}
