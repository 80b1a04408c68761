// Package probe asks the targets of Network balancers how they are, from the network of
// a balancer's node: whether they take a connection, or answer a request as they should.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
package probe

import (
	"context"
	"net/netip"
	"reflect"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
)

// Watched is a target whose health is to be known.
type Watched struct {
	Group  *balancer.TargetGroup
	Target balancer.PoolTarget
	Space  *space.Space // of the node that asks
	From   netip.Addr   // its address
}

func (w *Watched) key() key { return key{w.Group.ARN, w.Target.Key} }

type key struct{ group, target string }

// Prober keeps asking. The zero Prober is ready.
type Prober struct {
	// Changed is called when the state of a target is another; nil for nobody.
	Changed func()

	mu    sync.Mutex
	known map[key]*watch
}

// watch is a target that is being asked.
type watch struct {
	Watched
	stop   context.CancelFunc
	streak streak
	report balancer.Report
}

// Watch asks exactly these targets.
func (p *Prober) Watch(targets []Watched) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[key]*watch{}
	}
	wanted := map[key]bool{}
	for _, t := range targets {
		k := t.key()
		wanted[k] = true
		have := p.known[k]
		if have != nil && have.asksLike(&t) {
			have.Target = t.Target
			continue
		}
		next := begin(&t)
		if have != nil {
			have.stop()
			next.streak, next.report = have.streak, have.report
		}
		p.known[k] = next
		ctx, cancel := context.WithCancel(context.Background())
		next.stop = cancel
		go p.ask(ctx, next, next.Watched)
	}
	for k, w := range p.known {
		if !wanted[k] {
			w.stop()
			delete(p.known, k)
		}
	}
}

func (w *watch) asksLike(t *Watched) bool {
	return w.Space == t.Space && w.Target.Address == t.Target.Address && reflect.DeepEqual(w.Group.HealthCheck, t.Group.HealthCheck)
}

// begin knows of a target what the store does.
func begin(t *Watched) *watch {
	w := &watch{Watched: *t, report: balancer.Report{
		State: balancer.Initial, Reason: "Elb.InitialHealthChecking", Detail: "Initial health checks in progress", At: time.Now(),
	}}
	switch t.Target.Seen {
	case balancer.Healthy:
		w.report = balancer.Report{State: balancer.Healthy, At: time.Now()}
	case balancer.Unhealthy:
		w.report = unhealthy(failed())
	}
	return w
}

// ask asks one target until ctx ends. mine is what the watch was made with: the address
// and the check stay, while others of it may change.
func (p *Prober) ask(ctx context.Context, w *watch, mine Watched) {
	hc := mine.Group.HealthCheck
	timer := time.NewTimer(0)
	defer timer.Stop()
	for eager := firstEager; ; {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		fault := check(ctx, &mine)
		if ctx.Err() != nil {
			return
		}
		pause := seconds(hc.Interval)
		p.mu.Lock()
		before := w.report.State
		if counts := w.report.State != balancer.Initial || fault == nil || eager >= pause; counts {
			w.note(fault, time.Now())
		} else { // a task that starts is found soon; that it does not answer yet counts for nothing
			pause, eager = eager, eager+eager/2
		}
		changed := w.report.State != before
		p.mu.Unlock()
		if changed && p.Changed != nil {
			p.Changed()
		}
		timer.Reset(pause)
	}
}

// firstEager is how soon a new target that does not answer is asked again; then the pause
// grows by half each time, so that one is found after at most half as long again as it
// takes to answer.
const firstEager = 2 * time.Millisecond

// note counts an answer in.
func (w *watch) note(fault *fault, now time.Time) {
	next := w.streak.next(w.report.State, fault == nil, &w.Group.HealthCheck)
	switch {
	case next == balancer.Healthy:
		if w.report.State != balancer.Healthy {
			w.report = balancer.Report{State: balancer.Healthy, At: now}
		}
	case next == balancer.Unhealthy && fault != nil:
		w.report = unhealthy(fault)
	}
}

func unhealthy(f *fault) balancer.Report {
	return balancer.Report{State: balancer.Unhealthy, Reason: f.reason, Detail: f.detail, At: time.Now()}
}

// Of is what is known of a target. One that is not watched is as one at first.
func (p *Prober) Of(group, target string) balancer.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.known[key{group, target}]; w != nil {
		return w.report
	}
	return balancer.Report{State: balancer.Initial, Reason: "Elb.RegistrationInProgress", Detail: "Target registration is in progress"}
}

// streak counts equal answers in a row.
type streak struct{ good, bad int }

// next is the state after an answer: one is enough at first, and the thresholds' numbers
// change it later.
func (s *streak) next(now balancer.State, ok bool, hc *balancer.HealthCheck) balancer.State {
	if ok {
		s.good, s.bad = s.good+1, 0
	} else {
		s.good, s.bad = 0, s.bad+1
	}
	switch {
	case ok && (now == balancer.Initial || s.good >= hc.Healthy):
		return balancer.Healthy
	case !ok && s.bad >= max(1, hc.Unhealthy):
		return balancer.Unhealthy
	}
	return now
}

func seconds(n int) time.Duration { return time.Duration(max(1, n)) * time.Second }
