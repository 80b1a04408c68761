package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/mount"
	copyfs "github.com/containerd/continuity/fs"
)

// fill copies what the image has at the target of a mount into its source, if that
// is an empty directory, with owner and mode: Docker does so for new volumes.
func fill(ctx context.Context, mounts []Mount, rootfs []mount.Mount) error {
	var wanting []Mount
	for _, m := range mounts {
		if m.Fill && m.Kind == Bind && empty(m.Source) {
			wanting = append(wanting, m)
		}
	}
	if len(wanting) == 0 || len(rootfs) == 0 {
		return nil
	}
	return mount.WithReadonlyTempMount(ctx, rootfs, func(root string) error {
		for _, m := range wanting {
			if err := fillOne(root, m); err != nil {
				return fmt.Errorf("fill the volume at %s: %w", m.Target, err)
			}
		}
		return nil
	})
}

func fillOne(root string, m Mount) error {
	from, err := copyfs.RootPath(root, m.Target)
	if err != nil {
		return err
	}
	if info, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	return copyfs.CopyDir(filepath.Clean(m.Source), from)
}

func empty(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return errors.Is(err, io.EOF)
}
