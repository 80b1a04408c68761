package metadata_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func random() string {
	b := make([]byte, 8)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// noon is when all of it happens.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// engine is the knowledge of an engine, given by the test.
type engine struct {
	secret []byte

	mu    sync.Mutex
	tasks map[string]*metadata.Task
	used  map[string][2]*metadata.Sample // by container name
}

func (e *engine) Task(arn string) (*metadata.Task, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.tasks[arn]
	return t, ok
}

func (e *engine) Owner(id string) (string, string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for arn, t := range e.tasks {
		for _, c := range t.Containers {
			if e.id(arn, c.Name) == id {
				return arn, c.Name, true
			}
		}
	}
	return "", "", false
}

func (e *engine) Credentials(id string) (*task.Credentials, string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for arn, t := range e.tasks {
		if r := t.Order.TaskRole; r != nil && r.ID == id {
			return r, arn, true
		}
	}
	return nil, "", false
}

func (e *engine) Stats(_, container string) (now, before *metadata.Sample, ok bool) {
	s, ok := e.used[container]
	return s[0], s[1], ok
}

func (e *engine) id(arn, container string) string { return metadata.ID(e.secret, arn, container) }

// world is a machine with an agent's network and a metadata server in its routers.
type world struct {
	*engine
	net  *network.Network
	host *space.Space
	cfg  metadata.Config
}

func newWorld(t *testing.T, change func(*metadata.Config)) *world {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	host, err := space.Create(filepath.Join(t.TempDir(), "host"), nil)
	check(t, err)
	t.Cleanup(func() { host.Close(); space.Remove(host.Path()) })
	e := &engine{secret: []byte(random()), tasks: map[string]*metadata.Task{}, used: map[string][2]*metadata.Sample{}}
	w := &world{engine: e, host: host}
	w.cfg = metadata.Config{Tasks: e, Stats: e, Log: slog.New(slog.DiscardHandler), Now: noon}
	if change != nil {
		change(&w.cfg)
	}
	server := metadata.New(w.cfg)
	w.net, err = network.Open(t.Context(), network.Config{
		Agent: random(), RunDir: filepath.Join(t.TempDir(), "run"), Host: host.Path(), Log: w.cfg.Log,
		Services: func(r *network.Router) (io.Closer, error) { return server.ServeRouter(context.Background(), r) },
	})
	check(t, err)
	t.Cleanup(func() { check(t, w.net.Destroy(context.Background())) })
	return w
}

// inside is a container of a running task.
type inside struct {
	*space.Space
	arn, name, id string
}

// run sets up a task with the given containers and tells the engine of it.
func (w *world) run(t *testing.T, o *task.Order, names ...string) []inside {
	t.Helper()
	o.ARN = "arn:aws:ecs:us-east-1:000000000000:task/default/" + random()
	o.ClusterName, o.ClusterARN, o.Region = "default", "arn:aws:ecs:us-east-1:000000000000:cluster/default", "us-east-1"
	o.Family, o.Revision = "web", 7
	view := &metadata.Task{Order: o, DesiredStatus: "RUNNING", KnownStatus: "RUNNING", Zone: "us-east-1a"}
	for _, name := range names {
		o.Containers = append(o.Containers, task.OrderContainer{Container: workload.Container{Name: name}, ARN: o.ARN + "/" + name, ID: random()})
		view.Containers = append(view.Containers, metadata.Container{Name: name, RuntimeID: "run-" + name, KnownStatus: "RUNNING", DesiredStatus: "RUNNING"})
	}
	w.mu.Lock()
	w.tasks[o.ARN] = view
	w.mu.Unlock()
	endpoints, err := w.net.Setup(t.Context(), o)
	check(t, err)
	var all []inside
	for _, name := range names {
		in := inside{Space: w.host, arn: o.ARN, name: name, id: w.id(o.ARN, name)}
		if endpoints[name].Space != "" {
			in.Space, err = space.Open(endpoints[name].Space)
			check(t, err)
			t.Cleanup(func() { in.Close() })
		}
		all = append(all, in)
	}
	return all
}

func awsvpc(ip string) *task.Order {
	a := netip.MustParseAddr(ip).As4()
	return &task.Order{NetworkMode: workload.AWSVPC, LaunchType: workload.EC2, Interface: &task.Interface{
		ID: "eni-1", MAC: net.HardwareAddr{2, 0, a[0], a[1], a[2], a[3]}.String(), PrivateIP: ip, PrefixLength: 20,
		Gateway: "172.31.0.1", SubnetCIDR: "172.31.0.0/20", VPCID: "vpc-1", VPCCIDR: "172.31.0.0/16", PrivateDNSName: "ip-172-31-0-5.ec2.internal",
	}}
}

func bridge() *task.Order { return &task.Order{NetworkMode: workload.Bridge} }

// client makes requests from the namespace.
func (in inside) client() *http.Client { return client(in.Space) }

func client(s *space.Space) *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
			err = s.Do(func() error { c, err = new(net.Dialer).DialContext(ctx, network, address); return err })
			return c, err
		},
	}}
}

// get returns status and body; -1 when there was no answer.
func get(c *http.Client, url string, header ...string) (int, string) {
	return send(c, http.MethodGet, url, "", header...)
}

func send(c *http.Client, method, url, body string, header ...string) (int, string) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return -1, err.Error()
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		return -1, err.Error()
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return -1, err.Error()
	}
	return answer.StatusCode, string(b)
}

// same compares JSON, whatever its spacing and order.
func same(t *testing.T, got, want string) {
	t.Helper()
	if a, b := canonical(t, got), canonical(t, want); a != b {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
}

func canonical(t *testing.T, s string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	b, err := json.MarshalIndent(v, "", " ")
	check(t, err)
	return string(b)
}

func sample(at time.Time, cpu time.Duration, rx uint64) *metadata.Sample {
	return &metadata.Sample{
		Usage:    &cgroup.Usage{At: at, CPU: cpu, Memory: 1 << 20, MemoryLimit: 4 << 20, PIDs: 3, MemoryStat: map[string]uint64{"cache": 5}},
		Networks: map[string]network.Counters{"eth0": {RxBytes: rx, TxBytes: 2 * rx}}, HostCPU: 100 * cpu, Cores: 2,
	}
}

func url(in inside, path string) string {
	return fmt.Sprintf("http://169.254.170.2%s", strings.ReplaceAll(path, "ID", in.id))
}
