package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
)

// prepare gives the task what its containers share.
func (k *keeper) prepare() {
	o := k.record.Local.Order
	k.do(func(ctx context.Context) func() {
		endpoints, sandbox, err := k.e.prepare(ctx, k.pulls, o)
		return func() {
			l := &k.record.Local
			k.record.Endpoints, k.record.Sandbox = endpoints, sandbox
			l.Prepared, l.PreparedAt = task.WorkDone, k.e.config.Now()
			if err != nil {
				l.Prepared, l.StopReason = task.WorkFailed, "ResourceInitializationError: "+err.Error()
			}
		}
	})
}

// prepare waits for secrets no longer than wanted lives.
func (e *Engine) prepare(ctx, wanted context.Context, o *task.Order) (map[string]network.Endpoint, string, error) {
	if err := e.permit(o); err != nil {
		return nil, "", err
	}
	if err := e.config.Ledger.Claim(o); err != nil {
		return nil, "", err
	}
	if err := e.config.Volumes.Prepare(o); err != nil {
		return nil, "", err
	}
	if _, err := e.confidences(wanted, o); err != nil {
		return nil, "", err
	}
	limits := taskLimits(o)
	if e.sandboxed(o) {
		limits.CPUQuota = 0 // see boundSandbox
	}
	if err := e.config.Cgroups.Create(e.group(o), limits); err != nil {
		return nil, "", err
	}
	endpoints, err := e.config.Network.Setup(ctx, o)
	if err != nil {
		return nil, "", fmt.Errorf("set up the task's network: %w", err)
	}
	if err := e.placeFiles(o, endpoints); err != nil {
		return nil, "", err
	}
	if e.sharesMemory(o) {
		if err := e.mountSharedMemory(o); err != nil {
			return nil, "", err
		}
	}
	sandbox, err := e.holdNamespaces(ctx, o, endpoints)
	return endpoints, sandbox, err
}

// permit refuses what this machine must not or cannot run.
func (e *Engine) permit(o *task.Order) error {
	if e.sandboxed(o) && !e.config.Runtime.HasGVisor() {
		return runtime.ErrNoGVisor
	}
	for i := range o.Containers {
		c := &o.Containers[i]
		if _, err := secretsDir(c); err != nil {
			return err
		}
		if c.Privileged != nil && *c.Privileged && !e.config.AllowPrivileged {
			return fmt.Errorf("container %s is privileged, which this machine refuses: start berth with --allow-privileged", c.Name)
		}
	}
	if o.PIDMode == "host" && !e.config.AllowPrivileged {
		return errors.New("pidMode host shows the host's processes, which this machine refuses: start berth with --allow-privileged")
	}
	return nil
}

// sandboxed tells whether the task has a kernel of its own.
func (e *Engine) sandboxed(o *task.Order) bool {
	return o.Isolation == task.Sandbox && !e.config.WithoutSandbox
}

// group is the task's cgroup. Tasks in host network mode are below the group by
// which the network tells them from the host.
func (e *Engine) group(o *task.Order) string {
	if e.hostMode(o) && e.config.Cgroups.Unified() {
		return filepath.Join(e.config.HostGroup, o.ID)
	}
	return filepath.Join(e.config.Group, o.ID)
}

func (e *Engine) hostMode(o *task.Order) bool {
	return o.NetworkMode == "host" && e.config.HostGroup != ""
}

// taskLimits are those of a task as a whole: its size is a quota and a hard limit.
func taskLimits(o *task.Order) cgroup.Limits {
	return cgroup.Limits{CPUQuota: cgroup.QuotaOf(o.CPU), Memory: int64(o.Memory) << 20}
}

// boundSandbox bounds a sandbox by what bounds its task. To begin takes a sandbox
// a burst of CPU that the usual period would stretch over several, so its own
// quota counts over ten of them; the task's group around it, which holds it to each
// period, gets its quota when the first container runs: see tighten.
func boundSandbox(o *task.Order, r *runtime.Resources) {
	const periods = 10 // the kernel's longest is a second
	limits := taskLimits(o)
	r.CPUQuota, r.CPUPeriod = periods*limits.CPUQuota, periods*cgroup.Period
	if r.Memory == 0 || limits.Memory > 0 && limits.Memory < r.Memory {
		r.Memory = limits.Memory
	}
}

// tighten holds a task in a sandbox to its CPU in each period.
func (e *Engine) tighten(o *task.Order) {
	if !e.sandboxed(o) {
		return
	}
	if err := e.config.Cgroups.Create(e.group(o), taskLimits(o)); err != nil {
		e.log.Error("cannot hold a task to its CPU in each period; it is held over a second", "task", o.ARN, "error", err)
	}
}

// files are the folder with what the task's containers mount of ours.
func (e *Engine) files(taskID string) string { return filepath.Join(e.config.Dir, "files", taskID) }

func (e *Engine) hostsFile(taskID, container string) string {
	return filepath.Join(e.files(taskID), container+".hosts")
}

func (e *Engine) resolverFile(taskID, container string) string {
	return filepath.Join(e.files(taskID), container+".resolv.conf")
}

