package stats_test

import (
	"io/fs"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/engine"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/stats"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// machine is what there is to measure.
type machine struct {
	tasks []engine.Snapshot
	used  map[string]*cgroup.Usage
}

func (m *machine) Snapshots() []engine.Snapshot { return m.tasks }

func (m *machine) Usage(group string, now time.Time) (*cgroup.Usage, error) {
	u, ok := m.used[group]
	if !ok {
		return nil, fs.ErrNotExist
	}
	c := *u
	c.At = now
	return &c, nil
}

func (m *machine) Counters(string) (map[string]network.Counters, error) {
	return map[string]network.Counters{"": {RxBytes: 7}}, nil
}

func snapshot(arn string, groups ...string) engine.Snapshot {
	s := engine.Snapshot{Order: &task.Order{ARN: arn, Family: "f", Revision: 3}, Status: task.Running}
	for _, g := range groups {
		name := "c-" + g
		if len(groups) > 1 {
			name = string(rune('a' + len(s.Containers)))
		}
		s.Order.Containers = append(s.Order.Containers, task.OrderContainer{Container: workload.Container{Name: name}, ARN: arn + "/" + name})
		s.Containers = append(s.Containers, engine.Container{ContainerObservation: task.ContainerObservation{Name: name, Status: "RUNNING"}, Group: g})
	}
	return s
}

func TestPublishSumsEachRoundOnce(t *testing.T) {
	u := &cgroup.Usage{Memory: 64 << 20, MemoryStat: map[string]uint64{"total_inactive_file": 32 << 20}}
	m := &machine{tasks: []engine.Snapshot{snapshot("t1", "g1")}, used: map[string]*cgroup.Usage{"g1": u}}
	s := stats.New(m, m, m)
	at := time.Unix(1000, 0)
	for _, used := range []time.Duration{0, 500 * time.Millisecond, 2 * time.Second} {
		u.CPU = used
		s.Measure(at)
		at = at.Add(time.Second)
	}
	got := s.Publish()
	if len(got) != 1 || len(got[0].ContainerMetrics) != 1 || got[0].TaskDefinitionVersion != "3" {
		t.Fatalf("%+v", got)
	}
	c := got[0].ContainerMetrics[0]
	if *c.CPU != (struct {
		Min         float64 `json:"min"`
		Max         float64 `json:"max"`
		SampleCount int     `json:"sampleCount"`
		Sum         float64 `json:"sum"`
	}{50, 150, 2, 200}) || c.Memory.Sum != 64 {
		t.Errorf("cpu %+v, memory %+v", c.CPU, c.Memory)
	}
	if again := s.Publish(); len(again) != 0 {
		t.Errorf("said twice: %+v", again)
	}
	now, before, ok := s.Stats("t1", "c-g1")
	if !ok || now.Usage.CPU-before.Usage.CPU != 1500*time.Millisecond || now.Networks["eth0"].RxBytes != 7 || now.Cores == 0 || now.HostCPU == 0 {
		t.Errorf("%+v %+v %v", now, before, ok)
	}
}

// Containers in one sandbox share its group: all show its use, one is charged.
func TestOneSandboxCountsOnce(t *testing.T) {
	m := &machine{tasks: []engine.Snapshot{snapshot("t1", "g", "g")}, used: map[string]*cgroup.Usage{"g": {}}}
	s := stats.New(m, m, nil)
	for i := range 3 {
		m.used["g"].CPU = time.Duration(i) * time.Second
		s.Measure(time.Unix(int64(i), 0))
	}
	if got := s.Publish(); len(got) != 1 || len(got[0].ContainerMetrics) != 1 || got[0].ContainerMetrics[0].CPU.Max != 100 {
		t.Errorf("%+v", got)
	}
	if _, _, ok := s.Stats("t1", "b"); !ok {
		t.Error("the other has no stats")
	}
}

func TestForgetsWhatEnded(t *testing.T) {
	m := &machine{tasks: []engine.Snapshot{snapshot("t1", "g1")}, used: map[string]*cgroup.Usage{"g1": {}}}
	s := stats.New(m, m, nil)
	s.Measure(time.Unix(0, 0))
	s.Measure(time.Unix(1, 0))
	s.Publish()
	m.tasks = nil
	s.Measure(time.Unix(2, 0))
	s.Measure(time.Unix(3, 0))
	if _, _, ok := s.Stats("t1", "c-g1"); ok {
		t.Error("still known")
	}
}
