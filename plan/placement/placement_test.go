package placement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/workload"
)

type attributes struct{ *cluster.Instance }

func (a attributes) Values(name string) []string {
	if v, ok := a.Attribute(strings.TrimPrefix(name, "attribute:")); ok {
		return []string{v}
	}
	return nil
}

func asSubject(i *cluster.Instance) cluster.Subject { return attributes{i} }

func instance(n, cpu, memory, gpus int, attrs ...workload.Attribute) *cluster.Instance {
	i := &cluster.Instance{ARN: fmt.Sprintf("i-%04d", n), Status: cluster.InstanceActive, Connected: true, OffersEC2: true, Attributes: attrs}
	i.Registered = cluster.Resources{CPU: cpu, Memory: memory, PortsTCP: []int{22}}
	for g := range gpus {
		i.Registered.GPUs = append(i.Registered.GPUs, "GPU-"+strconv.Itoa(g))
	}
	return i
}

func zone(z string) workload.Attribute {
	return workload.Attribute{Name: "ecs.availability-zone", Value: z}
}

func layout(t *testing.T, b *Board, r Request, n int) map[string]int {
	t.Helper()
	got := map[string]int{}
	for range n {
		p, refusals, err := b.Place(&r)
		if err != nil || p == nil {
			t.Fatalf("not placed: %v %v", refusals, err)
		}
		got[p.Instance.ARN]++
	}
	return got
}

func three() []*cluster.Instance {
	return []*cluster.Instance{
		instance(1, 2048, 4096, 0, zone("a")), instance(2, 2048, 4096, 0, zone("a")), instance(3, 4096, 8192, 0, zone("b")),
	}
}

func TestStrategiesGiveTheirLayouts(t *testing.T) {
	small := cluster.Demand{CPU: 256, Memory: 512}
	for _, c := range []struct {
		name     string
		strategy []workload.Strategy
		tasks    int
		want     map[string]int
	}{
		{"spread over instances", []workload.Strategy{{Type: "spread", Field: "instanceId"}}, 6, map[string]int{"i-0001": 2, "i-0002": 2, "i-0003": 2}},
		{"spread over zones", []workload.Strategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}}, 4, map[string]int{"i-0001": 1, "i-0002": 1, "i-0003": 2}},
		{"binpack memory", []workload.Strategy{{Type: "binpack", Field: "memory"}}, 9, map[string]int{"i-0001": 8, "i-0002": 1}},
		{"zones, then binpack", []workload.Strategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}, {Type: "binpack", Field: "cpu"}}, 4, map[string]int{"i-0001": 2, "i-0003": 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := layout(t, NewBoard(three(), nil, asSubject), Request{Demand: small, Group: "family:x", Strategy: c.strategy}, c.tasks)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestRefusalsNameWhatIsMissing(t *testing.T) {
	gone, away, barred := instance(4, 9999, 9999, 0), instance(5, 9999, 9999, 0), instance(7, 9999, 9999, 0)
	gone.Status, away.Connected, barred.Connected, barred.Refused = cluster.Draining, false, false, "it lacks ecs:Poll"
	busy := instance(6, 9999, 9999, 0)
	busy.Used.PortsTCP = []int{80}
	for _, c := range []struct {
		name           string
		on             *cluster.Instance
		r              Request
		reason, detail string
	}{
		{"cpu", instance(1, 1024, 4096, 0), Request{Demand: cluster.Demand{CPU: 2048, Memory: 1}}, "RESOURCE:CPU", "CPU needs 2048, has 1024"},
		{"memory", instance(1, 1024, 512, 0), Request{Demand: cluster.Demand{CPU: 1, Memory: 600}}, "RESOURCE:MEMORY", "MEMORY needs 600, has 512"},
		{"gpu", instance(1, 1024, 512, 2), Request{Demand: cluster.Demand{GPUs: 3}}, "RESOURCE:GPU", "GPU needs 3, has 2"},
		{"port", busy, Request{Demand: cluster.Demand{PortsTCP: []int{80}}}, "RESOURCE:PORTS", "PORTS [80] in use"},
		{"reserved port", busy, Request{Demand: cluster.Demand{PortsTCP: []int{22}}}, "RESOURCE:PORTS", "PORTS [22] in use"},
		{"draining", gone, Request{}, "INACTIVE", "the instance is DRAINING"},
		{"agent", away, Request{}, "AGENT", "the agent is not connected"},
		{"barred agent", barred, Request{}, "AGENT", "the agent is not connected, and may not be: it lacks ecs:Poll"},
		{"attribute", busy, Request{Requires: []workload.Attribute{{Name: "ecs.capability.efs"}}}, "ATTRIBUTE", "the instance lacks the attribute ecs.capability.efs"},
		{"member", busy, Request{Constraints: []workload.Constraint{{Type: "memberOf", Expression: "attribute:x exists"}}}, "MemberOf placement constraint unsatisfied.", "attribute:x exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, refusals, err := NewBoard([]*cluster.Instance{c.on}, nil, asSubject).Place(&c.r)
			if err != nil || p != nil || len(refusals) != 1 {
				t.Fatalf("got %v %v %v", p, refusals, err)
			}
			if refusals[0].Reason != c.reason || refusals[0].Detail != c.detail {
				t.Errorf("got %q (%s)", refusals[0].Reason, refusals[0].Detail)
			}
		})
	}
}

