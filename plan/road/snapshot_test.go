package road

import (
	"context"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

func lease(id, ip, instance, owner string, kind network.InterfaceKind) *network.Interface {
	return &network.Interface{Scope: scope, ID: id, VPCID: "vpc-1", Zone: "us-east-1a", PrivateIP: netip.MustParseAddr(ip), InstanceARN: instance, Owner: owner, Kind: kind}
}

func view(t *testing.T, fill func(tx *store.Tx)) *store.View {
	t.Helper()
	s := memory.Open()
	if _, err := s.Update(context.Background(), func(tx *store.Tx) error { fill(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	return s.View()
}

func forward(groups ...string) []balancer.Action {
	f := &balancer.ForwardAction{}
	for _, g := range groups {
		f.Groups = append(f.Groups, balancer.Weighted{GroupARN: g, Weight: 1})
	}
	return []balancer.Action{{Type: balancer.Forward, Forward: f}}
}

func TestWhereTargetsAre(t *testing.T) {
	v := view(t, func(tx *store.Tx) {
		store.Interfaces.Put(tx, lease("eni-1", "10.0.0.4", "i", "", network.ForTask))
		gone := lease("eni-2", "10.0.0.5", "i", "", network.ForTask)
		gone.ReleasedAt = began
		store.Interfaces.Put(tx, gone)
		elsewhere := lease("eni-3", "10.0.0.6", "i", "", network.ForTask)
		elsewhere.VPCID = "vpc-2"
		store.Interfaces.Put(tx, elsewhere)
		store.Interfaces.Put(tx, lease("eni-4", "10.0.0.7", "i", "alb", network.ForBalancer))
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: "alb", VPCID: "vpc-1", Kind: balancer.Application, Zones: []balancer.Zone{{Name: "us-east-1b", InterfaceID: "eni-9"}, {Name: "us-east-1a", InterfaceID: "eni-4"}}})
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: "alb-2", VPCID: "vpc-2", Kind: balancer.Application, Zones: []balancer.Zone{{InterfaceID: "eni-4"}}})
		store.Instances.Put(tx, &cluster.Instance{Scope: scope, ARN: "old", EC2ID: "i-1", DeregisteredAt: began, Attributes: []workload.Attribute{{Name: "berth.private-ip", Value: "192.0.2.1"}}})
		store.Instances.Put(tx, &cluster.Instance{Scope: scope, ARN: "now", EC2ID: "i-1", Zone: "us-east-1c", Attributes: []workload.Attribute{{Name: "berth.private-ip", Value: "192.0.2.2"}}})
	})
	for _, c := range []struct{ kind, id, want string }{
		{"ip", "10.0.0.4", "10.0.0.4:80 us-east-1a"},
		{"ip", "10.0.0.5", ""}, // given back
		{"ip", "10.0.0.6", ""}, // of another VPC
		{"ip", "10.0.0.99", ""},
		{"ip", "127.0.0.1", ""},
		{"ip", "169.254.169.254", ""},
		{"ip", "nonsense", ""},
		{"instance", "i-1", "192.0.2.2:80 us-east-1c"},
		{"instance", "i-2", ""},
		{"alb", "alb", "10.0.0.7:80 us-east-1a"},
		{"alb", "alb-2", ""},
		{"lambda", "f", ""},
	} {
		g := &balancer.TargetGroup{Scope: scope, VPCID: "vpc-1", TargetType: c.kind}
		p, ok := PlaceOf(v, g, &balancer.Target{ID: c.id, Port: 80})
		got := ""
		if ok {
			got = p.At.String() + " " + p.Zone
		}
		if got != c.want {
			t.Errorf("%s %s is at %q, want %q", c.kind, c.id, got, c.want)
		}
	}
}

