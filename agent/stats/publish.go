package stats

import (
	"strconv"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
)

// sum adds up samples as the servers want them.
type sum struct {
	min, max, total float64
	n               int
}

func (s *sum) add(v float64) {
	if s.n == 0 || v < s.min {
		s.min = v
	}
	if s.n == 0 || v > s.max {
		s.max = v
	}
	s.total += v
	s.n++
}

func (s *sum) set() *acs.StatsSet {
	return &acs.StatsSet{Min: s.min, Max: s.max, Sum: s.total, SampleCount: s.n}
}

// Publish returns what was used since it was last called: CPU in percent of one
// core, memory in MiB.
func (s *Stats) Publish() []acs.TaskMetric {
	var out []acs.TaskMetric
	for _, t := range s.tasks.Snapshots() {
		m := acs.TaskMetric{TaskARN: t.Order.ARN, ClusterARN: t.Order.ClusterARN, TaskDefinitionFamily: t.Order.Family, TaskDefinitionVersion: strconv.Itoa(t.Order.Revision)}
		for i := range t.Order.Containers {
			if c, ok := s.take(t.Order, i); ok {
				m.ContainerMetrics = append(m.ContainerMetrics, c)
			}
		}
		if len(m.ContainerMetrics) > 0 {
			out = append(out, m)
		}
	}
	return out
}

func (s *Stats) take(o *task.Order, i int) (acs.ContainerMetric, bool) {
	c := &o.Containers[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known[key{o.ARN, c.Name}]
	if known == nil || known.cpu.n == 0 {
		return acs.ContainerMetric{}, false
	}
	m := acs.ContainerMetric{ContainerName: c.Name, ContainerARN: c.ARN, CPU: known.cpu.set(), Memory: known.memory.set()}
	known.cpu, known.memory = sum{}, sum{}
	return m, true
}