func TestDistinctInstance(t *testing.T) {
	b := NewBoard(three(), func(string) map[string]int { return map[string]int{"i-0002": 1} }, asSubject)
	r := Request{Demand: cluster.Demand{CPU: 1, Memory: 1}, Group: "service:x", Constraints: []workload.Constraint{{Type: "distinctInstance"}}}
	if got := layout(t, b, r, 2); got["i-0001"] != 1 || got["i-0003"] != 1 {
		t.Errorf("got %v", got)
	}
	if p, refusals, _ := b.Place(&r); p != nil || len(refusals) != 3 {
		t.Errorf("a fourth was placed: %v", p)
	}
}

func TestFargateSharesTheLedger(t *testing.T) {
	i := instance(1, 2048, 4096, 0)
	i.FargateCPUOvercommit = 4
	b := NewBoard([]*cluster.Instance{i}, nil, asSubject)
	got := layout(t, b, Request{Demand: cluster.Demand{CPU: 1024, Memory: 1024}, Fargate: true}, 3)
	if got["i-0001"] != 3 || b.Usage(0).CPU != 768 || b.Usage(0).Memory != 3072 {
		t.Errorf("got %v with %+v", got, b.Usage(0))
	}
	if p, _, _ := b.Place(&Request{Demand: cluster.Demand{CPU: 128, Memory: 2048}}); p != nil {
		t.Error("memory was given twice")
	}
}

// TestPlaceAgreesWithOracle checks each decision, alone and in a series, against a
// search that knows nothing of columns and heaps, and that no decision ever gives
// more than there is.
func TestPlaceAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var instances []*cluster.Instance
		for n := range rapid.IntRange(1, 8).Draw(r, "instances") {
			i := instance(n, rapid.IntRange(0, 8).Draw(r, "cpu")*256, rapid.IntRange(0, 8).Draw(r, "memory")*256, rapid.IntRange(0, 2).Draw(r, "gpus"),
				zone(rapid.SampledFrom([]string{"a", "b"}).Draw(r, "zone")))
			i.Connected = rapid.IntRange(0, 5).Draw(r, "connected") > 0
			instances = append(instances, i)
		}
		b, o := NewBoard(instances, nil, asSubject), newOracle(instances)
		var requests []*Request
		var series []*Series
		for range rapid.IntRange(1, 3).Draw(r, "requests") {
			req := drawRequest(r)
			s, err := b.Series(req)
			if err != nil {
				r.Fatal(err)
			}
			requests, series = append(requests, req), append(series, s)
		}
		for range rapid.IntRange(1, 20).Draw(r, "tasks") {
			which := rapid.IntRange(0, len(requests)-1).Draw(r, "which")
			req := requests[which]
			place := func() (*Placement, []Refusal) { return series[which].Place(0) }
			if rapid.IntRange(0, 4).Draw(r, "alone") == 0 {
				place = func() (*Placement, []Refusal) { p, refusals, _ := b.Place(req); return p, refusals }
			}
			p, refusals := place()
			want := o.place(req)
			switch {
			case p == nil && want >= 0:
				r.Fatalf("refused what fits on %s: %+v", instances[want].ARN, refusals)
			case p == nil && len(refusals) != len(instances):
				r.Fatalf("%d refusals for %d instances", len(refusals), len(instances))
			case p == nil:
				for _, f := range refusals {
					if f.Reason == "" {
						r.Fatalf("unexplained refusal of %s", f.InstanceARN)
					}
				}
			case want < 0 || p.Instance != instances[want]:
				r.Fatalf("placed on %s, oracle says %d", p.Instance.ARN, want)
			case len(p.Held.GPUs) != req.Demand.GPUs:
				r.Fatalf("asked for %d GPUs, got %v", req.Demand.GPUs, p.Held.GPUs)
			}
		}
		for i, inst := range instances {
			u := b.Usage(i)
			if u.CPU > inst.Registered.CPU || u.Memory > inst.Registered.Memory || len(u.GPUs) > len(inst.Registered.GPUs) || hasTwins(u.PortsTCP) || hasTwins(u.GPUs) {
				r.Fatalf("over-committed: %+v of %+v", u, inst.Registered)
			}
		}
	})
}

