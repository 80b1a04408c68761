package cgroup

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// How long Clear waits for processes that are dying, and between its looks.
const (
	clearPatience = 10 * time.Second
	clearLook     = 5 * time.Millisecond
)

// Clear takes the group away with those below it, and kills what runs in them: what
// a runtime leaves that was itself killed half-way.
func (t *Tree) Clear(ctx context.Context, group string) error {
	if strings.Trim(group, "/") == "" {
		return errors.New("the group above all others is not cleared: it has every process of the machine")
	}
	ctx, cancel := context.WithTimeout(ctx, clearPatience)
	defer cancel()
	tick := time.NewTicker(clearLook)
	defer tick.Stop()
	for {
		err := t.Remove(group)
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		if err := t.kill(group); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// kill kills every process in the group and below.
func (t *Tree) kill(group string) error {
	for _, dir := range t.dirs(group) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != "cgroup.procs" {
				return ignoreGone(err)
			}
			pids, err := readPIDs(path)
			for _, pid := range pids {
				err = errors.Join(err, ignoreGone(unix.Kill(pid, unix.SIGKILL)))
			}
			return ignoreGone(err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ignoreGone forgives what went away by itself meanwhile.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}

// Children are the names of the groups right below the group.
func (t *Tree) Children(group string) ([]string, error) {
	names := map[string]bool{}
	for _, dir := range t.dirs(group) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() {
				names[e.Name()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}
