package engine

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
)

// credit is a role's keys and whose they are.
type credit struct {
	keys *task.Credentials
	arn  string
}

// owner is whose a metadata id is.
type owner struct{ arn, container string }

// learn takes down an order's ids; e.mu is held.
func (e *Engine) learn(o *task.Order) {
	if o.TaskRole != nil { // the execution role's are no business of the containers
		e.credits[o.TaskRole.ID] = credit{o.TaskRole, o.ARN}
	}
	if e.config.MetadataID == nil {
		return
	}
	for i := range o.Containers {
		e.ids[e.config.MetadataID(o.ARN, o.Containers[i].Name)] = owner{o.ARN, o.Containers[i].Name}
	}
}

// unlearn forgets an order's ids; e.mu is held.
func (e *Engine) unlearn(o *task.Order) {
	for id, c := range e.credits {
		if c.arn == o.ARN {
			delete(e.credits, id)
		}
	}
	delete(e.told, o.ARN)
	for id, w := range e.ids {
		if w.arn == o.ARN {
			delete(e.ids, id)
		}
	}
}

// Credentials finds the keys of a task's own role by their id, for tasks that run.
func (e *Engine) Credentials(id string) (*task.Credentials, string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.credits[id]
	if !ok {
		return nil, "", false
	}
	k := e.keepers[c.arn]
	return c.keys, c.arn, k != nil && k.snapshot.Status != task.Stopped
}

// ExecutionKeys are the keys of a task's execution role, nil when it has none. A
// stopped task's serve as long as the task is remembered: its last logs need them.
func (e *Engine) ExecutionKeys(arn string) *task.Credentials {
	e.mu.Lock()
	defer e.mu.Unlock()
	if k := e.keepers[arn]; k != nil {
		return k.snapshot.Order.ExecutionRole
	}
	return nil
}

// Owner finds the container whose metadata id this is.
func (e *Engine) Owner(id string) (arn, container string, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w, ok := e.ids[id]
	return w.arn, w.container, ok
}

// Task returns a task as its metadata shows it.
func (e *Engine) Task(arn string) (*metadata.Task, bool) {
	e.mu.Lock()
	k := e.keepers[arn]
	var s snapshot
	if k != nil {
		s = k.snapshot
	}
	e.mu.Unlock()
	if k == nil {
		return nil, false
	}
	return e.shown(&s), true
}

func (e *Engine) shown(s *snapshot) *metadata.Task {
	r := &s.record
	t := &metadata.Task{Order: s.Order, DesiredStatus: "RUNNING", KnownStatus: known(s),
		PullStartedAt: r.PullStartedAt, PullStoppedAt: r.PullStoppedAt, ExecutionStoppedAt: r.ExecutionStoppedAt}
	if s.StopWanted {
		t.DesiredStatus = "STOPPED"
	}
	if s.Order.Interface != nil {
		t.Zone = s.Order.Interface.Zone
	}
	for i := range s.Containers {
		c := e.shownContainer(s, i)
		c.DesiredStatus = t.DesiredStatus
		t.Containers = append(t.Containers, c)
	}
	return t
}

func known(s *snapshot) string {
	switch s.Status {
	case task.Running, task.Stopped:
		return s.Status.String()
	}
	for i := range s.record.Local.Containers {
		if s.record.Local.Containers[i].Phase < task.PhasePulled {
			return "NONE"
		}
	}
	return "PULLED"
}

func (e *Engine) shownContainer(s *snapshot, i int) metadata.Container {
	l, d, def, p := &s.record.Local.Containers[i], &s.record.Containers[i], &s.Order.Containers[i], s.record.Endpoints[s.Order.Containers[i].Name]
	c := metadata.Container{
		Name: def.Name, RuntimeID: d.RuntimeID, RuntimeName: d.RuntimeID, Image: def.Image, ImageID: d.ImageDigest,
		Labels: labels(s.Order, def.Name), KnownStatus: knownContainer(l), ExitCode: l.ExitCode,
		CreatedAt: d.CreatedAt, StartedAt: l.StartedAt, FinishedAt: l.ExitedAt, Bindings: p.Bindings, Volumes: e.shownVolumes(s.Order, def.Name),
	}
	if p.Address.IsValid() {
		c.Address = p.Address.String()
	}
	if def.HealthCheck != nil {
		c.Health = &metadata.Health{Status: string(l.Health), Since: d.HealthSince, ExitCode: d.HealthCode, Output: d.HealthOutput}
	}
	if def.RestartPolicy != nil && def.RestartPolicy.Enabled {
		c.RestartCount = &l.Attempt
	}
	if def.Log != nil {
		c.LogDriver, c.LogOptions = def.Log.Driver, def.Log.Options
	}
	return c
}

func knownContainer(c *task.LocalContainer) string {
	switch c.Phase {
	case task.PhaseRunning, task.PhaseStopping:
		return "RUNNING"
	case task.PhaseExited:
		return "STOPPED"
	case task.PhaseStarting:
		return "CREATED"
	case task.PhasePulled:
		return "PULLED"
	}
	return "NONE"
}

func (e *Engine) shownVolumes(o *task.Order, container string) []metadata.Volume {
	mounts, err := e.config.Volumes.Mounts(o, container)
	if err != nil {
		return nil
	}
	var out []metadata.Volume
	for _, p := range o.Container(container).MountPoints {
		i := slices.IndexFunc(mounts, func(m runtime.Mount) bool { return m.Target == p.ContainerPath })
		if i >= 0 {
			out = append(out, metadata.Volume{Name: p.SourceVolume, Source: mounts[i].Source, Destination: p.ContainerPath})
		}
	}
	return out
}

// containerGroup is the cgroup that says what a container uses; that of its sandbox
// when it lives in one.
func (e *Engine) containerGroup(o *task.Order, r *record, i int) string {
	if r.Containers[i].RuntimeID == "" {
		return ""
	}
	if e.sandboxed(o) && r.Sandbox != "" {
		return e.group(o) + "/" + r.Sandbox
	}
	return e.group(o) + "/" + r.Containers[i].RuntimeID
}

// ImagesInUse are the digests of the images of tasks that are not stopped: those of
// containers that wait to be started, too.
func (e *Engine) ImagesInUse() map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	digests := map[string]bool{}
	for _, k := range e.keepers {
		for i := range k.snapshot.record.Containers {
			if k.snapshot.Status != task.Stopped {
				digests[k.snapshot.record.Containers[i].ImageDigest] = true
			}
		}
	}
	return digests
}

// Snapshot is a task that runs, for whoever measures it.
type Snapshot struct {
	Order      *task.Order
	Status     task.Status
	Containers []Container
}

// Snapshots lists the tasks that are not stopped.
func (e *Engine) Snapshots() []Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Snapshot
	for _, k := range e.keepers {
		if k.snapshot.Status != task.Stopped {
			out = append(out, Snapshot{k.snapshot.Order, k.snapshot.Status, k.snapshot.Containers})
		}
	}
	slices.SortFunc(out, func(a, b Snapshot) int { return strings.Compare(a.Order.ARN, b.Order.ARN) })
	return out
}
