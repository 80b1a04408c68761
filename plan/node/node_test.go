package node_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/node"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// host writes NAME/ZONE, with + for connected, - for silent since began, ! for
// draining, ? for one without an edge.
func host(text string) *cluster.Instance {
	name, rest, _ := strings.Cut(text, "/")
	i := &cluster.Instance{
		Scope: scope, ARN: name, Zone: rest[:1], Status: cluster.InstanceActive, Joined: true, Connected: true,
		Attributes: []workload.Attribute{{Name: "berth.edge", Value: "true"}},
	}
	switch rest[1:] {
	case "-":
		i.Connected, i.DisconnectedAt = false, began
	case "!":
		i.Status = cluster.Draining
	case "?":
		i.Attributes = nil
	case "gone":
		i.Connected, i.Status, i.DeregisteredAt = false, cluster.InstanceInactive, began
	case "stranger":
		i.Joined = false
	}
	return i
}

func TestWhereNodesGo(t *testing.T) {
	for _, c := range []struct {
		name  string
		hosts string
		nodes string // NAME/ZONE/OWNER[@HOST]
		after time.Duration
		want  string
	}{
		{"of their zone", "h1/a h2/b", "n1/a/x n2/b/x n3/a/y", 0, "n1@h1 n2@h2 n3@h1"},
		{"spread", "h1/a h2/a h3/a", "n1/a/x n2/a/x n3/a/y", 0, "n1@h1 n2@h2 n3@h3"},
		{"any zone rather than none", "h1/a", "n1/b/x", 0, "n1@h1"},
		{"stay where they are", "h1/a h2/a", "n1/a/x@h2 n2/a/x@h2", 0, "n1@h2 n2@h2"},
		{"not without an edge", "h1/a? h2/b", "n1/a/x", 0, "n1@h2"},
		{"not on a host that did not join", "h1/astranger", "n1/a/x", 0, "n1@"},
		{"none is new on a draining host", "h1/a! h2/b", "n1/a/x n2/a/x@h1", 0, "n1@h2 n2@h1"},
		{"a silent host keeps them a while", "h1/a- h2/a", "n1/a/x@h1", 9 * time.Second, "n1@h1"},
		{"but not for long", "h1/a- h2/a", "n1/a/x@h1", 10 * time.Second, "n1@h2"},
		{"and gets none", "h1/a- h2/b", "n1/a/x", time.Second, "n1@h2"},
		{"unless there is no other", "h1/a-", "n1/a/x@h1", time.Hour, "n1@h1"},
		{"a host that is gone loses them at once", "h1/agone h2/a", "n1/a/x@h1", 0, "n1@h2"},
		{"an endpoint is beside its balancer", "h1/a h2/b", "n1/b/x e1/a/vpce", 0, "e1@h2 n1@h2"},
		{"and follows it", "h1/a h2/b", "n1/b/x@h2 e1/a/vpce@h1", 0, "e1@h2 n1@h2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := memory.Open()
			if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
				for _, h := range strings.Fields(c.hosts) {
					store.Instances.Put(tx, host(h))
				}
				for n, text := range strings.Fields(c.nodes) {
					place, at, _ := strings.Cut(text, "@")
					part := strings.Split(place, "/")
					kind := network.ForBalancer
					if part[0][0] == 'e' {
						kind = network.ForEndpoint
					}
					store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: part[0], Zone: part[1], Owner: part[2], Kind: kind, InstanceARN: at, PrivateIP: netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})})
				}
				store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "task", TaskARN: "t", InstanceARN: "nowhere"})
				store.Endpoints.Put(tx, &network.Endpoint{Scope: scope, ID: "vpce", ServiceName: "svc"})
				store.EndpointServices.Put(tx, &network.EndpointService{Scope: scope, ID: "s", Name: "svc", Balancers: []string{"x"}})
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			step(t, s, began.Add(c.after))
			var got []string
			for i := range store.Interfaces.All(s.View()) {
				if i.Kind != network.ForTask {
					got = append(got, i.ID+"@"+i.InstanceARN)
				}
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

func step(t *testing.T, s store.Store, now time.Time) {
	t.Helper()
	if _, err := control.New(s, []plan.Planner{node.Planner(node.Options{})}, nil).Step(context.Background(), now); err != nil {
		t.Fatal(err)
	}
}

func TestHealthOfWhatIsGoneIsForgotten(t *testing.T) {
	s := memory.Open()
	reports := map[string]balancer.Report{"h1": {State: balancer.Healthy}, "h2": {State: balancer.Unhealthy}}
	if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
		store.Instances.Put(tx, host("h1/a"))
		store.Instances.Put(tx, host("h2/a"))
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "n", Kind: network.ForBalancer, InstanceARN: "h1"})
		x := balancer.Target{GroupARN: "g", ID: "10.0.0.4", Port: 80}
		store.Targets.Put(tx, &x)
		store.TargetHealth.Put(tx, &balancer.Health{Target: x.Key(), Reports: reports})
		store.TargetHealth.Put(tx, &balancer.Health{Target: "g 10.0.0.5 80", Reports: reports})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	step(t, s, began)
	var got []string
	for h := range store.TargetHealth.All(s.View()) {
		got = append(got, fmt.Sprint(h.Target, slices.Sorted(maps.Keys(h.Reports))))
	}
	if text := strings.Join(got, " "); text != "g 10.0.0.4 80[h1]" {
		t.Errorf("got %s", text)
	}
}
