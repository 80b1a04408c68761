package edge

import (
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plane/edge/spacetest"
	"github.com/berthhq/berth/store"
)

// Proves 4B.2: a consumer's network reaches the service by the endpoint alone, and only
// while its connection is accepted. The service sees the balancer's node.
func TestAnEndpointLeadsIntoAnotherNetwork(t *testing.T) {
	s := newShore(t)
	consumer := spacetest.New(t)
	consumer.EndAt(endpointAddress, filepath.Join(s.spaces, "eni-e"))
	from := consumer.End("10.9.0.20")
	state := func(now string) {
		s.update(func(tx *store.Tx) {
			store.Endpoints.Put(tx, &network.Endpoint{Scope: scope, ID: "vpce-1", VPCID: "w", ServiceName: "svc", State: now})
		})
	}
	s.update(func(tx *store.Tx) {
		store.EndpointServices.Put(tx, &network.EndpointService{Scope: scope, ID: "vpce-svc-1", Name: "svc", Balancers: []string{"nlb"}})
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-e", VPCID: "w", Zone: "a", Kind: network.ForEndpoint, Owner: "vpce-1", InstanceARN: "here", PrivateIP: netip.MustParseAddr(endpointAddress)})
	})
	state("pendingAcceptance")
	s.run()
	s.eventually("the balancer answers", s.answers(80))
	if answer, err := spacetest.Ask(from, endpointAddress+":80"); err == nil {
		t.Errorf("an endpoint that was not accepted answered %q", answer)
	}
	state("available")
	var answer string
	s.eventually("the endpoint answers", func() (ok bool) {
		var err error
		answer, err = spacetest.Ask(from, endpointAddress+":80")
		return err == nil
	})
	if want := target1 + " " + nodeAddress + " hello"; answer != want {
		t.Errorf("got %q, want %q", answer, want)
	}
	s.update(func(tx *store.Tx) {
		g := *must(store.TargetGroups.Get(tx, "kernel"))
		g.ARN, g.Protocol = "packets", "UDP"
		store.TargetGroups.Put(tx, &g)
		l := *must(store.Listeners.Get(tx, "lkernel"))
		l.ARN, l.Protocol, l.Port = "lpackets", "UDP", 82
		l.Default = []balancer.Action{{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: "packets"}}}}}
		store.Listeners.Put(tx, &l)
	})
	s.target("packets", target1, false)
	s.eventually("packets go through the endpoint", func() bool {
		c, err := spacetest.Dial(from, "udp", endpointAddress+":82")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		packet := make([]byte, 100)
		_ = c.SetReadDeadline(time.Now().Add(time.Second)) // it is asked again
		if _, err := c.Write([]byte("hello")); err != nil {
			return false
		}
		n, err := c.Read(packet)
		if err == nil && string(packet[:n]) != target1+" "+nodeAddress {
			t.Fatalf("got %q", packet[:n])
		}
		return err == nil
	})
	if _, err := spacetest.Ask(from, target1+":8080"); err == nil {
		t.Error("the target is reached past the endpoint")
	}
	open, err := spacetest.Dial(from, "tcp", endpointAddress+":80")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	state("rejected")
	s.eventually("the endpoint is closed", func() bool {
		_, err := spacetest.Ask(from, endpointAddress+":80")
		return err != nil
	})
	if answer, err := spacetest.Say(open, "still"); err == nil {
		t.Errorf("a connection outlived the rejection: %q", answer)
	}
}

// must is what is known to be there.
func must[T any](found *T, _ bool) *T { return found }
