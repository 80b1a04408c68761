package web

import (
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/metric"
)

// tally is what was counted since it was last taken.
type tally struct {
	mu     sync.Mutex
	sums   map[series]metric.Set
	levels map[string]level // of open connections, by socket
}

type series struct{ balancer, group, zone, name string }

type level struct {
	balancer string
	open     int64
}

func newTally() *tally { return &tally{sums: map[series]metric.Set{}, levels: map[string]level{}} }

// add counts so many of something; zone may be empty.
func (t *tally) add(balancer, group, zone, name string, n float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := series{balancer, group, zone, name}
	s, known := t.sums[at]
	switch {
	case name == responseTime: // its percentiles are asked for
		t.sums[at] = s.Plus(metric.One(n))
	case !known:
		t.sums[at] = metric.Set{Count: 1, Sum: n, Min: n, Max: n}
	default:
		t.sums[at] = metric.Set{Count: s.Count + 1, Sum: s.Sum + n, Min: min(s.Min, n), Max: max(s.Max, n)}
	}
}

const responseTime = "TargetResponseTime"

// level says how many connections a socket has.
func (t *tally) level(balancer, socket string, open int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.levels[socket] = level{balancer, open}
}

func (t *tally) take(now time.Time) []balancer.Count {
	t.mu.Lock()
	sums := t.sums
	t.sums = map[series]metric.Set{}
	open := map[string]int64{}
	for socket, l := range t.levels {
		open[l.balancer] += l.open
		if l.open == 0 {
			delete(t.levels, socket)
		}
	}
	t.mu.Unlock()
	var out []balancer.Count
	for s, set := range sums {
		out = append(out, balancer.Count{BalancerARN: s.balancer, GroupARN: s.group, Zone: s.zone, Name: s.name, Unit: unitOf(s.name), At: now, Set: set})
	}
	for b, n := range open {
		out = append(out, balancer.Count{BalancerARN: b, Name: "ActiveConnectionCount", Unit: "Count", At: now, Set: metric.One(float64(n))})
	}
	return out
}

func unitOf(name string) string {
	switch name {
	case responseTime:
		return "Seconds"
	case "ProcessedBytes":
		return "Bytes"
	}
	return "Count"
}
