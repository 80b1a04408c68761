package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/session"
	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/protocol/join"
	srv "github.com/berthhq/berth/server"
)

// agents are simulated hosts: real sessions over real websockets with keys of
// their own, but tasks that run at once and need nothing.
type agents struct {
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// told is an event in the life of a simulated task.
type told struct {
	task string
	at   time.Time
}

// join lets n machines join the server and waits until their sessions are open.
// Both functions may be nil: ordered is called when an agent has an order, running
// when the server has written that the task runs.
func (s *server) join(ctx context.Context, n int, ordered, running func(told)) (*agents, error) {
	a := &agents{}
	ctx, a.cancel = context.WithCancel(ctx)
	for i := range n {
		h, err := s.newHost(ctx, i, ordered, running)
		if err != nil {
			return nil, firstOf(err, a.close())
		}
		a.work.Go(func() { h.report(ctx) })
		a.work.Go(func() { _ = h.session.Run(ctx) }) // ends with ctx
	}
	err := s.until(ctx, func() error { return healthy(ctx, s.place.Endpoint, n) })
	if err != nil {
		return nil, firstOf(err, a.close())
	}
	return a, nil
}

func (a *agents) close() error {
	a.cancel()
	a.work.Wait()
	return nil
}

// healthy tells whether so many agents have their sessions open.
func healthy(ctx context.Context, endpoint string, agents int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/_berth/health?agents=%d", endpoint, agents), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("health: %s", resp.Status)
	}
	return nil
}

// host is one simulated agent. It reports one task after the other, as agents do.
type host struct {
	session          *session.Session
	reports          chan task.Observation
	ordered, running func(told)

	mu    sync.Mutex
	known map[string]bool
}

func (s *server) newHost(ctx context.Context, n int, ordered, running func(told)) (*host, error) {
	keys, err := s.keys(ctx, fmt.Sprintf("host-%d", n))
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, fmt.Sprintf("host-%d", n))
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	h := &host{reports: make(chan task.Observation, 10_000), ordered: ordered, running: running, known: map[string]bool{}}
	zone := keys.Region + string(rune('a'+n%3))
	h.session = session.New(session.Config{
		Server: client.Place{
			Endpoint: s.place.Endpoint, Region: keys.Region,
			AccessKeyID: keys.AccessKeyID, Secret: keys.SecretAccessKey, SessionToken: keys.SessionToken,
		},
		Cluster: keys.ClusterARN, Data: data, InstanceID: keys.InstanceID, Identity: keys.Identity, Zone: zone, Version: "bench",
		Resources: cluster.Resources{CPU: 1 << 20, Memory: 1 << 20, PortsTCP: []int{22}},
		Attributes: append(workload.AgentCapabilities("awslogs"),
			workload.Attribute{Name: "ecs.availability-zone", Value: zone}, workload.Attribute{Name: acs.BerthCapability},
		),
		Tasks: h, Log: slog.New(slog.DiscardHandler),
	})
	return h, h.session.Register(ctx)
}

// keys joins as a machine does: by a token, once.
func (s *server) keys(ctx context.Context, name string) (*join.Response, error) {
	var made srv.TokenResponse
	if err := s.client.Post(ctx, srv.TokenPath, srv.TokenRequest{Cluster: srv.DefaultCluster, Role: iam.InstanceRole}, &made); err != nil {
		return nil, err
	}
	token, err := join.ParseToken(made.Token)
	if err != nil {
		return nil, err
	}
	return join.Join(ctx, s.place.Endpoint, token, join.Machine{Name: name})
}

func (h *host) report(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-h.reports:
			if h.session.Deliver(ctx, &o) == nil && h.running != nil {
				h.running(told{o.TaskARN, time.Now()})
			}
		}
	}
}

// Order implements session.Tasks.
func (h *host) Order(o *task.Order) error {
	now := time.Now()
	h.mu.Lock()
	known := h.known[o.ARN]
	h.known[o.ARN] = true
	h.mu.Unlock()
	if known {
		return nil
	}
	if h.ordered != nil {
		h.ordered(told{o.ARN, now})
	}
	report := task.Observation{TaskARN: o.ARN, Status: task.Running}
	for _, c := range o.Containers {
		report.Containers = append(report.Containers, task.ContainerObservation{Name: c.Name, Status: "RUNNING", RuntimeID: c.ID})
	}
	h.reports <- report
	return nil
}

// Renew implements session.Tasks.
func (h *host) Renew(string, string, task.Credentials) {}

// Unfinished implements session.Tasks.
func (h *host) Unfinished() []string { return nil }

// Stop implements session.Tasks.
func (h *host) Stop(string, string) {}

// Health implements session.Tasks.
func (h *host) Health() []acs.TaskHealth { return nil }

// Metrics implements session.Tasks.
func (h *host) Metrics() []acs.TaskMetric { return nil }
