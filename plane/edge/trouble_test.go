package edge

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// TestWhatAnEdgeCannotCarryIsTold has the control plane know why, for as long as it is so.
func TestWhatAnEdgeCannotCarryIsTold(t *testing.T) {
	s := newShore(t)
	t.Setenv("PATH", t.TempDir()) // where there is no haproxy
	node := &network.Interface{Scope: scope, ID: "eni-n", VPCID: "v", Zone: "a", Kind: network.ForBalancer, Owner: "other", InstanceARN: "here", PrivateIP: netip.MustParseAddr(nodeAddress)}
	b := balancer.Balancer{Scope: scope, ARN: "other", Name: "other", VPCID: "v", Kind: balancer.Application, Engine: balancer.EngineHAProxy}
	s.update(func(tx *store.Tx) {
		store.Interfaces.Put(tx, node)
		store.Balancers.Put(tx, &b)
	})
	s.run()
	s.eventually("the reason is told", func() bool {
		told, ok := store.Troubles.Get(s.View(), "other")
		return ok && strings.Contains(told.Reasons["here"], "haproxy is not installed")
	})
	b.Engine = balancer.EngineBerth
	s.update(func(tx *store.Tx) { store.Balancers.Put(tx, &b) })
	s.eventually("the trouble is over", func() bool {
		_, ok := store.Troubles.Get(s.View(), "other")
		return !ok
	})
}
