// Package keyfile keeps private keys in files that only their owner reads: mode 0600,
// there whole or not at all, and on disk before anybody relies on them.
package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Read reads a key, and refuses one that others may read. A file that is not there is
// an fs.ErrNotExist.
func Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others: run `chmod 600 %s`", path, path)
	}
	return os.ReadFile(path)
}

// ReadOrMake is Read; where there is no file it makes one with what fresh gives. Of
// two that make one at the same time both read the first's.
func ReadOrMake(path string, fresh func() ([]byte, error)) ([]byte, error) {
	text, err := Read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if text, err = fresh(); err != nil {
		return nil, err
	}
	err = write(path, text, os.Link)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return Read(path)
}

// Replace writes a key in place of what was there.
func Replace(path string, text []byte) error { return write(path, text, os.Rename) }

// write makes the file beside its place and puts it there.
func write(path string, text []byte, put func(from, to string) error) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := put(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in a folder last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
