// Package stats measures what containers use, from their control groups and
// interfaces: for the metadata that tasks read, and for the sums that the agent
// sends to the servers.
package stats

import (
	"bufio"
	"context"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/engine"
	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/agent/network"
)

// Interval is how often everything is measured. Rates are over one interval.
const Interval = 2 * time.Second

// Tasks lists what to measure: *engine.Engine.
type Tasks interface{ Snapshots() []engine.Snapshot }

// Groups reads control groups: *cgroup.Tree.
type Groups interface {
	Usage(group string, now time.Time) (*cgroup.Usage, error)
}

// Networks reads interfaces: *network.Network.
type Networks interface {
	Counters(arn string) (map[string]network.Counters, error)
}

// Stats holds the latest measures. It is safe for concurrent use.
type Stats struct {
	tasks    Tasks
	groups   Groups
	networks Networks

	mu    sync.Mutex
	known map[key]*series
}

// key names a container of a task.
type key struct{ arn, container string }

// series is what is known of one container.
type series struct {
	group       string
	now, before *metadata.Sample
	cpu, memory sum // since the last Publish
	seen        bool
}

// New makes Stats that measure nothing yet. networks may be nil.
func New(tasks Tasks, groups Groups, networks Networks) *Stats {
	return &Stats{tasks: tasks, groups: groups, networks: networks, known: map[key]*series{}}
}

// Run measures every Interval until ctx ends.
func (s *Stats) Run(ctx context.Context) {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.Measure(now)
		}
	}
}

// Measure takes one sample of every container that has run.
func (s *Stats) Measure(now time.Time) {
	host := hostCPU("/proc/stat")
	for _, t := range s.tasks.Snapshots() {
		counters := s.counters(t.Order.ARN)
		for i := range t.Containers {
			c := &t.Containers[i]
			if c.Group == "" || c.Status != "RUNNING" {
				continue
			}
			usage, err := s.groups.Usage(c.Group, now)
			if err != nil {
				continue // it ended meanwhile
			}
			sample := &metadata.Sample{Usage: usage, HostCPU: host, Cores: goruntime.NumCPU(), Networks: interfaces(counters, c.Name)}
			s.add(key{t.Order.ARN, c.Name}, c.Group, sample, i > 0 && c.Group == t.Containers[0].Group)
		}
	}
	s.drop()
}

func (s *Stats) counters(arn string) map[string]network.Counters {
	if s.networks == nil {
		return nil
	}
	counters, err := s.networks.Counters(arn)
	if err != nil {
		return nil
	}
	return counters
}

// interfaces are those a container sees: its own in bridge mode, else the task's.
func interfaces(counters map[string]network.Counters, container string) map[string]network.Counters {
	for _, name := range []string{container, ""} {
		if c, ok := counters[name]; ok {
			return map[string]network.Counters{"eth0": c}
		}
	}
	return nil
}

// add takes a sample. shared containers live in one sandbox with another that is
// counted already: they are shown, but not summed twice.
func (s *Stats) add(k key, group string, sample *metadata.Sample, shared bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.known[k]
	if c == nil || c.group != group { // a new attempt counts from zero
		c = &series{group: group}
		s.known[k] = c
	}
	c.before, c.now, c.seen = c.now, sample, true
	if c.before == nil || shared {
		return
	}
	wall := c.now.Usage.At.Sub(c.before.Usage.At)
	if used := c.now.Usage.CPU - c.before.Usage.CPU; wall > 0 && used >= 0 {
		c.cpu.add(100 * float64(used) / float64(wall))
	}
	c.memory.add(float64(inUse(c.now.Usage)) / (1 << 20))
}

// drop forgets containers that were not seen in the last round.
func (s *Stats) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, c := range s.known {
		if !c.seen && c.cpu.n == 0 {
			delete(s.known, k)
		}
		c.seen = false
	}
}

// inUse is the memory a container cannot do without: page cache that the kernel
// would drop does not count, as in docker stats.
func inUse(u *cgroup.Usage) uint64 {
	cache := u.MemoryStat["inactive_file"]
	if !u.Unified {
		cache = u.MemoryStat["total_inactive_file"]
	}
	if cache > u.Memory {
		return u.Memory
	}
	return u.Memory - cache
}

// Stats returns the two latest samples of a container; ok is false before there
// are two.
func (s *Stats) Stats(arn, container string) (now, before *metadata.Sample, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.known[key{arn, container}]
	if c == nil || c.before == nil {
		return nil, nil, false
	}
	return c.now, c.before, true
}

// hostCPU is what all processes of the machine have used since it started.
func hostCPU(path string) time.Duration {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	line := bufio.NewScanner(f)
	if !line.Scan() {
		return 0
	}
	fields := strings.Fields(line.Text())
	var ticks uint64
	for i, text := range fields {
		if i == 0 || i > 8 { // guest time, after the eighth, is in user time already
			continue
		}
		n, _ := strconv.ParseUint(text, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