func (e *Engine) placeFiles(o *task.Order, endpoints map[string]network.Endpoint) error {
	if err := os.MkdirAll(e.files(o.ID), 0o711); err != nil {
		return err
	}
	for name, p := range endpoints {
		if err := os.WriteFile(e.hostsFile(o.ID, name), p.Hosts, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(e.resolverFile(o.ID, name), p.Resolver, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// holdNamespaces starts the container that does nothing but hold what several
// containers of the task share: a sandbox, or process or IPC namespaces.
func (e *Engine) holdNamespaces(ctx context.Context, o *task.Order, endpoints map[string]network.Endpoint) (string, error) {
	if !e.needsHolder(o) {
		return "", nil
	}
	id := sandboxID(o.ID)
	s, err := e.config.Runtime.Status(ctx, id)
	if err == nil && s.State == runtime.Running {
		return id, nil
	}
	if err == nil { // an engine was killed while it made this one
		if err := e.remake(ctx, o, id); err != nil {
			return "", err
		}
	}
	e.starts <- struct{}{}
	defer func() { <-e.starts }()
	if err := e.config.Runtime.Create(ctx, e.holder(o, endpoints)); err != nil {
		return "", fmt.Errorf("create the task's sandbox: %w", err)
	}
	if err := e.config.Runtime.Start(ctx, id); err != nil {
		return id, fmt.Errorf("start the task's sandbox: %w", err)
	}
	return id, nil
}

func (e *Engine) remake(ctx context.Context, o *task.Order, id string) error {
	if err := e.config.Runtime.Delete(ctx, id); err != nil || !e.sandboxed(o) {
		return err
	}
	return e.config.Network.Renew(ctx, o.ARN)
}

// needsHolder tells whether a holder is needed: a sandbox that more than one
// container, or more than one attempt, lives in, or namespaces that are shared.
func (e *Engine) needsHolder(o *task.Order) bool {
	if o.PIDMode == "task" || o.IPCMode == "task" {
		return true
	}
	if !e.sandboxed(o) {
		return false
	}
	restarts := o.Containers[0].RestartPolicy
	return len(o.Containers) > 1 || restarts != nil && restarts.Enabled
}

func (e *Engine) holder(o *task.Order, endpoints map[string]network.Endpoint) runtime.Container {
	c := runtime.Container{ID: sandboxID(o.ID), Pause: true, Group: e.group(o), Labels: labels(o, "")}
	first := o.Containers[0].Name
	if e.sandboxed(o) {
		c.Isolation, c.Hostname = runtime.GVisor, endpoints[first].Hostname
		boundSandbox(o, &c.Resources)
		c.Network = runtime.Network{Path: endpoints[first].Space}
	}
	return c
}

// clean gives everything back.
func (k *keeper) clean() {
	o := k.record.Local.Order
	var ids []string
	for i := range k.record.Containers {
		last := k.record.Local.Containers[i].Attempt
		for n := max(last-1, 0); n <= last; n++ { // of earlier ones nothing is left
			ids = append(ids, containerID(o.ID, o.Containers[i].Name, n))
		}
	}
	k.do(func(ctx context.Context) func() {
		err := k.e.clean(ctx, o, ids)
		if ctx.Err() != nil {
			return nil // the next engine cleans
		}
		return func() {
			k.record.Local.Cleaned = task.WorkDone
			if err != nil {
				k.record.Local.Cleaned = task.WorkFailed
				k.e.log.Error("a stopped task left something behind", "task", o.ARN, "error", err)
			}
		}
	})
}

func (e *Engine) clean(ctx context.Context, o *task.Order, ids []string) error {
	var errs []error
	for _, id := range append(ids, sandboxID(o.ID)) {
		errs = append(errs, e.remove(ctx, id))
	}
	errs = append(errs,
		e.config.Network.Teardown(ctx, o.ARN),
		e.config.Volumes.Release(o.ID),
		e.unmountSharedMemory(o.ID),
		e.unmountSecrets(o),
		os.RemoveAll(e.files(o.ID)),
		e.config.Cgroups.Clear(ctx, e.group(o)))
	e.config.Ledger.Release(o.ARN)
	e.forgetConfidences(o.ARN)
	e.drainLogs(ctx, ids)
	return errors.Join(errs...)
}

// remove deletes a container and then ends its logs: until its shim is gone it may
// still write.
func (e *Engine) remove(ctx context.Context, id string) error {
	if err := e.config.Runtime.Delete(ctx, id); err != nil {
		return err
	}
	return e.config.Logs.End(id)
}

// logGrace is how long a task that ended waits for its last lines to be shipped
// before it is shown as stopped: who waits for the end then finds them.
const logGrace = 5 * time.Second

func (e *Engine) drainLogs(ctx context.Context, ids []string) {
	ctx, cancel := context.WithTimeout(ctx, logGrace)
	defer cancel()
	for _, id := range ids {
		if e.config.Logs.Drained(ctx, id) != nil {
			return
		}
	}
}
