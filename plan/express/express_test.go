package express_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/express"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// town is a store with a VPC of public subnets a, b and c and private ones p and q.
type town struct {
	t     *testing.T
	store store.Store
	ids   int
}

func open(t *testing.T) *town {
	w := &town{t: t, store: memory.Open()}
	w.update(func(tx *store.Tx) {
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/16")})
		store.InternetGateways.Put(tx, &network.InternetGateway{Scope: scope, ID: "igw-1", VPCID: "vpc-1"})
		store.RouteTables.Put(tx, &network.RouteTable{Scope: scope, ID: "rtb-main", VPCID: "vpc-1", Associations: []network.Association{{ID: "main", Main: true}}})
		out := &network.RouteTable{Scope: scope, ID: "rtb-out", VPCID: "vpc-1", Routes: []network.Route{{To: network.World, Gateway: "igw-1"}}}
		for n, id := range []string{"a", "b", "c", "p", "q"} {
			store.Subnets.Put(tx, &network.Subnet{Scope: scope, ID: id, VPCID: "vpc-1", Zone: "eu-central-1" + id, CIDR: netip.MustParsePrefix(fmt.Sprintf("10.0.%d.0/24", n))})
			if n < 3 {
				out.Associations = append(out.Associations, network.Association{ID: "to-" + id, SubnetID: id})
			}
		}
		store.RouteTables.Put(tx, out)
	})
	return w
}

func (w *town) update(fn func(*store.Tx)) {
	w.t.Helper()
	if _, err := w.store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) newID() string {
	w.ids++
	return fmt.Sprintf("%08x%024x", w.ids, w.ids)
}

// balance stores a balancer with a node in each of the subnets.
func balance(tx *store.Tx, b *balancer.Balancer, subnets []*network.Subnet, now time.Time) error {
	b.VPCID = subnets[0].VPCID
	for _, s := range subnets {
		i, err := lease.Take(tx, s, network.Interface{Kind: network.ForBalancer, Owner: b.ARN, SecurityGroups: b.SecurityGroups}, now)
		if err != nil {
			return err
		}
		b.Zones = append(b.Zones, balancer.Zone{Name: s.Zone, SubnetID: s.ID, InterfaceID: i.ID})
	}
	store.Balancers.Put(tx, b)
	return nil
}

// found makes a service with its way in.
func (w *town) found(name string, subnets ...string) *service.Service {
	w.t.Helper()
	s := &service.Service{Scope: scope, ARN: scope.Service("default", name), Name: name, Status: service.Active}
	w.update(func(tx *store.Tx) {
		c := &balancer.Certificate{Scope: scope, ARN: scope.Of("acm", "certificate/"+name), Domain: express.Host(scope, name, w.newID())}
		store.Certificates.Put(tx, c)
		m := express.Maker{Balance: balance, NewID: w.newID}
		in, err := m.Make(tx, &express.Wish{Scope: scope, Cluster: "default", Name: name, Subnets: subnets, Port: 80, HealthCheckPath: "/ping", Certificate: c}, began)
		if err != nil {
			w.t.Fatal(err)
		}
		s.Spec.Template.Express = &service.Express{Ingress: in}
		store.Services.Put(tx, s)
	})
	return s
}

func (w *town) delete(s *service.Service) {
	w.update(func(tx *store.Tx) {
		next := *s
		next.Status = service.Inactive
		store.Services.Put(tx, &next)
	})
	w.step()
}

