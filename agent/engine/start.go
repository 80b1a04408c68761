package engine

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/logs"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
)

// createTimeout bounds how long making a container may take on a busy machine.
const createTimeout = 4 * time.Minute

// start makes and starts a container; last is the id of its attempt before.
func (k *keeper) start(i int, last string) {
	o, c, d := k.record.Local.Order, k.order(i), k.record.Containers[i]
	endpoint, sandbox := k.record.Endpoints[c.Name], k.record.Sandbox
	k.do(func(ctx context.Context) func() {
		if last != "" && last != d.RuntimeID {
			if err := k.e.remove(ctx, last); err != nil {
				k.e.log.Warn("cannot remove an earlier attempt of a container", "container", last, "error", err)
			}
		}
		created, err := k.e.startContainer(ctx, attemptOf{o, c, d.Image, d.RuntimeID, d.Remade, endpoint, sandbox})
		if ctx.Err() != nil {
			return nil // the next engine finds what there is
		}
		return func() {
			if err != nil {
				k.failed(i, err.Error())
				return
			}
			k.record.Containers[i].CreatedAt = created
			k.running(i, k.e.config.Now())
		}
	})
}

// running notes that a container runs, and watches it.
func (k *keeper) running(i int, since time.Time) {
	c := &k.record.Local.Containers[i]
	c.Phase, c.StartedAt = task.PhaseRunning, since
	k.e.tighten(k.record.Local.Order)
	k.watch(i)
	k.watchHealth(i)
	k.watchSecrets(i)
}

// attemptOf is all that making one attempt of a container needs.
type attemptOf struct {
	order    *task.Order
	c        *task.OrderContainer
	image    string
	id       string
	remade   bool
	endpoint network.Endpoint
	sandbox  string
}

// startContainer makes the container and starts it. Its errors are in AWS's words.
func (e *Engine) startContainer(ctx context.Context, a attemptOf) (created time.Time, err error) {
	bounded, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	spec, err := e.assemble(bounded, a)
	if err != nil {
		return created, fmt.Errorf("CannotCreateContainerError: %w", err)
	}
	e.starts <- struct{}{} // after what may wait for a server that is starting
	defer func() { <-e.starts }()
	if err := e.config.Runtime.Create(bounded, spec); err != nil {
		return created, fmt.Errorf("CannotCreateContainerError: %w", err)
	}
	created = e.config.Now()
	if err := e.config.Runtime.Start(bounded, a.id); err != nil {
		return created, fmt.Errorf("CannotStartContainerError: %w", err)
	}
	return created, nil
}

// assemble gathers what the container is made of.
func (e *Engine) assemble(ctx context.Context, a attemptOf) (runtime.Container, error) {
	img, err := e.config.Images.Get(ctx, a.image)
	if err != nil {
		return runtime.Container{}, err
	}
	told, err := e.confidence(ctx, a.order, a.c)
	if err != nil {
		return runtime.Container{}, err
	}
	s, err := specify(a.order, a.c, img, e.environment(a, img))
	if err != nil {
		return runtime.Container{}, err
	}
	s.ID, s.Image, s.Confidential = a.id, a.image, confidential(a.c, told)
	if s.Mounts, err = e.config.Volumes.Mounts(a.order, a.c.Name); err != nil {
		return runtime.Container{}, err
	}
	s.Mounts = append(s.Mounts,
		runtime.Mount{Kind: runtime.Bind, Source: e.hostsFile(a.order.ID, a.c.Name), Target: "/etc/hosts"},
		runtime.Mount{Kind: runtime.Bind, Source: e.resolverFile(a.order.ID, a.c.Name), Target: "/etc/resolv.conf"})
	if err := e.place(ctx, a, &s); err != nil {
		return runtime.Container{}, err
	}
	if err := e.mountSecrets(a, &s, told.Secrets); err != nil {
		return runtime.Container{}, err
	}
	s.Output, err = e.output(ctx, a, told.LogOptions)
	return s, err
}

// place puts the container in its cgroup, network, namespaces and sandbox.
func (e *Engine) place(ctx context.Context, a attemptOf, s *runtime.Container) error {
	o := a.order
	s.Group, s.Hostname = e.group(o), a.endpoint.Hostname
	s.Network = runtime.Network{Path: a.endpoint.Space, Host: a.endpoint.Space == ""}
	if e.hostMode(o) {
		s.Beside = e.config.HostGroup
	}
	if o.NetworkMode == "host" {
		s.HostUTS = true
	}
	if e.sandboxed(o) {
		s.Isolation, s.Sandbox = runtime.GVisor, a.sandbox
		s.PID = runtime.Namespace{Host: o.PIDMode == "task"} // the sandbox's, that is
		if a.sandbox == "" {
			boundSandbox(o, &s.Resources)
		}
		if a.sandbox == "" && a.remade { // the sandbox that was being made took the addresses
			return e.config.Network.Renew(ctx, o.ARN)
		}
		return nil
	}
	return e.share(ctx, a, s)
}

// share gives a container the processes and shared memory of its task's holder or
// of the host, where the task says so.
func (e *Engine) share(ctx context.Context, a attemptOf, s *runtime.Container) error {
	s.PID.Host, s.IPC.Host = a.order.PIDMode == "host", a.order.IPCMode == "host"
	if a.sandbox == "" {
		return nil
	}
	holder, err := e.config.Runtime.Status(ctx, a.sandbox)
	if err != nil {
		return err
	}
	proc := fmt.Sprintf("/proc/%d/", holder.PID)
	if a.order.PIDMode == "task" {
		s.PID.Path = proc + "ns/pid"
	}
	if a.order.IPCMode == "task" {
		s.IPC.Path = proc + "ns/ipc"
		s.Mounts = append(s.Mounts, runtime.Mount{Kind: runtime.Bind, Source: e.sharedMemory(a.order.ID), Target: "/dev/shm"})
	}
	return nil
}

// output prepares where the container prints to.
func (e *Engine) output(ctx context.Context, a attemptOf, confidential map[string]string) (runtime.Output, error) {
	order := logs.Order{TaskARN: a.order.ARN, TaskID: a.order.ID, Container: a.c.Name, RuntimeID: a.id, Region: a.order.Region, Mode: a.order.LogMode}
	if a.c.Log != nil {
		order.Driver, order.Options = a.c.Log.Driver, maps.Clone(a.c.Log.Options)
	}
	if len(confidential) > 0 {
		order.Options = merged(order.Options, confidential)
	}
	pipes, err := e.config.Logs.Start(ctx, a.id, order)
	if err != nil {
		return runtime.Output{}, err
	}
	return runtime.Output{Stdout: pipes.Stdout, Stderr: pipes.Stderr}, nil
}

// environment is what the container's program finds set and everybody may know:
// what the image says, what leads it to its metadata, and what its definition says,
// each over what came before.
func (e *Engine) environment(a attemptOf, img *image.Image) []string {
	env := append([]string{}, img.Config.Env...)
	if e.config.Environment != nil {
		env = appendMissing(env, e.config.Environment(a.order, a.c.Name))
	}
	for _, v := range a.c.Environment {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}