func hasTwins[T int | string](xs []T) bool {
	ys := slices.Clone(xs)
	slices.Sort(ys)
	return len(slices.Compact(ys)) != len(xs)
}

func drawRequest(r *rapid.T) *Request {
	req := &Request{
		Group: rapid.SampledFrom([]string{"family:x", "family:y"}).Draw(r, "group"),
		Demand: cluster.Demand{
			CPU: rapid.IntRange(0, 4).Draw(r, "cpu") * 128, Memory: rapid.IntRange(1, 4).Draw(r, "memory") * 128,
			GPUs: rapid.IntRange(0, 1).Draw(r, "gpus"),
		},
	}
	if rapid.Bool().Draw(r, "port") {
		req.Demand.PortsTCP = []int{rapid.IntRange(80, 82).Draw(r, "number")}
	}
	if rapid.IntRange(0, 3).Draw(r, "distinct") == 0 {
		req.Constraints = append(req.Constraints, workload.Constraint{Type: "distinctInstance"})
	}
	if rapid.IntRange(0, 3).Draw(r, "member") == 0 {
		req.Constraints = append(req.Constraints, workload.Constraint{Type: "memberOf", Expression: "attribute:ecs.availability-zone == a"})
	}
	for range rapid.IntRange(0, 2).Draw(r, "strategies") {
		req.Strategy = append(req.Strategy, rapid.SampledFrom([]workload.Strategy{
			{Type: "spread", Field: "instanceId"}, {Type: "spread", Field: "attribute:ecs.availability-zone"},
			{Type: "binpack", Field: "cpu"}, {Type: "binpack", Field: "memory"},
		}).Draw(r, "strategy"))
	}
	return req
}

// oracle places by looking at the list of tasks placed so far, each time anew.
type oracle struct {
	instances []*cluster.Instance
	placed    []*Request
	where     []int
}

func newOracle(instances []*cluster.Instance) *oracle { return &oracle{instances: instances} }

func (o *oracle) place(r *Request) int {
	best, bestScore := -1, ""
	for i := range o.instances {
		if !o.fits(i, r) {
			continue
		}
		if score := o.score(i, r); best < 0 || score < bestScore {
			best, bestScore = i, score
		}
	}
	if best >= 0 {
		o.placed, o.where = append(o.placed, r), append(o.where, best)
	}
	return best
}

func (o *oracle) left(i int) (cpu, memory, gpus, tasks int) {
	reg := o.instances[i].Registered
	cpu, memory, gpus = reg.CPU, reg.Memory, len(reg.GPUs)
	for t, at := range o.where {
		if at == i {
			d := o.placed[t].Demand
			cpu, memory, gpus, tasks = cpu-d.CPU, memory-d.Memory, gpus-d.GPUs, tasks+1
		}
	}
	return
}

