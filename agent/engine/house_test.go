package engine_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/engine"
	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/ledger"
	"github.com/berthhq/berth/agent/logs"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/gvisor"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/agent/volume"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/sigv4"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "logger" {
		if err := logs.RunLogger(context.Background(), os.Args[2], slog.Default()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	runtimetest.Main(m)
}

// house is a machine with an engine and all it stands on, each the real one, in
// folders and namespaces of its own.
type house struct {
	t       *testing.T
	config  runtime.Config
	dir     string
	host    string // network namespace that is the machine's
	agent   string
	offered cluster.Resources
	adjust  func(*engine.Config)

	*engine.Engine
	runtime *runtime.Runtime
	network *network.Network
	logs    *logs.Logs
	ledger  *ledger.Ledger

	mu      sync.Mutex
	heard   map[string][]task.Observation // by task ARN
	hearing sync.WaitGroup
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, config: runtimetest.Config(t), dir: t.TempDir(), host: namespace(t), agent: random(),
		offered: cluster.Resources{CPU: 100000, Memory: 100000}, heard: map[string][]task.Observation{}}
	t.Cleanup(h.tearDown)
	return h
}

func gvisorHouse(t *testing.T) *house {
	runsc := runtimetest.NeedGVisor(t)
	h := newHouse(t)
	h.config.GVisor, h.config.GVisorFront = runsc, runtimetest.Build(t, gvisor.Name)
	return h
}

// open starts the engine; again after close.
func (h *house) open() *house {
	h.t.Helper()
	var err error
	h.runtime = runtimetest.Reopen(h.t, h.config)
	h.network, err = network.Open(h.t.Context(), network.Config{Agent: h.agent, RunDir: h.dir + "/net", Host: h.host, Log: slog.New(slog.DiscardHandler)})
	h.must(err)
	h.logs, err = logs.Open(logs.Config{Dir: h.dir + "/spool", Files: h.dir + "/files", Logger: []string{os.Args[0], "logger", h.dir + "/spool"}, Log: slog.New(slog.DiscardHandler),
		Keys: func(context.Context, string) (sigv4.Keys, error) { return sigv4.Keys{}, nil }})
	h.must(err)
	volumes, err := volume.Open(h.dir+"/volumes", h.dir+"/engine")
	h.must(err)
	h.ledger = ledger.New(h.offered, 1)
	config := engine.Config{Dir: h.dir + "/engine", Runtime: h.runtime, Cgroups: h.runtime.Cgroups(), Group: h.runtime.Group(), Network: h.network, Volumes: volumes,
		Images: shelf{h.runtime.Images()}, Logs: h.logs, Ledger: h.ledger, StopTimeout: time.Second, Log: slog.New(slog.NewTextHandler(h.t.Output(), nil))}
	if h.adjust != nil {
		h.adjust(&config)
	}
	h.Engine, err = engine.Open(h.t.Context(), config)
	h.must(err)
	h.hearing.Go(h.listen)
	return h
}

// listen is the servers' ear.
func (h *house) listen() {
	e := h.Engine
	for {
		reports, err := e.Reports(context.Background())
		if err != nil {
			return
		}
		h.mu.Lock()
		for _, r := range reports {
			h.heard[r.Observation.TaskARN] = append(h.heard[r.Observation.TaskARN], r.Observation)
		}
		h.mu.Unlock()
		e.Told(reports...)
	}
}

// close lets go of everything and leaves it running.
func (h *house) close() {
	h.t.Helper()
	h.must(h.network.Close())
	h.leave()
}

func (h *house) leave() {
	h.t.Helper()
	h.must(h.Engine.Close())
	h.hearing.Wait()
	h.must(h.logs.Close())
	h.must(h.runtime.Close())
	h.Engine = nil
}

