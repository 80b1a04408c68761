package web

import (
	"math"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/metric"
)

// tally is what was counted since it was last taken.
type tally struct {
	mu     sync.Mutex
	sums   map[series]metric.Set
	times  map[series]map[float64]float64 // how often each response time was seen
	levels map[place]level                // of open connections
}

type series struct{ balancer, group, zone, name string }

type level struct {
	balancer string
	open     int64
}

func newTally() *tally {
	return &tally{sums: map[series]metric.Set{}, times: map[series]map[float64]float64{}, levels: map[place]level{}}
}

// add counts so many of something; zone may be empty.
func (t *tally) add(balancer, group, zone, name string, n float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := series{balancer, group, zone, name}
	if name == responseTime { // its percentiles are asked for
		if t.times[at] == nil {
			t.times[at] = map[float64]float64{}
		}
		t.times[at][coarse(n)]++
	}
	s, known := t.sums[at]
	if !known {
		s.Min = n
	}
	t.sums[at] = metric.Set{Count: s.Count + 1, Sum: s.Sum + n, Min: min(s.Min, n), Max: max(s.Max, n)}
}

// coarse is n, at most one percent less: so there are few different ones.
func coarse(n float64) float64 { return math.Float64frombits(math.Float64bits(n) &^ (1<<45 - 1)) }

// with adds what percentiles are made of.
func with(set metric.Set, times map[float64]float64) metric.Set {
	var sum metric.Set
	for of, n := range times {
		sum = sum.Plus(metric.Set{Count: n, Sum: of * n, Min: of, Max: of, Values: []metric.Value{{Of: of, Count: n}}})
	}
	set.Values = sum.Values
	return set
}

const responseTime = "TargetResponseTime"

// level says how many connections a socket has.
func (t *tally) level(balancer string, socket place, open int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.levels[socket] = level{balancer, open}
}

func (t *tally) take(now time.Time) []balancer.Count {
	t.mu.Lock()
	sums, times := t.sums, t.times
	t.sums, t.times = map[series]metric.Set{}, map[series]map[float64]float64{}
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
		if seen := times[s]; seen != nil {
			set = with(set, seen)
		}
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
