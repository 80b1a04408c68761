package edge

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plane/edge/spacetest"
	"github.com/berthhq/berth/store"
)

const (
	webAddress = "10.0.0.11"
	albARN     = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/alb/1"
)

// site adds an Application balancer with two web servers to a shore.
func site(t *testing.T, s *shore) *http.Client {
	t.Helper()
	s.EndAt(webAddress, filepath.Join(s.spaces, "eni-w"))
	for _, at := range []string{target1, target2} {
		l := spacetest.Inside(t, s.Ends[at], func() (net.Listener, error) { return net.Listen("tcp", at+":80") })
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, at, " ", r.Header.Get("X-Forwarded-For")) })}
		go server.Serve(l)
		t.Cleanup(func() { server.Close() })
	}
	s.update(func(tx *store.Tx) {
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-w", VPCID: "v", Zone: "a", Kind: network.ForBalancer, Owner: albARN, InstanceARN: "here", PrivateIP: netip.MustParseAddr(webAddress)})
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: albARN, Name: "alb", VPCID: "v", Kind: balancer.Application})
		store.TargetGroups.Put(tx, &balancer.TargetGroup{Scope: scope, ARN: "web", VPCID: "v", Protocol: "HTTP", ProtocolVersion: "HTTP1", TargetType: balancer.TargetIP, HealthCheck: balancer.HealthCheck{
			Enabled: true, Protocol: "HTTP", Path: "/", Matcher: "200", Port: balancer.TrafficPort, Interval: 5, Timeout: 2, Healthy: 2, Unhealthy: 2,
		}})
		store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: "lweb", BalancerARN: albARN, Port: 80, Protocol: "HTTP", Default: []balancer.Action{
			{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: "web", Weight: 1}}}},
		}})
		store.Targets.Put(tx, &balancer.Target{Scope: scope, GroupARN: "web", ID: target1, Port: 80, Zone: "a"})
	})
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: from(s.Ends[client1])}}
}

func from(s *space.Space) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(_ context.Context, network, address string) (net.Conn, error) {
		return spacetest.Dial(s, network, address)
	}
}

func get(c *http.Client) (string, error) {
	r, err := c.Get("http://" + webAddress + "/")
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, text)
	}
	return string(text), err
}

// Proves 4A.1 and 4A.3: an Application balancer leads to healthy targets, and while
// targets come and go and one edge after the other takes over no request fails.
func TestAnApplicationBalancerThroughUpgradesAndRollouts(t *testing.T) {
	s := newShore(t)
	c := site(t, s)
	_, first := s.run()
	s.eventually("the balancer answers", func() bool { _, err := get(c); return err == nil })
	if text, _ := get(c); text != target1+" "+client1 {
		t.Errorf("got %q", text)
	}
	s.eventually("the target is told healthy", func() bool {
		h, ok := store.TargetHealth.Get(s.View(), "web "+target1+" 80")
		return ok && h.Reports["here"].State == balancer.Healthy
	})
	var over atomic.Bool
	var made atomic.Int64
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for !over.Load() {
				if _, err := get(c); err != nil {
					t.Error(err)
					return
				}
				made.Add(1)
			}
		})
	}
	target := func(at string, draining bool) {
		s.update(func(tx *store.Tx) {
			x := &balancer.Target{Scope: scope, GroupARN: "web", ID: at, Port: 80, Zone: "a"}
			if draining {
				x.DrainingSince = time.Now()
			}
			store.Targets.Put(tx, x)
		})
	}
	target(target2, false)
	s.eventually("the second target answers", func() bool { text, _ := get(c); return text == target2+" "+client1 })
	target(target1, true)
	s.eventually("the first is idle", func() bool {
		h, _ := store.TargetHealth.Get(s.View(), "web "+target1+" 80")
		return h.Reports["here"].Idle
	})
	_, second := s.run()
	<-first
	s.run()
	<-second
	for until := made.Load() + 100; made.Load() < until && !t.Failed(); {
		get(c)
	}
	over.Store(true)
	askers.Wait()
	t.Logf("%d requests", made.Load())
}
