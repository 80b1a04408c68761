package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/supervisor"
)

const (
	memoryAgents = 200
	memoryTasks  = 10_000
	memoryServed = 2_000 // of them by services
	// rest is how long a process is left alone before its memory is read.
	rest = 3 * time.Second
)

// memory measures budget 8. Resident memory counts the pages of the program and
// of the store's file that the machine keeps cached; what no file backs is told
// beside it.
func memory(ctx context.Context, b *bench) (result, error) {
	r := result{Peer: "nomad is not available here", Note: "an agent that has just come holds idle API connections for 90 s more, which count"}
	agent, err := b.agentMemory(ctx)
	if err != nil {
		return r, err
	}
	s, err := b.startServer(ctx, "GODEBUG=gctrace=1")
	if err != nil {
		return r, err
	}
	defer s.close()
	time.Sleep(rest)
	all, anonymous, err := resident(s.pid)
	if err != nil {
		return r, err
	}
	perAgent, perTask, err := s.growth(ctx)
	r.Figures = append([]figure{
		{Name: "server idle", Value: all, Unit: "MB", Most: 60},
		{Name: "of it without a file", Value: anonymous, Unit: "MB"},
		{Name: "heap and stacks a task", Value: perTask, Unit: "KB", Most: 10},
		{Name: "a connected agent", Value: perAgent, Unit: "KB", Most: 50},
	}, agent...)
	return r, err
}

func (b *bench) agentMemory(ctx context.Context) ([]figure, error) {
	h, err := b.house(ctx)
	if err != nil {
		return nil, err
	}
	pid, ok := supervisor.Running(filepath.Join(h.data, "run", "agent.pid"))
	if !ok {
		return nil, errors.New("the agent does not run")
	}
	time.Sleep(rest)
	all, anonymous, err := resident(pid)
	return []figure{
		{Name: "agent idle", Value: all, Unit: "MB", Most: 60},
		{Name: "of it without a file", Value: anonymous, Unit: "MB"},
	}, err
}

// growth is what an agent and what a task add to the server's live heap and
// stacks, in KB.
func (s *server) growth(ctx context.Context) (perAgent, perTask float64, err error) {
	alone, err := s.live(ctx)
	if err != nil {
		return 0, 0, err
	}
	a, err := s.join(ctx, memoryAgents, nil, nil)
	if err != nil {
		return 0, 0, err
	}
	defer a.close()
	joined, err := s.live(ctx)
	if err != nil {
		return 0, 0, err
	}
	definition, err := small(ctx, s.client)
	if err == nil {
		err = s.populate(ctx, definition, 2, memoryServed/2)
	}
	if err == nil {
		err = s.fill(ctx, definition, memoryTasks-memoryServed)
	}
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(rest)
	full, err := s.live(ctx)
	return (joined - alone) / memoryAgents, (full - joined) / memoryTasks, err
}

// collection is a line of the runtime's GC trace: what was live, and the stacks.
var collection = regexp.MustCompile(`(?m)^gc \d+ .* \d+->\d+->(\d+) MB, .* (\d+) MB stacks`)

// live is the server's live heap and stacks in KB, after a collection that begins
// now: large requests, which are refused, make garbage until there was one.
func (s *server) live(ctx context.Context) (float64, error) {
	before, _, err := s.collections()
	if err != nil {
		return 0, err
	}
	garbage := map[string]any{"nextToken": strings.Repeat("x", 900<<10)}
	for range 2000 {
		var refused *client.Error
		if err := s.client.Call(ctx, client.ECS, "ListClusters", garbage, nil); err != nil && !errors.As(err, &refused) {
			return 0, err
		}
		// Two: one may have been under way.
		if n, kb, err := s.collections(); err != nil || n >= before+2 {
			return kb, err
		}
	}
	return 0, errors.New("the server's runtime does not collect garbage")
}

func (s *server) collections() (n int, kb float64, err error) {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return 0, 0, err
	}
	all := collection.FindAllSubmatch(text, -1)
	if len(all) == 0 {
		return 0, 0, nil
	}
	for _, mb := range all[len(all)-1][1:] {
		v, _ := strconv.Atoi(string(mb)) // digits, by the expression
		kb += float64(v) * 1024
	}
	return len(all), kb, nil
}
