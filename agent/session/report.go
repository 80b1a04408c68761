package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/task"
)

// reports queues observations: those of one task go in order, those of different
// tasks side by side.
type reports struct {
	mu      *sync.Mutex
	byTask  map[string][]task.Observation
	waiting chan string // tasks that have something to say
}

// submitters is how many calls are made at once.
const submitters = 8

func newReports() reports {
	return reports{mu: new(sync.Mutex), byTask: map[string][]task.Observation{}, waiting: make(chan string, 1024)}
}

// Submit queues an observation and returns at once.
func (s *Session) Submit(o task.Observation) {
	s.reports.mu.Lock()
	queue, busy := s.reports.byTask[o.TaskARN]
	s.reports.byTask[o.TaskARN] = append(queue, o)
	s.reports.mu.Unlock()
	if !busy {
		s.reports.waiting <- o.TaskARN
	}
}

// submitAll sends reports until ctx ends.
func (s *Session) submitAll(ctx context.Context) {
	var wg sync.WaitGroup
	for range submitters {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case arn := <-s.reports.waiting:
					s.drain(ctx, arn)
				}
			}
		})
	}
	wg.Wait()
}

// drain sends one task's reports in order. It owns the task's queue until it
// finds it empty and removes it.
func (s *Session) drain(ctx context.Context, arn string) {
	for {
		s.reports.mu.Lock()
		queue := s.reports.byTask[arn]
		if len(queue) == 0 {
			delete(s.reports.byTask, arn)
			s.reports.mu.Unlock()
			return
		}
		o := queue[0]
		s.reports.byTask[arn] = queue[1:]
		s.reports.mu.Unlock()
		if s.deliver(ctx, &o) != nil {
			return
		}
	}
}

// deliver retries until the server has taken the report, or refuses it for good.
func (s *Session) deliver(ctx context.Context, o *task.Observation) error {
	pause := 30 * time.Millisecond
	for {
		err := s.api.Call(ctx, client.ECS, "SubmitTaskStateChange", change(o), nil)
		var refused *client.Error
		if err == nil || errors.As(err, &refused) && refused.Status < 500 {
			if err != nil {
				s.Log.Warn("report refused", "task", o.TaskARN, "err", err)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// change is an observation as SubmitTaskStateChange takes it.
func change(o *task.Observation) map[string]any {
	in := map[string]any{"task": o.TaskARN, "reason": o.Reason}
	if o.Status != 0 {
		in["status"] = o.Status.String()
	}
	for name, at := range map[string]time.Time{"pullStartedAt": o.PullStartedAt, "pullStoppedAt": o.PullStoppedAt, "executionStoppedAt": o.ExecutionStoppedAt} {
		if !at.IsZero() {
			in[name] = float64(at.UnixMilli()) / 1000
		}
	}
	var containers []map[string]any
	for i := range o.Containers {
		containers = append(containers, containerChange(&o.Containers[i]))
	}
	if containers != nil {
		in["containers"] = containers
	}
	return in
}

func containerChange(c *task.ContainerObservation) map[string]any {
	out := map[string]any{"containerName": c.Name, "status": c.Status}
	for name, v := range map[string]string{"runtimeId": c.RuntimeID, "imageDigest": c.ImageDigest, "reason": c.Reason} {
		if v != "" {
			out[name] = v
		}
	}
	if c.ExitCode != nil {
		out["exitCode"] = *c.ExitCode
	}
	var bindings []map[string]any
	for _, b := range c.Bindings {
		bindings = append(bindings, map[string]any{"bindIP": b.BindIP, "containerPort": b.ContainerPort, "hostPort": b.HostPort, "protocol": b.Protocol})
	}
	if bindings != nil {
		out["networkBindings"] = bindings
	}
	return out
}
