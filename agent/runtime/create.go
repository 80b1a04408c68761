package runtime

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/mount"
	taskruntime "github.com/containerd/containerd/v2/core/runtime"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// runtimeName is what container records carry; the shim is found by path.
const runtimeName = "io.containerd.runc.v2"

// Create makes a container up to the point where its program would start. On an
// error nothing of it is left.
func (r *Runtime) Create(ctx context.Context, c Container) error {
	ctx = r.quiet(ctx)
	if c.Isolation == GVisor && !r.HasGVisor() {
		return ErrNoGVisor
	}
	layers, err := r.layers(ctx, &c)
	if err != nil {
		return err
	}
	who, err := r.users.lookup(ctx, r.storage, layers, c.User)
	if err != nil {
		return err
	}
	spec, err := r.translate(&c, who)
	if err != nil {
		return err
	}
	record, err := r.record(ctx, &c, spec)
	if err != nil {
		return err
	}
	confide(spec, c.Confidential)
	t, err := r.start(ctx, &c, spec, layers)
	if err != nil {
		r.undo(ctx, &c)
		return err
	}
	r.watch(record, t)
	if err := r.beside(ctx, &c, t); err != nil {
		return errors.Join(err, r.Delete(context.WithoutCancel(ctx), c.ID))
	}
	return nil
}

// beside puts the container's first process, from which all others come, into a
// group of the v2 tree beside v1.
func (r *Runtime) beside(ctx context.Context, c *Container, t taskruntime.Task) error {
	if c.Beside == "" || r.cgroups.Unified() {
		return nil
	}
	pid, err := t.PID(ctx)
	if err != nil {
		return err
	}
	return r.cgroups.JoinBeside(c.Beside, int(pid))
}

// layers is the unpacked image the container starts from; empty for a Pause.
func (r *Runtime) layers(ctx context.Context, c *Container) (string, error) {
	if c.Pause {
		return "", nil
	}
	img, err := r.images.Get(ctx, c.Image)
	if err != nil {
		return "", err
	}
	if img.Layers == "" {
		return "", fmt.Errorf("image %s has no layers to run from", img.Name)
	}
	return img.Layers, nil
}

// record writes the container down before anything of it exists, so that what a
// crash leaves behind belongs to somebody.
func (r *Runtime) record(ctx context.Context, c *Container, spec *specs.Spec) (containers.Container, error) {
	if c.Pause {
		if err := r.placePause(); err != nil {
			return containers.Container{}, err
		}
		spec.Root = &specs.Root{Path: r.pauseRoot(), Readonly: true}
		spec.Process.Args = []string{"/" + InitName, "pause"}
	}
	packed, err := typeurl.MarshalAny(spec)
	if err != nil {
		return containers.Container{}, err
	}
	record := containers.Container{ID: c.ID, Labels: c.Labels, Image: c.Image, Spec: packed, Runtime: containers.RuntimeInfo{Name: runtimeName}}
	if !c.Pause {
		record.Snapshotter, record.SnapshotKey = r.storage.Snapshotter, c.ID
	}
	made, err := r.storage.Containers.Create(ctx, record)
	if errdefs.IsAlreadyExists(err) {
		return made, fmt.Errorf("%w: %s", ErrExists, c.ID)
	}
	return made, err
}

// confide adds what the record must not hold.
func confide(spec *specs.Spec, confidential []string) {
	if len(confidential) > 0 {
		spec.Process.Env = lastOf(append(spec.Process.Env, confidential...))
	}
}

func (r *Runtime) start(ctx context.Context, c *Container, spec *specs.Spec, layers string) (taskruntime.Task, error) {
	var rootfs []mount.Mount
	if !c.Pause {
		var err error
		if rootfs, err = r.storage.Snapshots.Prepare(ctx, c.ID, layers); err != nil {
			return nil, fmt.Errorf("prepare the root file system: %w", err)
		}
	}
	if err := fill(ctx, c.Mounts, rootfs); err != nil {
		return nil, err
	}
	opts, err := r.options(c)
	if err != nil {
		return nil, err
	}
	out, err := c.Output.uris()
	if err != nil {
		return nil, err
	}
	out.Terminal = c.Terminal
	packed, err := typeurl.MarshalAny(spec)
	if err != nil {
		return nil, err
	}
	return r.tasks.Create(ctx, c.ID, taskruntime.CreateOpts{Spec: packed, Rootfs: rootfs, IO: out, RuntimeOptions: opts, Runtime: r.config.Shim})
}

func (r *Runtime) options(c *Container) (typeurl.Any, error) {
	o := &options.Options{BinaryName: r.config.OCI, Root: filepath.Join(r.config.State, "oci")}
	if c.Isolation == GVisor {
		o.BinaryName, o.Root = r.config.runsc(), filepath.Join(r.config.State, "runsc")
	}
	return typeurl.MarshalAny(o)
}

// uris writes the output in the shim's words.
func (o Output) uris() (taskruntime.IO, error) {
	if o.Stdout != "" || o.Stderr != "" || o.File == "" {
		return taskruntime.IO{Stdout: o.Stdout, Stderr: o.Stderr}, nil
	}
	if err := os.MkdirAll(filepath.Dir(o.File), 0o700); err != nil {
		return taskruntime.IO{}, err
	}
	u := url.URL{Scheme: "file", Path: o.File}
	return taskruntime.IO{Stdout: u.String(), Stderr: u.String()}, nil
}

// undo takes away what a failed Create had made.
func (r *Runtime) undo(ctx context.Context, c *Container) {
	ctx = context.WithoutCancel(ctx)
	err := r.cgroups.Clear(ctx, r.group(c))
	_ = r.storage.Snapshots.Remove(ctx, c.ID)
	if err := errors.Join(err, r.storage.Containers.Delete(ctx, c.ID)); err != nil {
		r.log.Warn("a container that failed to start left something behind", "container", c.ID, "error", err)
	}
	r.soil()
}
