package engine

import (
	"context"
	"errors"
	"time"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// checkup is a health check with AWS's defaults filled in.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
type checkup struct {
	args                           []string
	interval, timeout, startPeriod time.Duration
	retries                        int
}

func checkupOf(h *workload.HealthCheck) checkup {
	return checkup{
		args:     checkArguments(h.Command),
		interval: seconds(h.Interval, 30), timeout: seconds(h.Timeout, 5), startPeriod: seconds(h.StartPeriod, 0),
		retries: max(number(h.Retries, 3), 1),
	}
}

// checkArguments reads "CMD" (run as it is), "CMD-SHELL" (run by the shell) and a
// bare command, which ECS also takes for the shell when it is one string.
func checkArguments(command []string) []string {
	if len(command) == 0 {
		return nil
	}
	switch command[0] {
	case "NONE":
		return nil
	case "CMD":
		return command[1:]
	case "CMD-SHELL":
		command = command[1:]
	}
	if len(command) == 1 {
		return []string{"/bin/sh", "-c", command[0]}
	}
	return command
}

func seconds(n *int, otherwise int) time.Duration {
	return time.Duration(number(n, otherwise)) * time.Second
}

func number(n *int, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return *n
}

// verdict is where a container's health is.
type verdict struct {
	health   task.Health
	failures int // in a row
}

// after is the verdict after one more check, made when the container had run for
// a time. Failures in the start period do not count until a first success.
func (v verdict) after(ok bool, ran time.Duration, c checkup) verdict {
	switch {
	case ok:
		return verdict{health: task.Healthy}
	case ran < c.startPeriod && v.health == task.UnknownHealth:
		return v
	}
	v.failures++
	if v.failures >= c.retries {
		v.health = task.Unhealthy
	}
	return v
}

// watchHealth checks a container as long as its attempt runs.
func (k *keeper) watchHealth(i int) {
	check := k.order(i).HealthCheck
	if check == nil {
		return
	}
	c := checkupOf(check)
	if len(c.args) == 0 {
		return
	}
	id := k.record.Containers[i].RuntimeID
	started := k.record.Local.Containers[i].StartedAt
	k.record.Local.Containers[i].Health = task.UnknownHealth
	k.doing.Go(func() { k.checkHealth(i, id, c, started) })
}

func (k *keeper) checkHealth(i int, id string, c checkup, started time.Time) {
	v := verdict{health: task.UnknownHealth}
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	k.doing.Go(func() { // the checks end with the container
		_, _ = k.e.config.Runtime.Wait(ctx, id)
		cancel()
	})
	for {
		if !pause(ctx, c.interval) {
			return
		}
		code, output, err := k.e.config.Runtime.Exec(ctx, id, c.args, c.timeout)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, runtime.ErrTimeout) {
			code, output = -1, "Health check exceeded timeout ("+c.timeout.String()+")"
		} else if err != nil {
			code, output = -1, err.Error()
		}
		v = v.after(err == nil && code == 0, k.e.config.Now().Sub(started), c)
		health := v.health
		k.tell(func() { k.checked(i, id, health, code, output) })
	}
}

func (k *keeper) checked(i int, id string, h task.Health, code int, output string) {
	c, d := &k.record.Local.Containers[i], &k.record.Containers[i]
	if d.RuntimeID != id || c.Phase == task.PhaseExited {
		return
	}
	if c.Health != h {
		c.Health, d.HealthSince = h, k.e.config.Now()
	}
	d.HealthCode, d.HealthOutput = code, output
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
