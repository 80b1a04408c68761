package edges

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	agent = identity.Principal{Account: scope.Account, Agent: true, InstanceARN: "here"}
)

const albARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/0123"

type harbor struct {
	t *testing.T
	store.Store
	*Edges
	measured []metric.Datum
	kept     []balancer.Lines
}

func open(t *testing.T) *harbor {
	h := &harbor{t: t, Store: memory.Open()}
	h.Edges = New(Config{
		Store: h.Store, Now: func() time.Time { return began },
		Unseal: func(_ *store.View, s *balancer.Snapshot) {
			s.Certificates = slices.Clone(s.Certificates)
			s.Certificates[0].Key = []byte("plain")
		},
		Measure: func(_ arn.Scope, d []metric.Datum) error { h.measured = append(h.measured, d...); return nil },
		Keep: func(_ context.Context, _ *balancer.Balancer, l *balancer.Lines) error {
			h.kept = append(h.kept, *l)
			return nil
		},
	})
	h.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &cluster.Instance{Scope: scope, ARN: "here", Joined: true, Attributes: []workload.Attribute{{Name: "berth.edge", Value: "true"}}})
		store.Instances.Put(tx, &cluster.Instance{Scope: scope, ARN: "bare", Joined: true})
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-n", VPCID: "v", Kind: network.ForBalancer, Owner: albARN, InstanceARN: "here", PrivateIP: netip.MustParseAddr("10.0.0.10")})
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-t", VPCID: "v", PrivateIP: netip.MustParseAddr("10.0.0.4")})
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: albARN, Kind: balancer.Application})
		store.Listeners.Put(tx, &balancer.Listener{ARN: "l", BalancerARN: albARN, Port: 443, Certificates: []string{"c"}, Default: []balancer.Action{{Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: "g"}}}}}})
		store.Certificates.Put(tx, &balancer.Certificate{ARN: "c", Key: []byte("sealed")})
		store.TargetGroups.Put(tx, &balancer.TargetGroup{Scope: scope, ARN: "g", VPCID: "v", TargetType: balancer.TargetIP})
		store.Targets.Put(tx, &balancer.Target{Scope: scope, GroupARN: "g", ID: "10.0.0.4", Port: 80})
	})
	return h
}

func (h *harbor) update(change func(tx *store.Tx)) {
	h.t.Helper()
	if _, err := h.Store.Update(context.Background(), func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harbor) call(serve func(http.ResponseWriter, *http.Request, identity.Principal), who identity.Principal, query string, in, out any) int {
	h.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		h.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	serve(w, httptest.NewRequest("POST", "/"+query, bytes.NewReader(body)), who)
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			h.t.Fatalf("%v: %s", err, w.Body)
		}
	}
	return w.Code
}

func TestOnlyTheAgentOfAnEdgeIsTold(t *testing.T) {
	h := open(t)
	for name, who := range map[string]identity.Principal{
		"an administrator":      {Kind: identity.Root, Account: scope.Account},
		"a task on the host":    {Account: scope.Account, TaskARN: "t", Agent: true, InstanceARN: "here"},
		"an agent that is none": {Account: scope.Account, Agent: true, InstanceARN: "bare"},
		"another account":       {Account: "111111111111", Agent: true, InstanceARN: "here"},
		"the instance's role":   {Account: scope.Account, InstanceARN: "here"},
	} {
		if code := h.call(h.ServeSnapshot, who, "?after=0", nil, nil); code != 403 && code != 400 {
			t.Errorf("%s got %d", name, code)
		}
	}
}

