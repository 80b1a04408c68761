// Package volume gives tasks their volumes on one machine: directories of the
// host, directories that live as long as the task, and named ones that tasks
// share; and it says what each container mounts.
package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// Volumes keeps the volumes of an agent. It is safe for concurrent use.
type Volumes struct {
	dir       string
	protected []string
}

// Open keeps volumes in dir. protected are paths of the host that no task may
// mount, nor anything below them, nor what contains them.
func Open(dir string, protected ...string) (*Volumes, error) {
	v := &Volumes{dir: dir}
	for _, p := range append([]string{dir}, protected...) {
		v.protected = append(v.protected, real(p))
	}
	return v, os.MkdirAll(dir, 0o711)
}

// Sensitive are the paths of every host that give a task power over it: its
// configuration and the sockets of container runtimes.
func Sensitive() []string {
	return []string{"/etc", "/run/berth", "/run/docker.sock", "/run/containerd", "/run/podman", "/run/crio", "/var/lib/docker", "/var/lib/containerd"}
}

// Prepare makes the directories of the task's volumes. It fails for a volume that
// must not or cannot be mounted; nothing is left behind then but empty
// directories, which Release removes.
func (v *Volumes) Prepare(o *task.Order) error {
	for i := range o.Volumes {
		path, err := v.source(o, &o.Volumes[i])
		if err != nil {
			return err
		}
		if err := makeDir(path); err != nil {
			return fmt.Errorf("volume %s: %w", o.Volumes[i].Name, err)
		}
	}
	return nil
}

// makeDir makes the directory unless something is there already.
func makeDir(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return os.MkdirAll(path, 0o755)
}

// Release removes the volumes that live as long as the task.
func (v *Volumes) Release(taskID string) error {
	return os.RemoveAll(v.ofTask(taskID))
}

// Keep removes the volumes of all tasks that are not listed.
func (v *Volumes) Keep(taskIDs []string) error {
	entries, err := os.ReadDir(filepath.Join(v.dir, "tasks"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !slices.Contains(taskIDs, e.Name()) {
			err = errors.Join(err, v.Release(e.Name()))
		}
	}
	return err
}

func (v *Volumes) ofTask(id string) string { return filepath.Join(v.dir, "tasks", id) }

// source is the host's directory behind a volume.
func (v *Volumes) source(o *task.Order, vol *workload.Volume) (string, error) {
	switch {
	case vol.EFS != nil, vol.FSx != nil, vol.S3Files != nil:
		return "", fmt.Errorf("volume %s: EFS, FSx and S3 Files volumes are not available on this machine yet", vol.Name)
	case vol.ConfiguredAtLaunch != nil && *vol.ConfiguredAtLaunch:
		return "", fmt.Errorf("volume %s: volumes configured at launch are not available yet", vol.Name)
	case vol.Host != nil && vol.Host.SourcePath != "":
		return v.hostPath(vol)
	case vol.Docker != nil && vol.Docker.Driver != "" && vol.Docker.Driver != "local":
		return "", fmt.Errorf("volume %s: volume driver %q is not available; only local is", vol.Name, vol.Docker.Driver)
	case vol.Docker != nil && vol.Docker.Scope == "shared":
		return v.shared(vol)
	}
	return filepath.Join(v.ofTask(o.ID), plain(vol.Name)), nil
}

func (v *Volumes) shared(vol *workload.Volume) (string, error) {
	path := filepath.Join(v.dir, "shared", plain(vol.Name))
	if auto := vol.Docker.Autoprovision; auto != nil && *auto {
		return path, nil
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("volume %s: it does not exist on this machine and autoprovision is off", vol.Name)
	}
	return path, nil
}

// hostPath refuses what would give the task the host, links included.
func (v *Volumes) hostPath(vol *workload.Volume) (string, error) {
	path := vol.Host.SourcePath
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("volume %s: %q is not an absolute path", vol.Name, path)
	}
	resolved := real(path)
	for _, p := range v.protected {
		if within(resolved, p) || within(p, resolved) {
			return "", fmt.Errorf("volume %s: %s cannot be mounted: it would reach %s, which berth keeps from tasks", vol.Name, path, p)
		}
	}
	return resolved, nil
}

// within tells whether path is dir or lies below it.
func within(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}

// real follows links as far as the path exists.
func real(path string) string {
	path = filepath.Clean(path)
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(real(parent), filepath.Base(path))
}

// plain makes a name that is one part of a path. Names are checked at
// registration; this is for orders that came otherwise.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == 0 {
			return '_'
		}
		return r
	}, strings.TrimLeft(name, "."))
}
