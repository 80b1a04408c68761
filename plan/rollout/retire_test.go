package rollout_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
)

// calls says that a service is called by an alias, in the Cloud Map service of the name.
func calls(name, alias string) *service.Connect {
	return &service.Connect{Enabled: true, NamespaceID: "ns-1", Services: []service.ConnectService{{
		PortName: name, RegistryARN: name, Aliases: []service.ConnectAlias{{Port: 80, DNSName: alias}},
	}}}
}

// TestNamesFollowTheirService deletes names that no deployment has any more, and keeps
// what the others say in line with the deployment that is wanted.
func TestNamesFollowTheirService(t *testing.T) {
	w := settle(t, service.Spec{Controller: service.ControllerECS})
	name := func(name, owner, alias string) {
		w.update(func(tx *store.Tx) {
			store.Discoveries.Put(tx, &discovery.Service{Scope: country, ID: name, ARN: name, NamespaceID: "ns-1", Name: name, Connect: &discovery.Connect{Owner: owner, Alias: alias, Port: 80}})
		})
	}
	w.update(func(tx *store.Tx) {
		store.Namespaces.Put(tx, &discovery.Namespace{Scope: country, ID: "ns-1", Name: "shop"})
		store.DiscoveryInstances.Put(tx, &discovery.Instance{Scope: country, ServiceID: "old", ID: "left"})
	})
	deploy := func(c *service.Connect) {
		w.change(func(tx *store.Tx, s *service.Service) {
			s.Spec.Template.Connect = c
			rollout.Begin(tx, s, w.id, w.now)
		})
		w.pass(time.Minute)
	}
	names := func() string {
		var all []string
		for d := range store.Discoveries.All(w.store.View()) {
			all = append(all, fmt.Sprint(d.Name, "=", d.Connect.Alias))
		}
		return strings.Join(all, " ")
	}
	is := func(want string) {
		t.Helper()
		if got := names(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	name("old", w.arn(), "old")
	name("other", "another service", "other")
	name("web", w.arn(), "as it was")
	deploy(calls("web", "front"))
	is("other=other web=front")
	if store.DiscoveryInstances.Len(w.store.View()) != 0 {
		t.Error("an instance is left of a service that is gone")
	}
	deploy(nil)
	is("other=other")
	name("web", w.arn(), "front")
	deploy(calls("web", ""))
	is("other=other web=web.shop")
	w.change(func(_ *store.Tx, s *service.Service) { s.Status = service.Draining })
	w.pass(time.Minute)
	is("other=other")
}
