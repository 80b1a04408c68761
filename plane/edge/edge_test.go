package edge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/dispatch/edges"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/edge/spacetest"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}

const (
	nodeAddress     = "10.0.0.10"
	endpointAddress = "10.9.0.10"
	client1         = "10.0.0.20"
	target1         = "10.0.0.30"
	target2         = "10.0.0.31"
)

// shore is a control plane, and a machine whose agent made a namespace for a node.
type shore struct {
	*spacetest.Machine
	store.Store
	t            *testing.T
	server       *httptest.Server
	data, spaces string
}

func newShore(t *testing.T) *shore {
	t.Helper()
	s := &shore{Machine: spacetest.New(t), Store: memory.Open(), t: t, data: filepath.Join(t.TempDir(), "edge"), spaces: t.TempDir()}
	s.EndAt(nodeAddress, filepath.Join(s.spaces, "eni-n"))
	for _, a := range []string{client1, target1, target2} {
		s.End(a)
	}
	s.Answer(target1, 8080)
	s.Answer(target2, 8080)
	e := edges.New(edges.Config{Store: s.Store})
	mux := http.NewServeMux()
	as := func(serve func(http.ResponseWriter, *http.Request, identity.Principal)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			serve(w, r, identity.Principal{Account: scope.Account, Agent: true, InstanceARN: "here"})
		}
	}
	mux.HandleFunc(edges.SnapshotPath, as(e.ServeSnapshot))
	mux.HandleFunc(edges.ReportPath, as(e.ServeReport))
	s.server = httptest.NewServer(mux)
	t.Cleanup(func() { s.server.CloseClientConnections(); s.server.Close() })
	s.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &cluster.Instance{Scope: scope, ARN: "here", Joined: true, Attributes: []workload.Attribute{{Name: "berth.edge", Value: "true"}}})
		for id, at := range map[string]string{"eni-1": target1, "eni-2": target2} {
			store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: id, VPCID: "v", Zone: "a", PrivateIP: netip.MustParseAddr(at)})
		}
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-n", VPCID: "v", Zone: "a", Kind: network.ForBalancer, Owner: "nlb", InstanceARN: "here", PrivateIP: netip.MustParseAddr(nodeAddress)})
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: "nlb", Name: "nlb", VPCID: "v", Kind: balancer.Network})
	})
	s.group("kernel", 80, nil)
	s.group("proxied", 81, map[string]string{"proxy_protocol_v2.enabled": "true"})
	s.target("kernel", target1, false)
	s.target("proxied", target1, false)
	return s
}

func (s *shore) update(change func(tx *store.Tx)) {
	s.t.Helper()
	if _, err := s.Update(context.Background(), func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shore) group(name string, port int, attributes map[string]string) {
	s.update(func(tx *store.Tx) {
		store.TargetGroups.Put(tx, &balancer.TargetGroup{Scope: scope, ARN: name, VPCID: "v", Protocol: "TCP", TargetType: balancer.TargetIP, Attributes: attributes, HealthCheck: balancer.HealthCheck{Enabled: true, Protocol: "TCP", Port: balancer.TrafficPort, Interval: 1, Timeout: 1, Healthy: 1, Unhealthy: 1}})
		store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: "l" + name, BalancerARN: "nlb", Port: port, Protocol: "TCP", Default: []balancer.Action{
			{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: name}}}},
		}})
	})
}

func (s *shore) target(group, at string, draining bool) {
	s.update(func(tx *store.Tx) {
		x := &balancer.Target{Scope: scope, GroupARN: group, ID: at, Port: 8080, Zone: "a"}
		if draining {
			x.DrainingSince = time.Now()
		}
		store.Targets.Put(tx, x)
	})
}

// run runs an edge until stop, which waits for its end; over is closed then.
func (s *shore) run() (stop func(), over chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	over = make(chan struct{})
	log := slog.New(slog.NewTextHandler(s.t.Output(), nil))
	go func() {
		defer close(over)
		place := client.Place{Endpoint: s.server.URL, AccessKeyID: "A", Secret: "s", Region: "us-east-1"}
		if err := Run(ctx, Config{Data: s.data, Spaces: s.spaces, Place: place, Engines: Engines(s.data, nil, nil, log), Log: log}); err != nil {
			s.t.Error(err)
		}
	}()
	stop = func() { cancel(); <-over }
	s.t.Cleanup(stop)
	return stop, over
}