func TestSnapshotHasWhatItsEdgeNeedsAndNoMore(t *testing.T) {
	fill := func(tx *store.Tx) {
		store.Interfaces.Put(tx, lease("eni-n2", "10.0.0.11", "here", "nlb", network.ForBalancer))
		store.Interfaces.Put(tx, lease("eni-n1", "10.0.0.10", "here", "nlb", network.ForBalancer))
		store.Interfaces.Put(tx, lease("eni-o", "10.0.0.12", "there", "other", network.ForBalancer))
		store.Interfaces.Put(tx, lease("eni-e", "10.9.0.4", "here", "vpce-1", network.ForEndpoint))
		store.Interfaces.Put(tx, lease("eni-p", "10.9.0.5", "here", "vpce-2", network.ForEndpoint))
		store.Interfaces.Put(tx, lease("eni-t", "10.0.0.4", "there", "", network.ForTask))
		for _, b := range []string{"nlb", "other"} {
			store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: b, Name: b, VPCID: "vpc-1", Kind: balancer.Network})
		}
		store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: "l2", BalancerARN: "nlb", Port: 443, Default: forward("g2"), Certificates: []string{"c"}, MutualAuth: &balancer.MutualAuth{TrustStoreARN: "ts"}})
		store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: "l1", BalancerARN: "nlb", Port: 80, Default: forward("g1")})
		store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: "l3", BalancerARN: "other", Port: 80, Default: forward("g9")})
		store.ListenerRules.Put(tx, &balancer.Rule{Scope: scope, ARN: "r2", ListenerARN: "l1", Priority: 20})
		store.ListenerRules.Put(tx, &balancer.Rule{Scope: scope, ARN: "r1", ListenerARN: "l1", Priority: 3, Actions: forward("g3")})
		for _, g := range []string{"g1", "g2", "g3", "g9"} {
			store.TargetGroups.Put(tx, &balancer.TargetGroup{Scope: scope, ARN: g, VPCID: "vpc-1", TargetType: "ip"})
		}
		store.Targets.Put(tx, &balancer.Target{Scope: scope, GroupARN: "g1", ID: "10.0.0.4", Port: 81, Since: began})
		store.Targets.Put(tx, &balancer.Target{Scope: scope, GroupARN: "g1", ID: "10.0.0.4", Port: 80, Since: began.Add(1), DrainingSince: began})
		store.Targets.Put(tx, &balancer.Target{Scope: scope, GroupARN: "g1", ID: "10.0.0.99", Port: 80})
		store.TargetHealth.Put(tx, &balancer.Health{Target: "g1 10.0.0.4 80", Reports: map[string]balancer.Report{"here": {State: balancer.Healthy}, "a": {State: balancer.Unhealthy}}})
		store.Certificates.Put(tx, &balancer.Certificate{ARN: "c", Key: []byte("sealed")})
		store.Certificates.Put(tx, &balancer.Certificate{ARN: "d"})
		store.TrustStores.Put(tx, &balancer.TrustStore{ARN: "ts"})
		store.EndpointServices.Put(tx, &network.EndpointService{Scope: scope, ID: "vpce-svc-1", Name: "svc", Balancers: []string{"nlb", "other"}})
		store.Endpoints.Put(tx, &network.Endpoint{Scope: scope, ID: "vpce-1", ServiceName: "svc", State: "available"})
		store.Endpoints.Put(tx, &network.Endpoint{Scope: scope, ID: "vpce-2", ServiceName: "svc", State: "pendingAcceptance"})
	}
	s := SnapshotOf(view(t, fill), "here")
	got := struct{ Fronts, Nodes, Ports, Rules, Pools, Targets, Certificates, Trust, Links []string }{}
	for _, f := range s.Fronts {
		got.Fronts = append(got.Fronts, f.Balancer.ARN)
		for _, n := range f.Nodes {
			got.Nodes = append(got.Nodes, n.InterfaceID+" "+n.Address.String())
		}
		for _, l := range f.Listeners {
			got.Ports = append(got.Ports, l.Listener.ARN)
			for _, r := range l.Rules {
				got.Rules = append(got.Rules, r.ARN)
			}
		}
	}
	for _, p := range s.Pools {
		got.Pools = append(got.Pools, p.Group.ARN)
		for _, x := range p.Targets {
			text, _ := json.Marshal([]any{x.Address, x.Draining, x.Seen})
			got.Targets = append(got.Targets, string(text))
		}
	}
	for _, c := range s.Certificates {
		got.Certificates = append(got.Certificates, c.ARN)
	}
	for _, x := range s.TrustStores {
		got.Trust = append(got.Trust, x.ARN)
	}
	for _, l := range s.Links {
		got.Links = append(got.Links, l.EndpointID+" "+l.BalancerARN+" "+l.Nodes[0].InterfaceID)
	}
	want := got
	want.Fronts, want.Nodes = []string{"nlb"}, []string{"eni-n1 10.0.0.10", "eni-n2 10.0.0.11"}
	want.Ports, want.Rules, want.Pools = []string{"l1", "l2"}, []string{"r1", "r2"}, []string{"g1", "g2", "g3"}
	want.Targets = []string{`["10.0.0.4:81",false,"initial"]`, `["10.0.0.4:80",true,"healthy"]`}
	want.Certificates, want.Trust, want.Links = []string{"c"}, []string{"ts"}, []string{"vpce-1 nlb eni-e"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if again := SnapshotOf(view(t, fill), "here"); !reflect.DeepEqual(s, again) {
		t.Error("the same state gave another snapshot")
	}
	if idle := SnapshotOf(view(t, fill), "nobody"); len(idle.Fronts)+len(idle.Pools)+len(idle.Certificates) != 0 {
		t.Errorf("an edge without nodes got %+v", idle)
	}
}
