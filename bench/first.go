package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/berthhq/berth/client"
)

const (
	firstTasks = 30
	servedAt   = "8080"
)

// firstRequest measures budget 17: a service behind an Application balancer gets a
// second task, again and again, while somebody asks the balancer every millisecond.
// The other target is healthy all the time, so that the new one has to be found healthy
// too. What counts is the time from when the task is shown RUNNING, and its program
// listens, to the first answer that comes from it; the time from startedAt has in it how
// long the program takes to begin.
func firstRequest(ctx context.Context, b *bench) (result, error) {
	h, err := b.house(ctx)
	if err != nil {
		return result{}, err
	}
	r, err := h.startRoad(ctx)
	if err != nil {
		return result{}, err
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	go r.ask(asking)
	err = r.until(ctx, "an answer", func() (bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.first) > 0, nil
	})
	for range firstTasks {
		if err == nil {
			err = r.grow(ctx)
		}
	}
	if err != nil {
		return result{}, errors.Join(err, r.close(ctx))
	}
	return result{Figures: []figure{
		{Name: "p50", Value: r.ready.at(50), Unit: "ms"},
		{Name: "p99", Value: r.ready.at(99), Unit: "ms", Most: 20},
		{Name: "from startedAt p50", Value: r.started.at(50), Unit: "ms"},
		{Name: "p99", Value: r.started.at(99), Unit: "ms"},
		{Name: "of it until it listened p50", Value: r.listened.at(50), Unit: "ms"},
		{Name: "until RUNNING was seen p50", Value: r.seen.at(50), Unit: "ms"},
	}, Note: fmt.Sprintf("%d tasks, EC2, awsvpc, the balancer asked each millisecond", firstTasks)}, r.close(ctx)
}

// road is a service behind a balancer.
type road struct {
	*house
	node, service string
	balancer      string // ARN
	group         string

	ready, started, listened, seen durations

	mu    sync.Mutex
	first map[string]heard // by address
}

// until asks each millisecond until it is so.
func (r *road) until(ctx context.Context, what string, so func() (bool, error)) error {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if done, err := so(); done || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("waited in vain for %s", what)
}

// grow has the service run a second task, measures it, and goes back to one.
func (r *road) grow(ctx context.Context) error {
	before, err := r.client.ServiceTasks(ctx, "default", r.service)
	if err != nil {
		return err
	}
	if err := r.want(ctx, 2); err != nil {
		return err
	}
	var added string
	if err := r.until(ctx, "a task", func() (bool, error) {
		now, err := r.client.ServiceTasks(ctx, "default", r.service)
		for _, arn := range now {
			if arn != before[0] {
				added = arn
			}
		}
		return added != "", err
	}); err != nil {
		return err
	}
	if err := r.measure(ctx, added); err != nil {
		return err
	}
	return r.shrink(ctx, before[0], added)
}

func (r *road) want(ctx context.Context, n int) error {
	return r.client.Call(ctx, client.ECS, "UpdateService", map[string]any{"service": r.service, "desiredCount": n}, nil)
}

func (r *road) measure(ctx context.Context, arn string) error {
	var t *shown
	if err := r.until(ctx, "a running task", func() (done bool, err error) {
		if t, err = r.show(ctx, arn); err == nil && t.Status == "STOPPED" {
			err = errors.New(t.Reason)
		}
		return err == nil && t.Status == "RUNNING", err
	}); err != nil {
		return err
	}
	seen, started := time.Now(), time.UnixMilli(int64(t.StartedAt*1000))
	var first heard
	if err := r.until(ctx, "the first answer of a task", func() (come bool, err error) {
		first, come = r.heard(t.address())
		return come, nil
	}); err != nil {
		return err
	}
	begun := seen
	if first.listened.After(seen) {
		begun = first.listened
	}
	r.ready, r.started = append(r.ready, max(0, first.at.Sub(begun))), append(r.started, first.at.Sub(started))
	r.listened, r.seen = append(r.listened, first.listened.Sub(started)), append(r.seen, seen.Sub(started))
	return nil
}

// shrink ends one of the two and waits until it has gone.
func (r *road) shrink(ctx context.Context, tasks ...string) error {
	if err := r.want(ctx, 1); err != nil {
		return err
	}
	return r.until(ctx, "a task that stops", func() (bool, error) {
		for _, arn := range tasks {
			t, err := r.show(ctx, arn)
			if err != nil {
				return false, err
			}
			if t.Status == "STOPPED" {
				r.forget(t.address())
				return true, nil
			}
		}
		return false, nil
	})
}