func (o *oracle) fits(i int, r *Request) bool {
	cpu, memory, gpus, _ := o.left(i)
	if !o.instances[i].Connected || cpu < r.Demand.CPU || memory < r.Demand.Memory || gpus < r.Demand.GPUs {
		return false
	}
	for t, at := range o.where {
		if at != i {
			continue
		}
		if len(r.Demand.PortsTCP) > 0 && slices.Equal(o.placed[t].Demand.PortsTCP, r.Demand.PortsTCP) {
			return false
		}
		if o.placed[t].Group == r.Group && slices.ContainsFunc(r.Constraints, func(c workload.Constraint) bool { return c.Type == "distinctInstance" }) {
			return false
		}
	}
	z, _ := o.instances[i].Attribute("ecs.availability-zone")
	return z == "a" || !slices.ContainsFunc(r.Constraints, func(c workload.Constraint) bool { return c.Type == "memberOf" })
}

// score is text that sorts as the strategies order.
func (o *oracle) score(i int, r *Request) string {
	cpu, memory, _, tasks := o.left(i)
	var b strings.Builder
	for _, s := range r.Strategy {
		n := 0
		switch {
		case s.Field == "cpu":
			n = cpu
		case s.Field == "memory":
			n = memory
		default:
			for t, at := range o.where {
				same := at == i
				if s.Field != "instanceId" {
					x, _ := o.instances[at].Attribute("ecs.availability-zone")
					y, _ := o.instances[i].Attribute("ecs.availability-zone")
					same = x == y
				}
				if same && o.placed[t].Group == r.Group {
					n++
				}
			}
		}
		fmt.Fprintf(&b, "%09d ", n)
	}
	fmt.Fprintf(&b, "%09d %s", tasks, o.instances[i].ARN)
	return b.String()
}

func many(n int) []*cluster.Instance {
	var out []*cluster.Instance
	for i := range n {
		out = append(out, instance(i, 1<<20, 1<<20, i%3, zone(string(rune('a'+i%3)))))
	}
	return out
}

func BenchmarkPlace(b *testing.B) {
	for _, n := range []int{5000, 10000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			board := NewBoard(many(n), nil, asSubject)
			requests := []Request{
				{Demand: cluster.Demand{CPU: 256, Memory: 512}, Group: "service:a", Strategy: []workload.Strategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}, {Type: "binpack", Field: "memory"}}},
				{Demand: cluster.Demand{CPU: 128, Memory: 128, PortsTCP: []int{8080}}, Group: "service:b", Strategy: []workload.Strategy{{Type: "spread", Field: "instanceId"}}},
				{Demand: cluster.Demand{CPU: 128, Memory: 128}, Group: "service:c", Constraints: []workload.Constraint{{Type: "memberOf", Expression: "attribute:ecs.availability-zone in [a,b]"}}},
			}
			perCore := decisions(b)
			for i := 0; b.Loop(); i++ {
				r := requests[i%len(requests)]
				if len(r.Demand.PortsTCP) > 0 {
					r.Demand.PortsTCP = []int{1000 + i%30000}
				}
				if p, _, err := board.Place(&r); err != nil || p == nil {
					b.Fatal("not placed", err)
				}
			}
			perCore()
		})
	}
}

// BenchmarkSeries is a service of 5,000 tasks, the board of its instances made
// anew for each. One operation is one decision.
func BenchmarkSeries(b *testing.B) {
	instances := many(5000)
	r := Request{
		Demand: cluster.Demand{CPU: 256, Memory: 512}, Group: "service:a",
		Strategy: []workload.Strategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}, {Type: "spread", Field: "instanceId"}},
	}
	perCore := decisions(b)
	for left := b.N; left > 0; left -= 5000 {
		s, err := NewBoard(instances, nil, asSubject).Series(&r)
		if err != nil {
			b.Fatal(err)
		}
		for range min(left, 5000) {
			if p, _ := s.Place(0); p == nil {
				b.Fatal("not placed")
			}
		}
	}
	perCore()
}

// decisions reports, when called, how many were made in a second of CPU, the
// collector's included: what a busy machine does not change.
func decisions(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64(b.N)/(used()-before).Seconds(), "decisions/s-a-core") }
}
