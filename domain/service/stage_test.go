package service_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/service"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// TestStages walks through rollouts in which nothing is in the way: the stages, with
// the minute at which each begins and green's production traffic in it.
func TestStages(t *testing.T) {
	bake := 10 * time.Minute
	for _, c := range []struct {
		name  string
		of    service.Configuration
		sight service.Sight
		want  string
	}{
		{"blue/green", service.Configuration{Strategy: service.BlueGreen}, service.Sight{Blue: true},
			"PRE_SCALE_UP@0=0 SCALE_UP@0=0 POST_SCALE_UP@0=0 TEST_TRAFFIC_SHIFT@0=0 POST_TEST_TRAFFIC_SHIFT@0=0 PRE_PRODUCTION_TRAFFIC_SHIFT@0=0 PRODUCTION_TRAFFIC_SHIFT@0=100 POST_PRODUCTION_TRAFFIC_SHIFT@0=100 BAKE_TIME@0=100 CLEAN_UP@10=100"},
		{"the first", service.Configuration{Strategy: service.Linear, Linear: &service.Shift{Percent: 10, BakeMinutes: 5}}, service.Sight{},
			"PRE_SCALE_UP@0=0 SCALE_UP@0=0 POST_SCALE_UP@0=0 TEST_TRAFFIC_SHIFT@0=0 POST_TEST_TRAFFIC_SHIFT@0=0 PRE_PRODUCTION_TRAFFIC_SHIFT@0=0 PRODUCTION_TRAFFIC_SHIFT@0=100 POST_PRODUCTION_TRAFFIC_SHIFT@0=100 BAKE_TIME@0=100 CLEAN_UP@0=100"},
		{"linear", service.Configuration{Strategy: service.Linear, Linear: &service.Shift{Percent: 40, BakeMinutes: 5}}, service.Sight{Blue: true},
			"PRE_SCALE_UP@0=0 SCALE_UP@0=0 POST_SCALE_UP@0=0 TEST_TRAFFIC_SHIFT@0=0 POST_TEST_TRAFFIC_SHIFT@0=0 PRE_PRODUCTION_TRAFFIC_SHIFT@0=0 PRODUCTION_TRAFFIC_SHIFT@0=40 PRE_PRODUCTION_TRAFFIC_SHIFT@5=40 PRODUCTION_TRAFFIC_SHIFT@5=80 PRE_PRODUCTION_TRAFFIC_SHIFT@10=80 PRODUCTION_TRAFFIC_SHIFT@10=100 POST_PRODUCTION_TRAFFIC_SHIFT@10=100 BAKE_TIME@10=100 CLEAN_UP@20=100"},
		{"canary", service.Configuration{Strategy: service.Canary, Canary: &service.Shift{Percent: 2.5, BakeMinutes: 7}}, service.Sight{Blue: true},
			"PRE_SCALE_UP@0=0 SCALE_UP@0=0 POST_SCALE_UP@0=0 TEST_TRAFFIC_SHIFT@0=0 POST_TEST_TRAFFIC_SHIFT@0=0 PRE_PRODUCTION_TRAFFIC_SHIFT@0=0 PRODUCTION_TRAFFIC_SHIFT@0=2.5 PRE_PRODUCTION_TRAFFIC_SHIFT@7=2.5 PRODUCTION_TRAFFIC_SHIFT@7=100 POST_PRODUCTION_TRAFFIC_SHIFT@7=100 BAKE_TIME@7=100 CLEAN_UP@17=100"},
		{"rolling, for its hooks", service.Configuration{Strategy: service.Rolling}, service.Sight{Blue: true},
			"PRE_SCALE_UP@0=0 SCALE_UP@0=0 POST_SCALE_UP@0=0 BAKE_TIME@0=0 CLEAN_UP@10=0"},
	} {
		s := c.sight
		s.Ready, s.Answered, s.Bake = true, true, bake
		if got := walk(t, &c.of, s); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// walk goes forward to the end, and to the moment that is waited for where it stops.
func walk(t *testing.T, c *service.Configuration, s service.Sight) string {
	t.Helper()
	var out []string
	p := service.Position{}
	for s.Now = noon; p.Stage != service.CleanUp; {
		next, again := c.Forward(p, s)
		switch {
		case next != p:
			p = next
			out = append(out, fmt.Sprintf("%s@%v=%v", p.Stage, p.Since.Sub(noon).Minutes(), p.Production))
		case again.After(s.Now):
			s.Now = again
		default:
			t.Fatalf("stuck after %v, again %v", out, again)
		}
	}
	return strings.Join(out, " ")
}

// TestStagesWait shows what each stage waits for.
func TestStagesWait(t *testing.T) {
	c := service.Configuration{Strategy: service.Canary, Canary: &service.Shift{Percent: 5, BakeMinutes: 1}}
	free := service.Sight{Now: noon.Add(time.Hour), Blue: true, Ready: true, Answered: true}
	for _, x := range []struct {
		at    service.Stage
		sight func(*service.Sight)
		next  service.Stage
	}{
		{"", func(s *service.Sight) { s.Several = true }, service.ReconcileService},
		{service.ReconcileService, func(s *service.Sight) { s.Several = true }, service.ReconcileService},
		{service.ReconcileService, func(*service.Sight) {}, service.PreScaleUp},
		{service.PreScaleUp, func(s *service.Sight) { s.Answered = false }, service.PreScaleUp},
		{service.ScaleUp, func(s *service.Sight) { s.Ready = false }, service.ScaleUp},
		{service.PostTestTrafficShift, func(s *service.Sight) { s.Answered = false }, service.PostTestTrafficShift},
		{service.ProductionShift, func(s *service.Sight) { s.Answered = false }, service.ProductionShift},
		{service.ProductionShift, func(s *service.Sight) { s.Now = noon.Add(59 * time.Second) }, service.ProductionShift},
		{service.ProductionShift, func(s *service.Sight) { s.Now = noon.Add(60 * time.Second) }, service.PreProductionShift},
		{service.BakeTime, func(s *service.Sight) { s.Bake = 2 * time.Hour }, service.BakeTime},
		{service.BakeTime, func(s *service.Sight) { s.Bake = time.Hour }, service.CleanUp},
		{service.CleanUp, func(*service.Sight) {}, service.CleanUp},
	} {
		s := free
		x.sight(&s)
		p := service.Position{Stage: x.at, Since: noon, Production: 5}
		if next, _ := c.Forward(p, s); next.Stage != x.next || (next.Stage == x.at) != (next == p) {
			t.Errorf("%s: %+v, want %s", x.at, next, x.next)
		}
	}
}

// TestRetreat shows rollbacks from each stage.
func TestRetreat(t *testing.T) {
	for _, c := range []struct {
		from service.Position
		want string
	}{
		{service.Position{Stage: service.ScaleUp}, "CLEAN_UP=0/0"},
		{service.Position{Stage: service.PostTestTrafficShift, Test: 100}, "TEST_TRAFFIC_SHIFT=0/0 CLEAN_UP=0/0"},
		{service.Position{Stage: service.ProductionShift, Test: 100, Production: 40}, "PRODUCTION_TRAFFIC_SHIFT=0/0 TEST_TRAFFIC_SHIFT=0/0 CLEAN_UP=0/0"},
		{service.Position{Stage: service.CleanUp, Test: 100, Production: 100}, "SCALE_UP=100/100 PRODUCTION_TRAFFIC_SHIFT=0/0 TEST_TRAFFIC_SHIFT=0/0 CLEAN_UP=0/0"},
	} {
		var got []string
		for p := service.Retreat(c.from, noon); ; {
			got = append(got, fmt.Sprintf("%s=%v/%v", p.Stage, p.Production, p.Test))
			for _, waits := range []service.Sight{{Now: noon, Ready: true}, {Now: noon, Answered: true}} {
				if next := service.Backward(p, waits); next != p && (!waits.Answered || p.Stage == service.ScaleUp) {
					t.Errorf("%s does not wait: %+v", p.Stage, next)
				}
			}
			next := service.Backward(p, service.Sight{Now: noon, Ready: true, Answered: true})
			if next == p {
				break
			}
			p = next
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("from %s: %s, want %s", c.from.Stage, s, c.want)
		}
	}
}

func TestOverdue(t *testing.T) {
	for _, stage := range []service.Stage{service.ReconcileService, service.ScaleUp, service.BakeTime} {
		p := service.Position{Stage: stage, Since: noon}
		if _, over := p.Overdue(noon.Add(service.StageLimit)); over != (stage != service.BakeTime) {
			t.Errorf("%s: %v", stage, over)
		}
		if _, over := p.Overdue(noon.Add(service.StageLimit - 1)); over {
			t.Errorf("%s is given up too early", stage)
		}
	}
}

// TestStagesInOrder plays rollouts against everything that may come between: traffic
// only ever moves to green, in steps no greater than asked for, only in the stage
// that is for it and never before green was ready; and each comes to its end.
func TestStagesInOrder(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		c := service.Configuration{Strategy: []service.Strategy{service.BlueGreen, service.Linear, service.Canary}[r.IntN(3)]}
		shift := &service.Shift{Percent: float64(30+r.IntN(971)) / 10, BakeMinutes: r.IntN(3)}
		c.Linear, c.Canary = shift, shift
		s := service.Sight{Now: noon, Blue: r.IntN(4) > 0, Several: r.IntN(2) == 0, Bake: time.Duration(r.IntN(3)) * time.Minute}
		p := service.Position{}
		ready, reached := false, []service.Stage{}
		for step := 0; p.Stage != service.CleanUp; step++ {
			if step == 5000 {
				t.Fatalf("seed %d: no end: %+v", seed, p)
			}
			s.Now = s.Now.Add(time.Duration(r.IntN(20)) * time.Second)
			s.Ready, s.Answered, s.Several = r.IntN(3) == 0, r.IntN(3) == 0, s.Several && r.IntN(3) > 0
			ready = ready || s.Ready && p.Stage == service.ScaleUp
			next, again := c.Forward(p, s)
			moved := next.Production - p.Production
			switch {
			case moved < 0 || next.Production > 100 || next.Test < p.Test:
				t.Fatalf("seed %d: %+v to %+v", seed, p, next)
			case moved > 0 && (next.Stage != service.ProductionShift || !ready || next.Test != 100):
				t.Fatalf("seed %d: traffic moves from %+v to %+v", seed, p, next)
			case c.Strategy == service.Linear && s.Blue && moved > shift.Percent+0.05:
				t.Fatalf("seed %d: %+v to %+v in steps of %v", seed, p, next, shift.Percent)
			case next == p && !again.IsZero() && !again.After(s.Now):
				t.Fatalf("seed %d: %+v waits for the past", seed, p)
			}
			if next.Stage != p.Stage {
				reached = append(reached, next.Stage)
			}
			p = next
		}
		if p.Production != 100 || p.Test != 100 || slices.Index(reached, service.ReconcileService) > 0 {
			t.Fatalf("seed %d: %+v by %v", seed, p, reached)
		}
	}
}
