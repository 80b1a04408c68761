package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/events"
	taskruntime "github.com/containerd/containerd/v2/core/runtime"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// lostCode is the exit code of a container whose own is not known: killed.
const lostCode = 137

// lateExit is how long the end of a shim may take to be cleaned up after.
const lateExit = 10 * time.Second

// process is a container's, as long as the runtime knows the container.
type process struct {
	record  containers.Container
	group   string           // its cgroup
	sandbox string           // the id of the container whose sandbox it joined; else empty
	task    taskruntime.Task // nil when the shim is gone

	late chan Exit     // what the cleaning up after a dead shim found out; holds one
	done chan struct{} // closed once exit is set
	exit Exit
}

func newProcess(record containers.Container, t taskruntime.Task) *process {
	p := &process{record: record, task: t, late: make(chan Exit, 1), done: make(chan struct{})}
	var s specs.Spec
	if typeurl.UnmarshalTo(record.Spec, &s) == nil && s.Linux != nil {
		p.group = s.Linux.CgroupsPath
		if s.Annotations[annotationKind] == "container" {
			p.sandbox = s.Annotations[annotationSandbox]
		}
	}
	return p
}

func (p *process) end(e Exit) {
	p.exit = e
	close(p.done)
}

// watch waits for the container's end in the background.
func (r *Runtime) watch(record containers.Container, t taskruntime.Task) {
	p := newProcess(record, t)
	r.mu.Lock()
	r.live[record.ID] = p
	r.mu.Unlock()
	r.work.Go(func() {
		exit, err := t.Wait(r.ctx)
		switch {
		case err == nil:
			p.end(Exit{Code: int(exit.Status), At: exit.Timestamp, OOMKilled: r.oomKilled(p)})
		case r.ctx.Err() == nil:
			p.end(r.afterShim(p, err))
		}
	})
}

// afterShim finds how a container ended whose shim died before it could say.
func (r *Runtime) afterShim(p *process, cause error) Exit {
	r.log.Warn("a container's shim ended before it", "container", p.record.ID, "error", cause)
	oom := r.oomKilled(p)
	timer := time.NewTimer(lateExit)
	defer timer.Stop()
	select {
	case e := <-p.late:
		e.OOMKilled = oom
		return e
	case <-timer.C:
	case <-r.ctx.Done():
	}
	return Exit{Code: lostCode, At: time.Now(), OOMKilled: oom, Lost: true}
}

// oomKilled reads the count that stays until the container is deleted. What runs
// in a sandbox is in the sandbox's cgroup: when that is short of memory the
// kernel ends it with all that is in it.
func (r *Runtime) oomKilled(p *process) bool {
	if p.sandbox != "" {
		if s, err := r.find(p.sandbox); err == nil {
			return r.oomKilled(s)
		}
	}
	n, err := r.cgroups.OOMKills(p.group)
	return err == nil && n > 0
}

// subscribe hears of exits found by cleaning up after dead shims.
func (r *Runtime) subscribe() <-chan *events.Envelope {
	exits, _ := r.storage.Events.Subscribe(r.ctx, `topic=="`+taskruntime.TaskExitEventTopic+`"`)
	return exits
}

func (r *Runtime) listen(exits <-chan *events.Envelope) {
	defer r.work.Done()
	for {
		select {
		case <-r.ctx.Done():
			return
		case envelope := <-exits:
			r.heard(envelope)
		}
	}
}

func (r *Runtime) heard(envelope *events.Envelope) {
	var e eventtypes.TaskExit
	if envelope == nil || typeurl.UnmarshalTo(envelope.Event, &e) != nil {
		return
	}
	p, err := r.find(e.ContainerID)
	if err != nil {
		return
	}
	select {
	case p.late <- Exit{Code: int(e.ExitStatus), At: e.ExitedAt.AsTime(), Lost: e.ExitStatus == lostCode || e.ExitStatus == 255}:
	default:
	}
}

// Wait returns how the container ended, once it has.
func (r *Runtime) Wait(ctx context.Context, id string) (Exit, error) {
	p, err := r.find(id)
	if err != nil {
		return Exit{}, err
	}
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return Exit{}, ctx.Err()
	case <-r.ctx.Done():
		return Exit{}, errors.New("the runtime was closed")
	}
}

// readExits reads the exits that shims wrote into their bundles, before the
// bundles of dead ones are cleared away.
func readExits(bundles string) map[string]Exit {
	out := map[string]Exit{}
	files, _ := filepath.Glob(filepath.Join(bundles, "*", "exit.json"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		var e struct {
			Timestamp time.Time
			Status    int
		}
		if json.Unmarshal(data, &e) == nil {
			out[filepath.Base(filepath.Dir(f))] = Exit{Code: e.Status, At: e.Timestamp}
		}
	}
	return out
}

func (p *process) status(ctx context.Context) Status {
	s := Status{ID: p.record.ID, Labels: p.record.Labels, Image: p.record.Image, CreatedAt: p.record.CreatedAt, Group: p.group}
	select {
	case <-p.done:
		s.State, s.Exit = Exited, &p.exit
		return s
	default:
	}
	state, err := p.task.State(ctx)
	switch {
	case err != nil, state.Status == taskruntime.CreatedStatus:
		s.State = Created
	default:
		s.State, s.PID = Running, int(state.Pid)
	}
	return s
}

// List returns every container that was created and not deleted.
func (r *Runtime) List(ctx context.Context) ([]Status, error) {
	r.mu.Lock()
	all := make([]*process, 0, len(r.live))
	for _, p := range r.live {
		all = append(all, p)
	}
	r.mu.Unlock()
	out := make([]Status, 0, len(all))
	for _, p := range all {
		out = append(out, p.status(r.quiet(ctx)))
	}
	return out, ctx.Err()
}

// Status tells how far one container is.
func (r *Runtime) Status(ctx context.Context, id string) (Status, error) {
	p, err := r.find(id)
	if err != nil {
		return Status{}, fmt.Errorf("status: %w", err)
	}
	return p.status(r.quiet(ctx)), nil
}
