package metadata

import (
	"net/http"
	"time"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/network"
)

// shownStats is Docker's ContainerStats with the network rates ECS adds.
// https://docs.docker.com/reference/api/engine/version/v1.30/#tag/Container/operation/ContainerStats
type shownStats struct {
	Read         time.Time                `json:"read"`
	PreRead      time.Time                `json:"preread"`
	PIDs         map[string]uint64        `json:"pids_stats"`
	Blkio        shownBlkio               `json:"blkio_stats"`
	NumProcs     uint32                   `json:"num_procs"` // Windows only: 0
	StorageStats struct{}                 `json:"storage_stats"`
	CPU          shownCPU                 `json:"cpu_stats"`
	PreCPU       shownCPU                 `json:"precpu_stats"`
	Memory       shownMemory              `json:"memory_stats"`
	Name         string                   `json:"name"`
	ID           string                   `json:"id"`
	Networks     map[string]shownCounters `json:"networks,omitempty"`
	Rates        *shownRates              `json:"network_rate_stats,omitempty"` // version 4
}

type shownCPU struct {
	Usage      shownCPUUsage  `json:"cpu_usage"`
	System     uint64         `json:"system_cpu_usage"` // nanoseconds, all of the host
	Online     int            `json:"online_cpus"`
	Throttling shownThrottled `json:"throttling_data"`
}

type shownCPUUsage struct { // nanoseconds
	Total  uint64   `json:"total_usage"`
	PerCPU []uint64 `json:"percpu_usage,omitempty"`
	Kernel uint64   `json:"usage_in_kernelmode"`
	User   uint64   `json:"usage_in_usermode"`
}

type shownThrottled struct {
	Periods   uint64 `json:"periods"`
	Throttled uint64 `json:"throttled_periods"`
	Time      uint64 `json:"throttled_time"`
}

type shownMemory struct { // bytes
	Usage    uint64            `json:"usage"`
	MaxUsage uint64            `json:"max_usage,omitempty"`
	Stats    map[string]uint64 `json:"stats"`
	Limit    uint64            `json:"limit"`
}

type shownBlkio struct {
	Bytes []shownBlock `json:"io_service_bytes_recursive"`
	Count []shownBlock `json:"io_serviced_recursive"`
}

type shownBlock struct {
	Major uint64 `json:"major"`
	Minor uint64 `json:"minor"`
	Op    string `json:"op"`
	Value uint64 `json:"value"`
}

type shownCounters struct {
	RxBytes   uint64 `json:"rx_bytes"`
	RxPackets uint64 `json:"rx_packets"`
	RxErrors  uint64 `json:"rx_errors"`
	RxDropped uint64 `json:"rx_dropped"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxPackets uint64 `json:"tx_packets"`
	TxErrors  uint64 `json:"tx_errors"`
	TxDropped uint64 `json:"tx_dropped"`
}

type shownRates struct {
	Rx float64 `json:"rx_bytes_per_sec"`
	Tx float64 `json:"tx_bytes_per_sec"`
}

func (s *Server) containerStats(w http.ResponseWriter, _ *http.Request, about subject) {
	c := about.task.container(about.container)
	if c == nil {
		reply(w, http.StatusNotFound, "unable to find the container")
		return
	}
	shown := s.statsOf(about.version, about.task, c)
	if shown == nil {
		reply(w, http.StatusInternalServerError, "failed to get stats: none have been taken yet")
		return
	}
	reply(w, http.StatusOK, shown)
}

// taskStats answers by runtime id; a container without stats is null, as in ECS.
func (s *Server) taskStats(w http.ResponseWriter, _ *http.Request, about subject) {
	all := map[string]*shownStats{}
	for i := range about.task.Containers {
		c := &about.task.Containers[i]
		if c.RuntimeID != "" {
			all[c.RuntimeID] = s.statsOf(about.version, about.task, c)
		}
	}
	reply(w, http.StatusOK, all)
}

func (s *Server) statsOf(v version, t *Task, c *Container) *shownStats {
	now, before, ok := s.cfg.Stats.Stats(t.Order.ARN, c.Name)
	if !ok {
		return nil
	}
	u := now.Usage
	shown := &shownStats{
		Read: u.At.UTC(), PreRead: before.Usage.At.UTC(), PIDs: map[string]uint64{"current": u.PIDs},
		Blkio: blkio(u.Blocks), CPU: cpu(now), PreCPU: cpu(before),
		Memory: shownMemory{Usage: u.Memory, MaxUsage: u.MemoryPeak, Stats: u.MemoryStat, Limit: u.MemoryLimit},
		Name:   c.RuntimeName, ID: c.RuntimeID, Networks: map[string]shownCounters{},
	}
	if u.PIDsLimit > 0 {
		shown.PIDs["limit"] = u.PIDsLimit
	}
	for name, n := range now.Networks {
		shown.Networks[name] = shownCounters(n)
	}
	if v >= 4 && len(now.Networks) > 0 {
		shown.Rates = rates(now, before)
	}
	return shown
}

func cpu(s *Sample) shownCPU {
	u := s.Usage
	shown := shownCPU{
		Usage:      shownCPUUsage{Total: uint64(u.CPU), Kernel: uint64(u.CPUSystem), User: uint64(u.CPUUser)},
		System:     uint64(s.HostCPU),
		Online:     s.Cores,
		Throttling: shownThrottled{Periods: u.Periods, Throttled: u.Throttled, Time: uint64(u.ThrottledTime)},
	}
	for _, one := range u.PerCPU {
		shown.Usage.PerCPU = append(shown.Usage.PerCPU, uint64(one))
	}
	return shown
}

func blkio(blocks []cgroup.Block) shownBlkio {
	b := shownBlkio{Bytes: []shownBlock{}, Count: []shownBlock{}}
	for _, d := range blocks {
		b.Bytes = append(b.Bytes, shownBlock{d.Major, d.Minor, "Read", d.ReadBytes}, shownBlock{d.Major, d.Minor, "Write", d.WriteBytes})
		b.Count = append(b.Count, shownBlock{d.Major, d.Minor, "Read", d.Reads}, shownBlock{d.Major, d.Minor, "Write", d.Writes})
	}
	return b
}

func rates(now, before *Sample) *shownRates {
	seconds := now.Usage.At.Sub(before.Usage.At).Seconds()
	if seconds <= 0 {
		return nil
	}
	a, b := sum(now.Networks), sum(before.Networks)
	if a.RxBytes < b.RxBytes || a.TxBytes < b.TxBytes {
		return nil // a new interface
	}
	return &shownRates{Rx: float64(a.RxBytes-b.RxBytes) / seconds, Tx: float64(a.TxBytes-b.TxBytes) / seconds}
}

func sum(networks map[string]network.Counters) (all network.Counters) {
	for _, n := range networks {
		all.RxBytes += n.RxBytes
		all.TxBytes += n.TxBytes
	}
	return all
}
