// Package cgroup holds tasks and containers to their share of the machine, and
// reads what they use, under cgroups v1 (with or without an empty v2 tree beside
// it) and v2.
//
// A group is named by its path below the mount points: "/berth/a1b2/TASK".
// https://docs.kernel.org/admin-guide/cgroup-v2.html
// https://docs.kernel.org/admin-guide/cgroup-v1/index.html
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Tree is the machine's cgroup hierarchy. The zero value is not usable; see Find.
type Tree struct {
	unified bool
	root    string            // of v2, or the folder of the v1 mounts
	mounts  map[string]string // v1: controller to mount point
}

// controllers that berth limits or reads. Those that a kernel lacks are skipped.
var controllers = []string{"cpu", "cpuacct", "memory", "pids", "blkio", "cpuset", "devices", "freezer"}

// Find looks at how cgroups are mounted below root, usually /sys/fs/cgroup.
func Find(root string) (*Tree, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return nil, fmt.Errorf("no cgroups at %s: %w", root, err)
	}
	if st.Type == unix.CGROUP2_SUPER_MAGIC {
		return &Tree{unified: true, root: root}, nil
	}
	t := &Tree{root: root, mounts: map[string]string{}}
	for _, c := range controllers {
		for _, name := range []string{c, "cpu,cpuacct", "cpuacct,cpu"} {
			if !slices.Contains(strings.Split(name, ","), c) {
				continue
			}
			if dir := filepath.Join(root, name); exists(filepath.Join(dir, "cgroup.procs")) {
				t.mounts[c] = dir
				break
			}
		}
	}
	if len(t.mounts) == 0 {
		return nil, fmt.Errorf("no cgroup controllers are mounted at %s", root)
	}
	return t, nil
}

// Unified tells cgroups v2 from v1.
func (t *Tree) Unified() bool { return t.unified }

// Create makes the group, with the groups above it, and applies the limits. It
// may be called again to change them.
func (t *Tree) Create(group string, l Limits) error {
	if t.unified {
		return t.create2(group, l)
	}
	for _, c := range []string{"cpu", "cpuacct", "memory", "pids"} {
		dir, ok := t.dir(c, group)
		if !ok {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create cgroup: %w", err)
		}
	}
	return t.write(group, l.v1())
}

// create2 switches the controllers on in each group from the root down to the
// parent: v2 gives a controller to the children of a group that names it.
func (t *Tree) create2(group string, l Limits) error {
	dir := t.root
	for part := range strings.SplitSeq(strings.Trim(group, "/"), "/") {
		for _, c := range []string{"cpu", "memory", "pids", "io", "cpuset"} {
			// A controller that the kernel or the parent lacks is refused with
			// ENOENT; only limits that need it may fail for that.
			_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0)
		}
		dir = filepath.Join(dir, part)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("create cgroup: %w", err)
		}
	}
	return t.write(group, l.v2())
}

// Remove takes the group away with those below it. Groups with processes in them
// stay, and Remove says so.
func (t *Tree) Remove(group string) error {
	var errs []error
	for _, dir := range t.dirs(group) {
		errs = append(errs, removeTree(dir))
	}
	return errors.Join(errs...)
}

func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove cgroup %s: %w", dir, err)
	}
	return nil
}

// JoinBeside moves a process into a group of the v2 tree that is mounted beside
// v1. The group must be there.
func (t *Tree) JoinBeside(group string, pid int) error {
	file := filepath.Join(t.root, "unified", group, "cgroup.procs")
	if err := os.WriteFile(file, []byte(strconv.Itoa(pid)), 0); err != nil {
		return fmt.Errorf("join cgroup: %w", err)
	}
	return nil
}

// Processes lists the processes in the group itself.
func (t *Tree) Processes(group string) ([]int, error) {
	for _, dir := range t.dirs(group) {
		return readPIDs(filepath.Join(dir, "cgroup.procs"))
	}
	return nil, nil
}

// dirs lists the group's directories that exist, one with v2. The memory
// controller's comes first with v1.
func (t *Tree) dirs(group string) []string {
	if t.unified {
		return existing(filepath.Join(t.root, group))
	}
	var out []string
	for _, c := range append([]string{"memory"}, controllers...) {
		if dir, ok := t.dir(c, group); ok && !slices.Contains(out, dir) {
			out = append(out, existing(dir)...)
		}
	}
	// Runtimes join the systemd hierarchy, too.
	return append(out, existing(filepath.Join(t.root, "systemd", group), filepath.Join(t.root, "unified", group))...)
}

func (t *Tree) dir(controller, group string) (string, bool) {
	if t.unified {
		return filepath.Join(t.root, group), true
	}
	mount, ok := t.mounts[controller]
	return filepath.Join(mount, group), ok
}

func existing(dirs ...string) []string {
	return slices.DeleteFunc(dirs, func(d string) bool { return !exists(d) })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
