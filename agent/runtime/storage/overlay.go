package storage

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// overlayWorks mounts a small overlay below root and takes it away again.
func overlayWorks(root string) bool {
	probe, err := os.MkdirTemp(root, "probe-")
	if err != nil {
		return false
	}
	defer os.RemoveAll(probe)
	for _, d := range []string{"lower", "upper", "work", "merged"} {
		if os.Mkdir(filepath.Join(probe, d), 0o700) != nil {
			return false
		}
	}
	merged := filepath.Join(probe, "merged")
	options := "lowerdir=" + filepath.Join(probe, "lower") + ",upperdir=" + filepath.Join(probe, "upper") + ",workdir=" + filepath.Join(probe, "work")
	if unix.Mount("overlay", merged, "overlay", 0, options) != nil {
		return false
	}
	return unix.Unmount(merged, unix.MNT_DETACH) == nil
}
