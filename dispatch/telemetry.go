package dispatch

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// telemetry serves a TCS session until either side ends it. Heartbeats and
// acknowledgements keep the agent's idle timer from firing.
func (d *Dispatcher) telemetry(ctx context.Context, l *line, inst *cluster.Instance, ws *websocket.Conn) {
	closing := make(chan struct{})
	go func() {
		defer close(closing)
		hangUp(ws, d.heartbeats(ctx, l, ws))
	}()
	for {
		_, data, err := ws.Read(context.WithoutCancel(ctx))
		if err != nil {
			l.end(err)
			<-closing
			return
		}
		_, body := acs.SplitTelemetry(data)
		f, err := acs.Decode(body)
		if err == nil {
			err = d.publish(ctx, inst, ws, f)
		}
		if err != nil {
			d.Log.Warn("telemetry", "instance", inst.ARN, "type", f.Type, "err", err)
		}
	}
}

// heartbeats sends them until ctx ends, and tells why it did.
func (d *Dispatcher) heartbeats(ctx context.Context, l *line, ws *websocket.Conn) error {
	tick := time.NewTicker(d.Heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			if err := l.may(); err != nil {
				return denied{err}
			}
			if err := send(ctx, ws, acs.TypeHeartbeat, acs.Heartbeat{MessageID: newID(), Healthy: true}); err != nil {
				return err
			}
		}
	}
}

func (d *Dispatcher) publish(ctx context.Context, inst *cluster.Instance, ws *websocket.Conn, f acs.Frame) error {
	switch f.Type {
	case acs.TypePublishMetrics:
		return send(ctx, ws, acs.TypeAckPublishMetric, acs.Text{})
	case acs.TypePublishHealth:
		var m acs.PublishHealth
		if err := json.Unmarshal(f.Message, &m); err != nil {
			return err
		}
		if err := d.foldHealth(ctx, inst.ARN, &m); err != nil {
			return err
		}
		return send(ctx, ws, acs.TypeAckPublishHealth, acs.Text{})
	case acs.TypePublishInstanceStatus:
		var m acs.PublishInstanceStatus
		if err := json.Unmarshal(f.Message, &m); err != nil {
			return err
		}
		if err := d.foldInstanceStatus(ctx, inst.ARN, &m); err != nil {
			return err
		}
		return send(ctx, ws, acs.TypeAckPublishInstanceStatus, acs.Text{})
	}
	return nil
}

// foldHealth stores the health of containers where it changed, of tasks of this
// instance only.
func (d *Dispatcher) foldHealth(ctx context.Context, instance string, m *acs.PublishHealth) error {
	apply := func(r store.Reader, put func(*task.Task)) {
		for _, th := range m.Tasks {
			t, ok := store.Tasks.Get(r, th.TaskARN)
			if !ok || t.Assignment == nil || t.Assignment.InstanceARN != instance {
				continue
			}
			if next := withHealth(t, th.Containers); next != nil {
				put(next)
			}
		}
	}
	news := false
	if apply(d.Store.View(), func(*task.Task) { news = true }); !news {
		return nil
	}
	_, err := d.Store.Update(ctx, func(tx *store.Tx) error {
		apply(tx, func(t *task.Task) { store.Tasks.Put(tx, t) })
		return nil
	})
	return err
}

// withHealth is the task with the reported health; nil when nothing changed.
func withHealth(t *task.Task, report []acs.ContainerHealth) *task.Task {
	var next *task.Task
	for _, c := range report {
		i := slices.IndexFunc(t.Observed.Containers, func(x task.Container) bool { return x.Name == c.ContainerName })
		if i < 0 || t.Observed.Containers[i].Health == task.Health(c.HealthStatus) {
			continue
		}
		if next == nil {
			copied := *t
			copied.Observed.Containers = slices.Clone(t.Observed.Containers)
			copied.Version++
			next = &copied
		}
		next.Observed.Containers[i].Health = task.Health(c.HealthStatus)
		next.Observed.Containers[i].HealthSince = unix(c.StatusSince)
	}
	return next
}

func (d *Dispatcher) foldInstanceStatus(ctx context.Context, instance string, m *acs.PublishInstanceStatus) error {
	health := ""
	for _, st := range m.Statuses {
		if st.Type == "ContainerRuntime" {
			health = st.Status
		}
	}
	if have, ok := store.Instances.Get(d.Store.View(), instance); !ok || health == "" || have.Health == health {
		return nil
	}
	_, err := d.Store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Instances.Get(tx, instance)
		if !ok {
			return nil
		}
		next := *have
		next.Health = health
		store.Instances.Put(tx, &next)
		return nil
	})
	return err
}

func unix(seconds float64) time.Time {
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}
