// Package space makes, keeps and enters network namespaces.
//
// A Space outlives the process that made it: it is bound to a file, which a later
// process opens again. Path is what a runtime specification wants to join it.
package space

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Space is an open network namespace.
type Space struct {
	path string
	file *os.File
}

// Create makes a namespace bound to the file at path, which must not exist, and
// runs prepare inside it before anyone else can know of it. prepare may be nil.
func Create(path string, prepare func() error) (*Space, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	target, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, err
	}
	target.Close()
	var s *Space
	err = aside(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make network namespace: %w", err)
		}
		if err := unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind network namespace to %s: %w", path, err)
		}
		if s, err = Open(path); err != nil {
			return err
		}
		if prepare == nil {
			return nil
		}
		return prepare()
	})
	if err != nil {
		s.Close()
		return nil, errors.Join(err, Remove(path))
	}
	return s, nil
}

// Open opens the namespace bound to path. A plain file there, as a reboot leaves
// behind, is an error that wraps os.ErrNotExist.
func Open(path string) (*Space, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return nil, fmt.Errorf("open network namespace %s: %w", path, err)
	}
	if fs.Type != unix.NSFS_MAGIC && fs.Type != unix.PROC_SUPER_MAGIC {
		return nil, fmt.Errorf("open network namespace %s: nothing is bound there: %w", path, os.ErrNotExist)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &Space{path: path, file: file}, nil
}

// Own opens the namespace the calling process lives in.
func Own() (*Space, error) { return Open("/proc/self/ns/net") }

// Path is the file the namespace is bound to.
func (s *Space) Path() string { return s.path }

// FD is the open descriptor, valid until Close.
func (s *Space) FD() int { return int(s.file.Fd()) }

// Close lets go of the descriptor. The namespace lives on while it is bound.
func (s *Space) Close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}

// Do runs f on a thread that is inside the namespace. f must not start goroutines
// that rely on it; sockets it opens stay in the namespace for good.
func (s *Space) Do(f func() error) error {
	return aside(func() error {
		if err := unix.Setns(s.FD(), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", s.path, err)
		}
		return f()
	})
}

// Remove unbinds the namespace at path; it dies with its last process. Nothing
// bound, or no file, is no error.
func Remove(path string) error {
	err := unix.Unmount(path, unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unbind network namespace %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// home is the namespace that the process lives in, which every thread comes from that
// is not inside another. Nobody closes it.
var home = sync.OnceValues(func() (fd int, err error) {
	return unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
})

// aside runs f on a thread of its own and brings the thread back to the
// namespace it came from. A thread that cannot be brought back is given up.
func aside(f func() error) error {
	done := make(chan error, 1)
	go func() {
		back, err := home()
		if err != nil {
			done <- err
			return
		}
		runtime.LockOSThread()
		err = f()
		if unix.Setns(back, unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// Bound tells whether the namespace is still the one that is bound to its path.
func (s *Space) Bound() bool {
	var mine, there unix.Stat_t
	return unix.Fstat(s.FD(), &mine) == nil && unix.Stat(s.path, &there) == nil && mine.Ino == there.Ino && mine.Dev == there.Dev
}
