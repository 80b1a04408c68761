package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/berthhq/berth/client"
)

const (
	mixTasks    = 9000 // beside those of the service
	mixService  = 1000
	mixRate     = 500 // requests a second
	mixDuration = 20 * time.Second
	describes   = 1000 // in a row, to see what one costs
)

// mix measures budget 7: requests come when they come, whether or not those before
// them are answered.
func mix(ctx context.Context, b *bench) (result, error) {
	s, err := b.startServer(ctx)
	if err != nil {
		return result{}, err
	}
	defer s.close()
	a, err := s.join(ctx, manyAgents, nil, nil)
	if err != nil {
		return result{}, err
	}
	defer a.close()
	definition, err := small(ctx, s.client)
	if err == nil {
		err = s.populate(ctx, definition, 1, mixService)
	}
	if err == nil {
		err = s.fill(ctx, definition, mixTasks)
	}
	if err != nil {
		return result{}, err
	}
	tasks, err := s.client.ServiceTasks(ctx, "default", "service-0")
	if err != nil {
		return result{}, err
	}
	m := &mixer{s: s, client: client.New(s.place), definition: definition, tasks: tasks[:min(10, len(tasks))]}
	took, err := m.run(ctx)
	if err != nil {
		return result{}, err
	}
	r := result{Figures: []figure{
		{Name: "p50", Value: took.at(50), Unit: "ms"},
		{Name: "p99", Value: took.at(99), Unit: "ms", Most: 25},
	}, Peer: "moto is not available here", Note: "callers share the CPUs"}
	for _, one := range []struct {
		name, operation string
		in              map[string]any
	}{
		{"server CPU a DescribeTasks of 10", "DescribeTasks", map[string]any{"tasks": m.tasks}},
		{"a DescribeServices of 1,000 tasks", "DescribeServices", map[string]any{"services": []string{"service-0"}}},
	} {
		cost, err := m.cost(ctx, one.operation, one.in)
		if err != nil {
			return result{}, err
		}
		r.Figures = append(r.Figures, figure{Name: one.name, Value: cost, Unit: "ms", Most: 0.3})
	}
	return r, nil
}

type mixer struct {
	s          *server
	client     *client.Client
	definition string
	tasks      []string

	mu    sync.Mutex
	took  durations
	trial error
}

// run makes requests for a while at the rate.
func (m *mixer) run(ctx context.Context) (durations, error) {
	r := rand.New(rand.NewPCG(7, 7))
	var all sync.WaitGroup
	begun := time.Now()
	for n := range int(mixDuration.Seconds() * mixRate) {
		at := begun.Add(time.Duration(n) * time.Second / mixRate)
		time.Sleep(time.Until(at))
		operation, in := m.draw(r)
		all.Go(func() {
			err := m.client.Call(ctx, client.ECS, operation, in, nil)
			m.mu.Lock()
			defer m.mu.Unlock()
			m.took, m.trial = append(m.took, time.Since(at)), firstOf(m.trial, err)
		})
	}
	all.Wait()
	return m.took, m.trial
}

// draw is the next request: seven of ten describe and list, two and a half run a
// task, the rest register.
func (m *mixer) draw(r *rand.Rand) (operation string, in map[string]any) {
	switch n := r.IntN(100); {
	case n < 30:
		return "DescribeTasks", map[string]any{"tasks": m.tasks}
	case n < 45:
		return "DescribeServices", map[string]any{"services": []string{"service-0"}}
	case n < 60:
		return "ListTasks", map[string]any{}
	case n < 70:
		return "DescribeClusters", map[string]any{}
	case n < 95:
		return "RunTask", map[string]any{"taskDefinition": m.definition}
	}
	return "RegisterTaskDefinition", map[string]any{
		"family":               fmt.Sprintf("mix-%d", r.IntN(100)),
		"containerDefinitions": []any{map[string]any{"name": "main", "image": "none", "cpu": 10, "memory": 32}},
	}
}

// cost is the server's CPU time of one request, in milliseconds.
func (m *mixer) cost(ctx context.Context, operation string, in map[string]any) (float64, error) {
	before, err := cpu(m.s.pid)
	if err != nil {
		return 0, err
	}
	for range describes {
		if err := m.client.Call(ctx, client.ECS, operation, in, nil); err != nil {
			return 0, err
		}
	}
	after, err := cpu(m.s.pid)
	return milliseconds(after-before) / describes, err
}
