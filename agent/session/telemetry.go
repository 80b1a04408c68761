package session

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/protocol/acs"
)

// How often the health of containers and the use of resources are published.
const (
	healthEvery  = 5 * time.Second
	metricsEvery = 20 * time.Second // as the official agent does
)

// telemetry holds one TCS session until it ends.
func (s *Session) telemetry(ctx context.Context) error {
	_, base, err := s.endpoints(ctx)
	if err != nil {
		return err
	}
	ws, err := s.dial(ctx, base, url.Values{"cluster": {s.Cluster}, "containerInstance": {s.instance}, "agentVersion": {s.Version}, "agentHash": {"berth"}})
	if err != nil {
		return err
	}
	defer ws.CloseNow()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for {
			if _, err := next(ctx, ws); err != nil {
				cancel(err)
				return
			}
		}
	}()
	return s.publish(ctx, ws)
}

func (s *Session) publish(ctx context.Context, ws *websocket.Conn) error {
	health, metrics := time.NewTicker(healthEvery), time.NewTicker(metricsEvery)
	defer health.Stop()
	defer metrics.Stop()
	for {
		if err := s.publishHealth(ctx, ws); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-health.C:
		case <-metrics.C:
			if err := s.publishMetrics(ctx, ws); err != nil {
				return err
			}
		}
	}
}

// publishHealth tells it whether or not it changed: the server may have heard it
// before it heard of the containers, and then took note of nothing.
func (s *Session) publishHealth(ctx context.Context, ws *websocket.Conn) error {
	tasks := s.Tasks.Health()
	if len(tasks) == 0 {
		return nil
	}
	return write(ctx, ws, acs.TypePublishHealth, acs.PublishHealth{Metadata: s.metadata(), Tasks: tasks, Timestamp: now()})
}

func (s *Session) publishMetrics(ctx context.Context, ws *websocket.Conn) error {
	for _, m := range rounds(s.metadata(), s.Tasks.Metrics()) {
		m.Timestamp = now()
		if err := write(ctx, ws, acs.TypePublishMetrics, m); err != nil {
			return err
		}
	}
	return nil
}

// tasksInFrame is how many tasks one frame of metrics may hold.
const tasksInFrame = 10

// rounds are the frames that tell the use of all tasks; without any, one that says
// so.
func rounds(head acs.Metadata, tasks []acs.TaskMetric) []acs.PublishMetrics {
	head.Idle, head.Fin = len(tasks) == 0, false
	var out []acs.PublishMetrics
	for some := range slices.Chunk(tasks, tasksInFrame) {
		out = append(out, acs.PublishMetrics{Metadata: head, TaskMetrics: some})
	}
	if len(out) == 0 {
		out = append(out, acs.PublishMetrics{Metadata: head})
	}
	out[len(out)-1].Metadata.Fin = true
	return out
}

// now is in seconds, as frames have it.
func now() float64 { return float64(time.Now().UnixMilli()) / 1000 }

func (s *Session) metadata() acs.Metadata {
	return acs.Metadata{Cluster: s.Cluster, ContainerInstance: s.instance, MessageID: strings.TrimPrefix(s.InstanceID, "i-"), Fin: true}
}
