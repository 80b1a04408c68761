package volume

import (
	"fmt"
	"slices"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// Mounts lists what a container of the task mounts: its own volumes, those of the
// containers it names in volumesFrom, and its memory file systems. Of two at the
// same place its own counts.
func (v *Volumes) Mounts(o *task.Order, container string) ([]runtime.Mount, error) {
	c := o.Container(container)
	if c == nil {
		return nil, fmt.Errorf("the task has no container %s", container)
	}
	mounts, err := v.own(o, c)
	if err != nil {
		return nil, err
	}
	for _, from := range c.VolumesFrom {
		source := o.Container(from.SourceContainer)
		if source == nil {
			return nil, fmt.Errorf("volumesFrom: the task has no container %s", from.SourceContainer)
		}
		theirs, err := v.own(o, source)
		if err != nil {
			return nil, err
		}
		for _, m := range theirs {
			m.ReadOnly = m.ReadOnly || is(from.ReadOnly)
			mounts = add(mounts, m)
		}
	}
	return append(mounts, tmpfs(c)...), nil
}

func (v *Volumes) own(o *task.Order, c *task.OrderContainer) ([]runtime.Mount, error) {
	var out []runtime.Mount
	for _, p := range c.MountPoints {
		i := slices.IndexFunc(o.Volumes, func(vol workload.Volume) bool { return vol.Name == p.SourceVolume })
		if i < 0 {
			return nil, fmt.Errorf("container %s mounts volume %s, which the task does not have", c.Name, p.SourceVolume)
		}
		vol := &o.Volumes[i]
		source, err := v.source(o, vol)
		if err != nil {
			return nil, err
		}
		out = add(out, runtime.Mount{Kind: runtime.Bind, Source: source, Target: p.ContainerPath, ReadOnly: is(p.ReadOnly), Fill: fills(vol)})
	}
	return out, nil
}

// fills tells which volumes begin with what the image has: all but the host's own
// directories.
func fills(vol *workload.Volume) bool { return vol.Host == nil || vol.Host.SourcePath == "" }

func add(mounts []runtime.Mount, m runtime.Mount) []runtime.Mount {
	if slices.ContainsFunc(mounts, func(o runtime.Mount) bool { return o.Target == m.Target }) {
		return mounts
	}
	return append(mounts, m)
}

func tmpfs(c *task.OrderContainer) []runtime.Mount {
	if c.Linux == nil {
		return nil
	}
	var out []runtime.Mount
	for _, t := range c.Linux.Tmpfs {
		out = append(out, runtime.Mount{Kind: runtime.Tmpfs, Target: t.ContainerPath, Size: int64(t.Size) << 20, Options: t.MountOptions})
	}
	return out
}

func is(b *bool) bool { return b != nil && *b }
