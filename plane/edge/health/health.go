// Package health finds out how the targets of load balancers are: it asks each as its
// target group says, and counts answers until a threshold is reached.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
package health

import (
	"context"
	"hash/fnv"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// Dial connects to an address of the network that a target is in.
type Dial func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

// Target is what is to be watched. Two with equal fields but Dial are the same.
type Target struct {
	Group   *balancer.TargetGroup
	Key     string // balancer.Target.Key
	Address netip.AddrPort
	Seen    balancer.State // what it was before this edge started
	Dial    Dial
}

// Checker watches targets. The zero value is ready.
type Checker struct {
	// Changed is called when the state of a target is another; nil for nobody. It must
	// not wait.
	Changed func()

	mu      sync.Mutex
	watches map[string]*watch // by target key
}

// watch is one target and the goroutine that asks it.
type watch struct {
	target Target
	stop   context.CancelFunc
	count  Count
	report balancer.Report
}

// Watch makes it watch exactly these targets. What is known of one that goes on to be
// watched the same way stays known.
func (c *Checker) Watch(targets []Target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watches == nil {
		c.watches = map[string]*watch{}
	}
	wanted := map[string]bool{}
	for _, t := range targets {
		wanted[t.Key] = true
		have := c.watches[t.Key]
		if have != nil && have.target.same(&t) {
			continue
		}
		if have != nil {
			have.stop()
		}
		c.watches[t.Key] = c.begin(t)
	}
	for key, w := range c.watches {
		if !wanted[key] {
			w.stop()
			delete(c.watches, key)
		}
	}
}

// Close stops asking.
func (c *Checker) Close() { c.Watch(nil) }

func (t *Target) same(o *Target) bool {
	return t.Address == o.Address && t.Group.Protocol == o.Group.Protocol && t.Group.ProtocolVersion == o.Group.ProtocolVersion &&
		reflect.DeepEqual(t.Group.HealthCheck, o.Group.HealthCheck)
}

// begin has c.mu.
func (c *Checker) begin(t Target) *watch {
	ctx, stop := context.WithCancel(context.Background())
	w := &watch{target: t, stop: stop, report: initial()}
	if t.Seen == balancer.Healthy {
		w.report, w.count.State = balancer.Report{State: balancer.Healthy}, balancer.Healthy
	}
	if !t.Group.HealthCheck.Enabled {
		w.report = balancer.Report{State: balancer.Healthy}
		return w
	}
	go c.ask(ctx, w)
	return w
}

func initial() balancer.Report {
	return balancer.Report{State: balancer.Initial, Reason: "Elb.InitialHealthChecking", Detail: "Initial health checks in progress"}
}

// ask asks at once, then at each interval; in between starts a target that does not
// answer yet is asked more often, so that one that comes up is found soon.
func (c *Checker) ask(ctx context.Context, w *watch) {
	check := w.target.Group.HealthCheck
	interval := max(time.Duration(check.Interval)*time.Second, time.Second)
	eager := eagerFirst
	for {
		failure := probe(ctx, &w.target)
		if ctx.Err() != nil {
			return
		}
		state := c.note(w, failure)
		pause := interval
		if state == balancer.Initial {
			pause = min(eager, interval)
			eager *= 2
		} else {
			pause += jitter(w.target.Key, interval)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// eagerFirst is the first pause after a new target did not answer; the pauses double
// until they are the group's interval. AWS waits the whole interval.
const eagerFirst = 50 * time.Millisecond

// jitter is up to a tenth of the interval, so that targets are not all asked at once.
func jitter(key string, interval time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(key))
	return time.Duration(h.Sum32()%1000) * interval / 10000
}

func (c *Checker) note(w *watch, failure *Failure) balancer.State {
	c.mu.Lock()
	before := w.report.State
	now := c.noted(w, failure)
	c.mu.Unlock()
	if now != before && c.Changed != nil {
		c.Changed()
	}
	return now
}

// noted has c.mu.
func (c *Checker) noted(w *watch, failure *Failure) balancer.State {
	w.count.Add(failure == nil, w.target.Group.HealthCheck)
	report := balancer.Report{State: w.count.State}
	switch w.count.State {
	case balancer.Unhealthy:
		if failure == nil {
			report.Reason, report.Detail = w.report.Reason, w.report.Detail
		} else {
			report.Reason, report.Detail = failure.Reason, failure.Detail
		}
	case balancer.Initial:
		report = initial()
	}
	if report.State != w.report.State || report.Reason != w.report.Reason || report.Detail != w.report.Detail {
		report.At = time.Now()
		w.report = report
	}
	return w.count.State
}

// Of is what is known of a target; its state is Initial before anything is.
func (c *Checker) Of(key string) balancer.Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.watches[key]; w != nil {
		return w.report
	}
	return initial()
}