// A poll answers when there is something new, and only then; health is none.
func TestSnapshotsComeWhenTheyAreNew(t *testing.T) {
	h := open(t)
	var first, second *balancer.Snapshot
	h.call(h.ServeSnapshot, agent, "?after=0", nil, &first)
	if first == nil || string(first.Certificates[0].Key) != "plain" || first.Pools[0].Targets[0].Address.String() != "10.0.0.4:80" {
		t.Fatalf("got %+v", first)
	}
	answer := make(chan *balancer.Snapshot)
	go func() { answer <- h.wait(t.Context(), "here", first.Revision) }()
	h.update(func(tx *store.Tx) {
		store.TargetHealth.Put(tx, &balancer.Health{Target: "g 10.0.0.4 80", Reports: map[string]balancer.Report{"here": {State: balancer.Healthy}}})
		i, _ := store.Instances.Get(tx, "here")
		next := *i
		next.Version++
		store.Instances.Put(tx, &next)
	})
	h.update(func(tx *store.Tx) {
		store.Targets.Put(tx, &balancer.Target{Scope: scope, GroupARN: "g", ID: "10.0.0.4", Port: 81})
	})
	if second = <-answer; len(second.Pools[0].Targets) != 2 || second.Revision == first.Revision || second.Pools[0].Targets[0].Seen != balancer.Healthy {
		t.Errorf("got %+v", second)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if s := h.wait(over, "here", second.Revision); s != nil {
		t.Errorf("told twice: %+v", s)
	}
	if c, _ := store.Certificates.Get(h.View(), "c"); string(c.Key) != "sealed" {
		t.Error("the record in the store was opened")
	}
}

func TestHealthIsWrittenWhenItIsNews(t *testing.T) {
	h := open(t)
	report := func(target string, state balancer.State, at time.Time) {
		t.Helper()
		in := balancer.EdgeReport{Edge: "liar", Health: []balancer.TargetReport{{Target: target, Report: balancer.Report{State: state, At: at}}}, Wake: []string{"g"}}
		if code := h.call(h.ServeReport, agent, "", in, nil); code != 200 {
			t.Fatalf("got %d", code)
		}
	}
	report("g 10.0.0.4 80", balancer.Healthy, began)
	rev := h.View().Revision()
	report("g 10.0.0.4 80", balancer.Healthy, began.Add(time.Second))
	report("g 10.0.0.4 80", balancer.DrainingOut, began)
	report("other 10.0.0.4 80", balancer.Healthy, began)
	if now := h.View().Revision(); now != rev {
		t.Errorf("%d writes without news", now-rev)
	}
	report("g 10.0.0.4 80", balancer.Unhealthy, began)
	x, _ := store.TargetHealth.Get(h.View(), "g 10.0.0.4 80")
	if want := map[string]balancer.Report{"here": {State: balancer.Unhealthy, At: began}}; !reflect.DeepEqual(x.Reports, want) {
		t.Errorf("got %+v", x.Reports)
	}
}

// TestHeldRequestsWake lets an edge wake a service that sleeps behind its balancer,
// and no other.
func TestHeldRequestsWake(t *testing.T) {
	h := open(t)
	for _, group := range []string{"g", "elsewhere"} {
		h.update(func(tx *store.Tx) {
			store.Services.Put(tx, &service.Service{
				ARN: group, Status: service.Active, Asleep: true, Deployments: []service.Deployment{{ID: "d", Status: service.Primary}},
				Spec: service.Spec{Template: service.Template{Balancers: []service.Balancer{{GroupARN: group}}}},
			})
		})
	}
	if code := h.call(h.ServeReport, agent, "", balancer.EdgeReport{Wake: []string{"g", "elsewhere"}}, nil); code != 200 {
		t.Fatalf("got %d", code)
	}
	for group, want := range map[string]int{"g": 1, "elsewhere": 0} {
		if s, _ := store.Services.Get(h.View(), group); s.Spec.Desired != want {
			t.Errorf("%s wants %d tasks, not %d", group, s.Spec.Desired, want)
		}
	}
}

func TestCountsAndLinesAreOfCarriedBalancersOnly(t *testing.T) {
	h := open(t)
	h.call(h.ServeCounts, agent, "", []balancer.Count{
		{BalancerARN: albARN, GroupARN: "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/g/45", Zone: "us-east-1a", Name: "RequestCount", At: began, Set: metric.One(1)},
		{BalancerARN: albARN, GroupARN: "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/g/45", Name: "RequestCountPerTarget", At: began, Set: metric.One(1)},
		{BalancerARN: "other", Name: "RequestCount", At: began, Set: metric.One(1)},
	}, nil)
	var got []string
	for _, d := range h.measured {
		text := d.Metric.Namespace + " " + d.Metric.Name
		for _, x := range d.Metric.Dimensions {
			text += " " + x.Name + "=" + x.Value
		}
		got = append(got, text)
	}
	want := []string{
		"AWS/ApplicationELB RequestCount LoadBalancer=app/web/0123 TargetGroup=targetgroup/g/45",
		"AWS/ApplicationELB RequestCount AvailabilityZone=us-east-1a LoadBalancer=app/web/0123 TargetGroup=targetgroup/g/45",
		"AWS/ApplicationELB RequestCountPerTarget LoadBalancer=app/web/0123 TargetGroup=targetgroup/g/45",
		"AWS/ApplicationELB RequestCountPerTarget TargetGroup=targetgroup/g/45",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if code := h.call(h.ServeLines, agent, "", balancer.Lines{BalancerARN: albARN, Text: []byte("x")}, nil); code != 200 || len(h.kept) != 1 {
		t.Errorf("got %d, kept %v", code, h.kept)
	}
	if code := h.call(h.ServeLines, agent, "", balancer.Lines{BalancerARN: "other"}, nil); code == 200 {
		t.Error("lines of a balancer elsewhere were taken")
	}
}