// eventually waits for an answer.
func (s *shore) eventually(what string, ok func() bool) {
	s.t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.Now().Add(15 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			s.t.Fatalf("it never came that %s", what)
		}
		<-ticker.C
	}
}

func (s *shore) answers(port int) func() bool {
	return func() bool { return s.asked(port) != "" }
}

// asked is the target that answers at a port; empty for none.
func (s *shore) asked(port int) string {
	c, err := spacetest.Dial(s.Ends[client1], "tcp", fmt.Sprintf("%s:%d", nodeAddress, port))
	if err != nil {
		return ""
	}
	defer c.Close()
	fmt.Fprintln(c, "hello")
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if line := lines.Text(); strings.HasSuffix(line, "hello") {
			return strings.Fields(line)[0]
		}
	}
	return ""
}

// Proves 4B.1: what is registered is reached, what is deregistered no more, and
// nothing of it needs the control plane once it was heard.
func TestANetworkBalancerFollowsItsTargets(t *testing.T) {
	s := newShore(t)
	stop, _ := s.run()
	s.eventually("the listener answers", s.answers(80))
	s.eventually("the proxied listener answers", s.answers(81))
	s.target("kernel", target2, false)
	s.eventually("both targets answer", func() bool { return s.asked(80) == target2 })
	s.target("kernel", target1, true)
	s.eventually("the draining target is idle", func() bool {
		h, ok := store.TargetHealth.Get(s.View(), "kernel "+target1+" 8080")
		return ok && h.Reports["here"].Idle
	})
	for range 20 {
		if got := s.asked(80); got != target2 {
			t.Fatalf("%q answered", got)
		}
	}
	stop()
	if got := s.asked(80); got != target2 {
		t.Errorf("without an edge %q answered: what the kernel carries needs none", got)
	}
	if info, err := os.Stat(filepath.Join(s.data, "snapshot.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the snapshot on disk: %v %v", info, err)
	}
	s.server.CloseClientConnections()
	s.server.Close()
	s.run()
	s.eventually("the proxied listener answers without a control plane", s.answers(81))
}

// One edge after the other takes over while connections are made and used: none fails.
func TestAnUpgradeDropsNothing(t *testing.T) {
	s := newShore(t)
	_, first := s.run()
	s.eventually("the listener answers", s.answers(81))
	open, err := spacetest.Dial(s.Ends[client1], "tcp", nodeAddress+":81")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	var over atomic.Bool
	var made atomic.Int64
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for !over.Load() {
				for _, port := range []int{80, 81} {
					if s.asked(port) == "" {
						t.Errorf("port %d did not answer", port)
						return
					}
				}
				made.Add(1)
			}
		})
	}
	load := func() {
		for until := made.Load() + 50; made.Load() < until && !t.Failed(); {
			s.asked(80)
		}
	}
	load()
	_, second := s.run()
	s.eventually("the second edge takes over", func() bool { return !accepts(s, first) })
	load()
	if line := talk(open); !strings.HasSuffix(line, "still here") {
		t.Errorf("the open connection got %q", line)
	}
	open.Close()
	<-first
	s.run()
	<-second
	load()
	over.Store(true)
	askers.Wait()
	t.Logf("%d rounds", made.Load())
}

// accepts tells whether the edge that ends with over has not been told to stop yet: the
// one after it offers its own socket.
func accepts(s *shore, over chan struct{}) bool {
	select {
	case <-over:
		return false
	default:
	}
	text, err := os.ReadFile("/proc/net/unix")
	return err != nil || strings.Count(string(text), socketName) < 2
}

func talk(c net.Conn) string {
	_, _ = io.WriteString(c, "still here\n")
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		if strings.HasSuffix(lines.Text(), "still here") {
			return lines.Text()
		}
	}
	return ""
}
