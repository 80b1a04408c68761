package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mend removes what a process that died in the middle of a write left behind:
// tags that point nowhere yet, and files that never got their name. Unfinished
// uploads stay a day, because clients may resume them.
func (r *Registry) mend() error {
	root := filepath.Join(r.config.Root, repositoryFolder(""))
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		switch name := entry.Name(); {
		case !entry.IsDir():
			return nil
		case name == "_layers" || name == "_uploads" || name == "revisions":
			return fs.SkipDir
		case name == "tags" && filepath.Base(filepath.Dir(path)) == "_manifests":
			if err := r.mendTags(path); err != nil {
				return err
			}
			return fs.SkipDir
		}
		return nil
	})
	return errors.Join(err, r.mendBlobs())
}

func (r *Registry) mendTags(folder string) error {
	tags, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		path := filepath.Join(folder, tag.Name())
		_, err := os.Stat(filepath.Join(path, "current", "link"))
		if !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		r.config.Log.Info("removing a tag whose push never finished", "tag", path)
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// mendBlobs removes data files that were being written. A finished one is named
// data; the writer's temporary names end in .tmp.
func (r *Registry) mendBlobs() error {
	err := filepath.WalkDir(filepath.Join(r.config.Root, "docker/registry/v2/blobs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".tmp") {
			return os.Remove(path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
