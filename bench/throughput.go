package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/berthhq/berth/client"
)

const (
	manyAgents = 100
	manyTasks  = 5000
	callers    = 8
)

// throughput measures budget 1.
func throughput(ctx context.Context, b *bench) (result, error) {
	s, err := b.startServer(ctx)
	if err != nil {
		return result{}, err
	}
	defer s.close()
	var ran atomic.Int32
	all := make(chan time.Time, 1)
	a, err := s.join(ctx, manyAgents, nil, func(t told) {
		if ran.Add(1) == manyTasks {
			all <- t.at
		}
	})
	if err != nil {
		return result{}, err
	}
	defer a.close()
	definition, err := small(ctx, s.client)
	if err != nil {
		return result{}, err
	}
	used, err := cpu(s.pid)
	if err != nil {
		return result{}, err
	}
	begun := time.Now()
	if err := s.serve(ctx, "all", definition, manyTasks); err != nil {
		return result{}, err
	}
	var end time.Time
	select {
	case end = <-all:
	case <-time.After(2 * time.Minute):
		return result{}, fmt.Errorf("only %d of %d tasks ran", ran.Load(), manyTasks)
	case <-ctx.Done():
		return result{}, ctx.Err()
	}
	after, err := cpu(s.pid)
	return result{
		Figures: []figure{
			{Name: "rate", Value: manyTasks / end.Sub(begun).Seconds(), Unit: "tasks/s", Least: 2000},
			{Name: "server CPU a task", Value: milliseconds(after-used) / manyTasks, Unit: "ms", Most: 0.6},
		},
		Peer: "nomad is not available here",
		Note: fmt.Sprintf("a service of %d; the agents share the CPUs", manyTasks),
	}, err
}

// fill runs n tasks, ten a call, by several callers at once.
func (s *server) fill(ctx context.Context, definition string, n int) error {
	var group errgroup.Group
	for i := range callers {
		group.Go(func() error {
			c := client.New(s.place)
			for done := i * 10; done < n; done += callers * 10 {
				if _, err := runTask(ctx, c, map[string]any{"taskDefinition": definition, "count": min(10, n-done)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
