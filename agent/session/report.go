package session

import (
	"context"
	"errors"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/task"
)

// Deliver submits an observation until the server has taken the report, or refuses
// it for good: it does not know the task, or cannot read what is said of it. All else
// passes, a clock that is wrong as well as a server that is down.
func (s *Session) Deliver(ctx context.Context, o *task.Observation) error {
	pause := 30 * time.Millisecond
	for {
		err := s.api.Call(ctx, client.ECS, "SubmitTaskStateChange", change(o), nil)
		if err == nil {
			return nil
		}
		var refused *client.Error
		if errors.As(err, &refused) && (refused.Code == "ClientException" || refused.Code == "InvalidParameterException") {
			s.Log.Warn("report refused", "task", o.TaskARN, "err", err)
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