// step lets the planner look until it has nothing more to do.
func (w *town) step() {
	w.t.Helper()
	loop := control.New(w.store, []plan.Planner{express.Planner()}, nil)
	for range 4 {
		if _, err := loop.Step(w.t.Context(), began); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestServicesShareABalancer(t *testing.T) {
	w := open(t)
	first := w.found("first", "a", "b").Spec.Template.Express.Ingress
	other := w.found("other", "a", "b", "c").Spec.Template.Express.Ingress
	inside := w.found("inside", "p", "q").Spec.Template.Express.Ingress
	if first.BalancerARN == other.BalancerARN || first.BalancerARN == inside.BalancerARN || !first.Public || inside.Public {
		t.Errorf("%+v\n%+v\n%+v", first, other, inside)
	}
	for n := 2; n <= 26; n++ {
		in := w.found(fmt.Sprint("more", n), "b", "a").Spec.Template.Express.Ingress
		if shared := in.BalancerARN == first.BalancerARN; shared != (n <= 25) {
			t.Errorf("service %d: %+v", n, in)
		}
	}
	v := w.store.View()
	l, _ := store.Listeners.Get(v, first.ListenerARN)
	priorities := map[int]bool{}
	for r := range store.ListenerRules.By(v, store.RulesByListener, l.ARN) {
		priorities[r.Priority] = true
	}
	if len(l.Certificates) != 25 || len(priorities) != 25 {
		t.Errorf("%d certificates, %d priorities", len(l.Certificates), len(priorities))
	}
	if b, _ := store.Balancers.Get(v, inside.BalancerARN); b.Scheme != balancer.Internal {
		t.Errorf("%+v", b)
	}
	if g, _ := store.SecurityGroups.Get(v, network.Key(scope, inside.BalancerGroup)); g.Ingress[0].CIDR != "10.0.0.0/16" {
		t.Errorf("%+v", g)
	}
}

func TestTheLastServiceTakesTheBalancerWithIt(t *testing.T) {
	w := open(t)
	first, second := w.found("first", "a", "b"), w.found("second", "a", "b")
	in := second.Spec.Template.Express.Ingress
	w.update(func(tx *store.Tx) { // a task of the second, whose host still carries it
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-task", VPCID: "vpc-1", SecurityGroups: []string{in.ServiceGroup}})
	})
	w.delete(first)
	v := w.store.View()
	l, ok := store.Listeners.Get(v, in.ListenerARN)
	if !ok || !slices.Equal(l.Certificates, []string{in.CertificateARN}) || express.Remains(v, first.ARN) {
		t.Errorf("after the first went: %+v", l)
	}
	w.delete(second)
	if v = w.store.View(); !express.Remains(v, second.ARN) {
		t.Error("its last task still holds its security group")
	}
	if _, ok := store.Balancers.Get(v, in.BalancerARN); ok {
		t.Error("the balancer is there")
	}
	w.update(func(tx *store.Tx) { store.Interfaces.Delete(tx, network.Key(scope, "eni-task")) })
	w.step()
	v = w.store.View()
	if express.Remains(v, second.ARN) {
		t.Error("something remains")
	}
	for g := range store.SecurityGroups.All(v) {
		t.Errorf("%+v", g)
	}
	for i := range store.Interfaces.All(v) {
		t.Errorf("%+v", i)
	}
}

func TestTheBalancerReachesTheTasksThatAreThere(t *testing.T) {
	w := open(t)
	in := w.found("first", "a", "b").Spec.Template.Express.Ingress
	own := network.Rule{ID: "sgr-own", Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: network.World}
	w.update(func(tx *store.Tx) {
		have, _ := store.SecurityGroups.Get(tx, network.Key(scope, in.ServiceGroup))
		next := *have
		next.Ingress = append(next.Ingress, own)
		store.SecurityGroups.Put(tx, &next)
	})
	for _, c := range []struct{ ports, want []int }{{[]int{8080, 80}, []int{80, 22, 8080}}, {[]int{8080}, []int{22, 8080}}, {[]int{8080}, []int{22, 8080}}} {
		w.update(func(tx *store.Tx) { express.Admit(tx, scope, in, c.ports) })
		g, _ := store.SecurityGroups.Get(w.store.View(), network.Key(scope, in.ServiceGroup))
		var got []int
		for _, r := range g.Ingress {
			got = append(got, r.FromPort)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("ports %v: admits %v, want %v", c.ports, got, c.want)
		}
	}
}