func (h *house) tearDown() {
	if h.Engine == nil {
		return
	}
	if err := h.network.Destroy(context.Background()); err != nil {
		h.t.Error(err)
	}
	h.leave()
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// shelf has the images that the test imported; every other is nowhere.
type shelf struct{ *image.Store }

func (s shelf) Pull(ctx context.Context, _ *task.Order, c *task.OrderContainer, _ *secret.Login) (*image.Image, error) {
	return s.Get(ctx, c.Image)
}

// order makes the order of a task with containers of busybox.
func (h *house) order(containers ...workload.Container) *task.Order {
	h.t.Helper()
	name := runtimetest.Busybox(h.t, h.runtime)
	id := random() + random() + random()[:8]
	o := &task.Order{ARN: "arn:aws:ecs:us-east-1:000000000000:task/default/" + id, ID: id, ClusterName: "default", Region: "us-east-1", Account: "000000000000",
		Family: "test", Revision: 1, LaunchType: workload.EC2, Isolation: task.Namespaces, Desired: task.Running, NetworkMode: workload.None}
	for _, c := range containers {
		if c.Image == "" {
			c.Image = name
		}
		o.Containers = append(o.Containers, task.OrderContainer{Container: c, ID: c.Name})
	}
	return o
}

func fargate(o *task.Order) *task.Order {
	o.LaunchType, o.Isolation, o.CPU, o.Memory = workload.Fargate, task.Sandbox, 512, 512
	return o
}

func script(name, text string) workload.Container {
	return workload.Container{Name: name, Essential: true, EntryPoint: []string{"/bin/sh", "-c"}, Command: []string{text}}
}

// observed is all that was heard of a task, folded as the servers do.
func (h *house) observed(arn string) task.Observed {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all task.Observed
	for i := range h.heard[arn] {
		o := &h.heard[arn][i]
		if next, _ := task.Fold(all, o, o.ExecutionStoppedAt); next.Status >= all.Status {
			all = next
		} else {
			h.t.Errorf("status moved back from %v to %v", all.Status, next.Status)
		}
	}
	return all
}

func (h *house) until(arn string, status task.Status) task.Observed {
	h.t.Helper()
	runtimetest.Until(h.t, "the task to be "+status.String(), func() bool { return h.observed(arn).Status >= status })
	return h.observed(arn)
}

// runs applies the order and waits until it is running.
func (h *house) runs(o *task.Order) task.Observed {
	h.t.Helper()
	h.must(h.Apply(o))
	return h.until(o.ARN, task.Running)
}

// ends applies the order and waits for its end.
func (h *house) ends(o *task.Order) task.Observed {
	h.t.Helper()
	h.must(h.Apply(o))
	return h.until(o.ARN, task.Stopped)
}

// stops wants a task stopped and waits for its end.
func (h *house) stops(o *task.Order) task.Observed {
	h.t.Helper()
	stop := *o
	stop.Desired = task.Stopped
	return h.ends(&stop)
}

// output is what a container printed.
func (h *house) output(o *task.Order, container string) string {
	h.t.Helper()
	data, err := os.ReadFile(logs.FilePath(h.dir+"/files", o.ID, container))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return string(data)
}

func (h *house) printed(o *task.Order, container, text string) {
	h.t.Helper()
	runtimetest.Until(h.t, container+" to print "+text, func() bool { return strings.Contains(h.output(o, container), text) })
}

func container(t *testing.T, o task.Observed, name string) task.Container {
	t.Helper()
	i := slices.IndexFunc(o.Containers, func(c task.Container) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no container %s in %+v", name, o)
	}
	return o.Containers[i]
}

func exitCode(t *testing.T, o task.Observed, name string) int {
	t.Helper()
	c := container(t, o, name)
	if c.ExitCode == nil {
		t.Errorf("%s has no exit code: %+v", name, c)
		return -1
	}
	return *c.ExitCode
}

// nothingLeft checks that all was given back.
func (h *house) nothingLeft() {
	h.t.Helper()
	all, err := h.runtime.List(h.t.Context())
	h.must(err)
	for _, s := range all {
		h.t.Errorf("container %s is left", s.ID)
	}
	if cpu, memory, tasks := h.ledger.Held(); cpu+memory+tasks != 0 {
		h.t.Errorf("the ledger holds %d, %d for %d tasks", cpu, memory, tasks)
	}
	for _, dir := range []string{h.dir + "/engine/files", h.dir + "/volumes/tasks", "/sys/fs/cgroup/memory" + h.runtime.Group()} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if e.IsDir() {
				h.t.Errorf("%s is left", filepath.Join(dir, e.Name()))
			}
		}
	}
}

func random() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// namespace is a network namespace with a loopback that is up.
func namespace(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("unshare", "--net", "/bin/busybox", "sh", "-c", "ip link set lo up && echo ready && exec sleep 1000")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := io.ReadFull(out, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid)
}
