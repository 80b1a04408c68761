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
	counts map[subject]*counts
	levels map[place]level // of open connections
}

// subject is what something was counted of; its group and zone may be empty.
type subject struct{ balancer, group, zone string }

type counts struct {
	sums  map[string]*metric.Set
	times map[float64]float64 // how often each response time was seen
}

type level struct {
	balancer string
	open     int64
}

// measure is so many of something.
type measure struct {
	name string
	n    float64
}

func newTally() *tally { return &tally{counts: map[subject]*counts{}, levels: map[place]level{}} }

// add counts.
func (t *tally) add(of subject, all ...measure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts[of]
	if c == nil {
		c = &counts{sums: map[string]*metric.Set{}, times: map[float64]float64{}}
		t.counts[of] = c
	}
	for _, m := range all {
		if m.name == responseTime { // its percentiles are asked for
			c.times[coarse(m.n)]++
		}
		s := c.sums[m.name]
		if s == nil {
			s = &metric.Set{Min: m.n, Max: m.n}
			c.sums[m.name] = s
		}
		s.Count, s.Sum, s.Min, s.Max = s.Count+1, s.Sum+m.n, min(s.Min, m.n), max(s.Max, m.n)
	}
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
	all := t.counts
	t.counts = map[subject]*counts{}
	open := map[string]int64{}
	for socket, l := range t.levels {
		open[l.balancer] += l.open
		if l.open == 0 {
			delete(t.levels, socket)
		}
	}
	t.mu.Unlock()
	var out []balancer.Count
	for of, c := range all {
		for name, sum := range c.sums {
			set := *sum
			if name == responseTime {
				set = with(set, c.times)
			}
			out = append(out, balancer.Count{BalancerARN: of.balancer, GroupARN: of.group, Zone: of.zone, Name: name, Unit: unitOf(name), At: now, Set: set})
		}
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
