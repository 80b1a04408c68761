package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

const (
	fewAgents = 10
	// fewServices of fewTasks each are there, and rest.
	fewServices, fewTasks = 10, 100
	samples               = 300
)

// latencies are of tasks that were run one at a time on an idle cluster, each from
// the call of RunTask. DescribeTasks is asked every millisecond: without a pause
// the questions would take the processor from what they ask about.
type latencies struct {
	answered, ordered, reported, running durations
}

// ordered measures budget 3.
func ordered(ctx context.Context, b *bench) (result, error) {
	l, err := b.latencies(ctx)
	if err != nil {
		return result{}, err
	}
	return result{Figures: []figure{
		{Name: "p50", Value: l.ordered.at(50), Unit: "ms", Most: 3},
		{Name: "p99", Value: l.ordered.at(99), Unit: "ms", Most: 15},
		{Name: "RunTask answered p50", Value: l.answered.at(50), Unit: "ms"},
	}, Peer: "nomad is not available here"}, nil
}

// running measures budget 4.
func running(ctx context.Context, b *bench) (result, error) {
	l, err := b.latencies(ctx)
	if err != nil {
		return result{}, err
	}
	return result{Figures: []figure{
		{Name: "p50", Value: l.running.at(50), Unit: "ms", Most: 8},
		{Name: "p99", Value: l.running.at(99), Unit: "ms", Most: 30},
		{Name: "the agent's report answered p50", Value: l.reported.at(50), Unit: "ms"},
	}, Peer: "nomad is not available here"}, nil
}

// latencies measures once for both budgets.
func (b *bench) latencies(ctx context.Context) (*latencies, error) {
	if b.runs != nil {
		return b.runs, nil
	}
	s, err := b.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	orders, reports := make(chan told, samples), make(chan told, samples)
	var sampling atomic.Bool
	to := func(c chan<- told) func(told) {
		return func(t told) {
			if sampling.Load() {
				c <- t
			}
		}
	}
	a, err := s.join(ctx, fewAgents, to(orders), to(reports))
	if err != nil {
		return nil, err
	}
	defer a.close()
	definition, err := small(ctx, s.client)
	if err == nil {
		err = s.populate(ctx, definition, fewServices, fewTasks)
	}
	if err != nil {
		return nil, err
	}
	time.Sleep(rest)
	sampling.Store(true)
	l := &latencies{}
	for range samples {
		if err := l.sample(ctx, s, definition, orders, reports); err != nil {
			return nil, err
		}
	}
	b.runs = l
	return l, nil
}

func (l *latencies) sample(ctx context.Context, s *server, definition string, orders, reports <-chan told) error {
	begun := time.Now()
	arns, err := runTask(ctx, s.client, map[string]any{"taskDefinition": definition})
	if err != nil {
		return err
	}
	answered := time.Since(begun)
	for status := ""; status != "RUNNING"; {
		if time.Since(begun) > time.Minute {
			return errors.New("a task does not run")
		}
		t, err := s.client.DescribeTask(ctx, "default", arns[0])
		if err != nil {
			return err
		}
		if status = t.LastStatus; status != "RUNNING" {
			time.Sleep(time.Millisecond)
		}
	}
	running := time.Since(begun)
	l.answered, l.running = append(l.answered, answered), append(l.running, running)
	l.ordered, l.reported = append(l.ordered, (<-orders).at.Sub(begun)), append(l.reported, (<-reports).at.Sub(begun))
	time.Sleep(5 * time.Millisecond) // idle again
	return nil
}
