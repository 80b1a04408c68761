// Package runtime runs containers on this machine.
//
// containerd's parts live inside this process, without its daemon, its plugin
// graph or a socket to call it by. What must outlive the process does: each
// container is held by a shim, its output goes to a logger, and Open finds them
// again. Containers share the host's kernel through runc, or have one of their
// own through gVisor.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	taskruntime "github.com/containerd/containerd/v2/core/runtime"
	runtimev2 "github.com/containerd/containerd/v2/core/runtime/v2"
	"github.com/containerd/containerd/v2/pkg/timeout"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/runtime/storage"
)

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("no such container")
	ErrExists   = errors.New("a container of this id exists")
	// ErrNoGVisor means that runsc is not installed, so nothing can be isolated by
	// it. `make build` builds it.
	ErrNoGVisor = errors.New("gVisor's runsc is not installed: build it with make build, or set fargate.isolation: none to run Fargate tasks without it")
	// ErrNoOCIRuntime means that neither runc nor crun is installed.
	ErrNoOCIRuntime = errors.New("no OCI runtime is installed: apt-get install runc")
)

// Runtime is an open runtime. It is safe for concurrent use.
type Runtime struct {
	config  Config
	log     *slog.Logger
	storage *storage.Storage
	images  *image.Store
	cgroups *cgroup.Tree
	tasks   *runtimev2.TaskManager
	events  *eventSocket
	users   userCache

	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	closed <-chan struct{}
	work   sync.WaitGroup
	dirt   chan struct{} // tells the collector that something was deleted

	mu   sync.Mutex
	live map[string]*process
}

// Open opens the runtime of a data folder and adopts the containers that it finds
// running. The folder can be open once at a time.
func Open(ctx context.Context, config Config) (*Runtime, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	if err := config.prepareFolders(); err != nil {
		return nil, fmt.Errorf("prepare the runtime's folders: %w", err)
	}
	tree, err := cgroup.Find("/sys/fs/cgroup")
	if err != nil {
		return nil, err
	}
	if err := tree.Create(config.Group, cgroup.Limits{}); err != nil {
		return nil, err
	}
	store, err := storage.Open(ctx, filepath.Join(config.Data, "containers"))
	if err != nil {
		return nil, err
	}
	r := &Runtime{config: config, log: config.Log, storage: store, images: image.NewStore(store, config.Pulls), cgroups: tree,
		dirt: make(chan struct{}, 1), live: map[string]*process{}}
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.closed, r.stop = alive.Done(), stop
	r.ctx = r.quiet(alive)
	if err := r.begin(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// patience is how long a shim may take to answer when it is found. One that takes
// longer counts as dead and its container is killed, so a busy machine gets time.
const patience = time.Minute

// begin connects to the shims that are there and watches them.
func (r *Runtime) begin() error {
	bundles := filepath.Join(r.config.bundleState(), storage.Namespace)
	left := readExits(bundles)
	var err error
	if r.events, err = listenForEvents(r.config.eventsSocket()); err != nil {
		return err
	}
	shims, err := runtimev2.NewShimManager(&runtimev2.ManagerConfig{
		Store: r.storage.Containers, Events: r.storage.Events, SandboxStore: everyShim{},
		Address: r.config.Data, TTRPCAddress: r.config.eventsSocket(), SocketDir: r.config.socketFolder(),
	})
	if err != nil {
		return err
	}
	if err := r.endHalfMade(bundles); err != nil {
		return err
	}
	exits := r.subscribe()
	timeout.Set("io.containerd.timeout.shim.load", patience)
	r.tasks, err = runtimev2.NewTaskManager(r.ctx, r.config.bundleRoot(), r.config.bundleState(), shims)
	if err != nil {
		return fmt.Errorf("find the containers that are running: %w", err)
	}
	if err := r.adopt(left); err != nil {
		return err
	}
	r.work.Add(2)
	go r.collector()
	go r.listen(exits)
	return nil
}

// adopt takes up every container that has a record.
func (r *Runtime) adopt(left map[string]Exit) error {
	records, err := r.storage.Containers.List(r.ctx)
	if err != nil {
		return err
	}
	for _, record := range records {
		t, err := r.tasks.Get(r.ctx, record.ID)
		if err != nil {
			r.forgotten(record, left)
			continue
		}
		r.watch(record, t)
	}
	return nil
}

// forgotten keeps a container whose shim is gone, with the exit it left if any.
func (r *Runtime) forgotten(record containers.Container, left map[string]Exit) {
	exit, ok := left[record.ID]
	if !ok {
		exit = Exit{Code: lostCode, At: record.UpdatedAt, Lost: true}
	}
	p := newProcess(record, nil)
	p.end(exit)
	r.mu.Lock()
	r.live[record.ID] = p
	r.mu.Unlock()
}

// Images is the machine's store of images.
func (r *Runtime) Images() *image.Store { return r.images }

// SweepImages forgets images that nobody pulled or used since before, save those
// with the digests to keep, and returns their names. The space they take is given
// back soon.
func (r *Runtime) SweepImages(ctx context.Context, before time.Time, keep map[string]bool) ([]string, error) {
	gone, err := r.images.Sweep(ctx, before, keep)
	if len(gone) > 0 {
		r.soil()
	}
	return gone, err
}

// Cgroups is the tree the containers' groups are in.
func (r *Runtime) Cgroups() *cgroup.Tree { return r.cgroups }

// Group is the cgroup that holds all of the runtime's.
func (r *Runtime) Group() string { return r.config.Group }

// HasGVisor tells whether containers can be isolated by gVisor.
func (r *Runtime) HasGVisor() bool { return r.config.GVisor != "" }

// Close lets the data folder go. Containers run on. Connections to shims stay
// open until the process ends: containerd takes the end of one for the shim's.
func (r *Runtime) Close() error {
	r.stop()
	var err error
	if r.events != nil {
		err = r.events.Close()
	}
	r.work.Wait()
	return errors.Join(err, r.storage.Close())
}

// collector removes what deleted containers left on disk, off everyone's path.
func (r *Runtime) collector() {
	defer r.work.Done()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.dirt:
			if err := r.storage.Collect(r.ctx); err != nil && r.ctx.Err() == nil {
				r.log.Warn("cannot remove what deleted containers left", "error", err)
			}
		}
	}
}

func (r *Runtime) soil() {
	select {
	case r.dirt <- struct{}{}:
	default:
	}
}

func (r *Runtime) find(id string) (*process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.live[id]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return p, nil
}

// task is the container's, else ErrNotFound.
func (r *Runtime) task(id string) (taskruntime.Task, error) {
	p, err := r.find(id)
	if err != nil {
		return nil, err
	}
	if p.task == nil {
		return nil, fmt.Errorf("%w: %s has no process any more", ErrNotFound, id)
	}
	return p.task, nil
}

// Destroy removes the folders that Open made outside of the data folder. No
// runtime of the data folder may be open and no container of it running.
func Destroy(data string) error {
	c := Config{Data: data}
	if err := c.complete(); err != nil && !errors.Is(err, ErrNoOCIRuntime) {
		return err
	}
	tree, err := cgroup.Find("/sys/fs/cgroup")
	if err != nil {
		return err
	}
	return errors.Join(tree.Clear(context.Background(), c.Group), removeFolder(c.State))
}
