package sim

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/dispatch"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// server is the control plane: one process, that may die and start again.
type server struct {
	w        *world
	up       bool
	life     int // counts starts: what an earlier life planned does not happen
	leader   *store.Leader
	handlers map[string]gateway.Handler
	loop     *control.Loop
	sessions []*session
	skew     time.Duration

	planners   []plan.Planner // as they are when nothing comes between
	stepped    store.Revision // what the planners have seen
	looked     time.Time      // when they looked last, by the server's clock
	restless   time.Time      // until when one of them may have put off what it has to do
	stepAt     time.Time      // when they look next; zero for not at all
	thinking   bool           // a planner is at work: no other begins
	pumpWaits  bool
	background context.Context
}

var defaultRange = netip.MustParsePrefix("172.31.0.0/16")

// start opens the store from disk and does what a server does first.
func (s *server) start() {
	s.background = context.Background()
	leader, err := store.Lead(s.background, s.w.disk)
	if err != nil {
		s.w.expect(fmt.Errorf("the server cannot start: %w", err))
		return
	}
	s.up, s.leader = true, leader
	s.life++
	s.skew = s.w.between(0, s.w.faults.skew)
	s.sessions, s.stepped, s.stepAt, s.pumpWaits, s.thinking, s.restless = nil, 0, time.Time{}, false, false, time.Time{}
	s.handlers = ecs.New(ecs.Config{Store: leader, NewID: s.w.newID}).Operations()
	s.planners = control.Planners(control.Options{NewID: s.w.newID})
	s.loop = control.New(leader, s.interrupted(slices.Clone(s.planners)), s.troubles()).Begin(s.now())
	d := dispatch.New(dispatch.Config{Store: leader, Log: slog.New(slog.DiscardHandler), Now: s.now})
	for _, begin := range []func() error{s.ensureCluster, s.ensureNetwork, func() error { return d.Reset(s.background) }} {
		if err := begin(); err != nil && !s.w.disk.dead {
			s.w.after(time.Second, s.restart) // as a supervisor would
			s.up = false
			return
		}
	}
	if !s.w.disk.dead {
		s.w.expect(s.w.laws.unconnected(leader.View()))
	}
	s.stir()
}

func (s *server) restart() {
	if !s.up {
		s.w.disk.dead, s.w.disk.dying = false, false
		s.w.say("server starts")
		s.start()
	}
}

// crash ends the process: only what is on disk stays.
func (s *server) crash() {
	s.w.crashes++
	s.w.say("server crashes")
	s.up = false
	for _, x := range s.sessions {
		x.stream.breakUp(latencyMax)
	}
	s.sessions = nil
	s.w.after(s.w.between(10*time.Millisecond, max(time.Second, s.w.faults.outage)), s.restart)
}

func (s *server) now() time.Time { return s.w.now.Add(s.skew) }

func (s *server) ensureCluster() error {
	_, err := s.leader.Update(s.background, func(tx *store.Tx) error {
		if _, ok := store.Clusters.Get(tx, scope.Cluster("default")); !ok {
			store.Clusters.Put(tx, &cluster.Cluster{Scope: scope, ARN: scope.Cluster("default"), Name: "default", Status: cluster.Active})
		}
		return nil
	})
	return err
}

// ensureNetwork makes the default VPC, but with subnets of few addresses, so that
// they are used again and again and, in half the worlds, run out.
func (s *server) ensureNetwork() error {
	if _, err := ec2.EnsureDefaultVPC(s.background, s.leader, scope, defaultRange); err != nil {
		return err
	}
	_, err := s.leader.Update(s.background, func(tx *store.Tx) error {
		for have := range store.Subnets.All(tx) {
			small := *have
			small.CIDR = netip.PrefixFrom(have.CIDR.Addr(), s.w.subnetBits)
			store.Subnets.Put(tx, &small)
		}
		return nil
	})
	return err
}

// call answers one request as the gateway would have it answered: the caller is
// who the stored key says.
func (s *server) call(keyID, operation string, in any) (any, error) {
	key, ok := store.AccessKeys.Get(s.leader.View(), keyID)
	if !ok {
		return nil, fault.New(fault.UnrecognizedClient, "The security token included in the request is invalid.")
	}
	call := &gateway.Call{
		Service: "ecs", Operation: operation, Scope: scope, Principal: key.Principal, KeyID: keyID, Now: s.now(), Endpoint: "http://sim",
	}
	before := s.leader.View().Revision()
	out, err := s.handlers[operation](s.background, call, in)
	if fault.IsKind(err, fault.Unavailable) && s.leader.View().Revision() != before {
		s.w.expect(fmt.Errorf("%s was answered with %w, yet something was changed", operation, err))
	}
	s.stir()
	return out, err
}

// grant stores a key, as joining or the first start does. It is false when the
// server cannot.
func (s *server) grant(id string, who identity.Principal) bool {
	if !s.up {
		return false
	}
	_, err := s.leader.Update(s.background, func(tx *store.Tx) error {
		store.AccessKeys.Put(tx, &identity.AccessKey{ID: id, Principal: who, Active: true})
		return nil
	})
	return err == nil
}

// later does something unless the process has ended meanwhile.
func (s *server) later(d time.Duration, do func()) {
	life := s.life
	s.w.after(d, func() {
		if s.up && s.life == life {
			do()
		}
	})
}
