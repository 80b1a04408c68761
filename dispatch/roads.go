package dispatch

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// roads is what a session told its host of VPCs. A state is made anew only for VPCs
// that a change touches, and sent only where it differs.
type roads struct {
	told    map[string]*network.State // by the network.Key of the VPC
	touched map[string]bool
	rest    *time.Timer // runs while states may not be made; nil for good where they are not told
	resting bool
}

// shortRest is the least time between two rounds of a session. It grows with what a
// round costs all sessions together: they may take half a processor.
const shortRest = 5 * time.Millisecond

// topics are the tables that a host's VPCs follow from. What an instance says of its
// own address is looked at with every heartbeat.
func (s *session) topics() []store.Topic {
	topics := []store.Topic{
		store.Tasks.TopicBy(store.TasksByInstance, s.instance), store.Instances.TopicBy(store.InstancesByEC2ID, s.ec2ID),
	}
	if !s.ours {
		return topics
	}
	return append(topics, store.Interfaces.Topic(), store.SecurityGroups.Topic(), store.VPCs.Topic(), store.RouteTables.Topic(),
		store.InternetGateways.Topic(), store.NATGateways.Topic(), store.Addresses.Topic(), store.PrefixLists.Topic(),
		store.Balancers.Topic(), store.Endpoints.Topic(), store.EndpointServices.Topic(),
		store.Namespaces.Topic(), store.Discoveries.Topic(), store.DiscoveryInstances.Topic(),
		store.Services.TopicBy(store.ServicesExpress, store.Express))
}

// survey tells a fresh session all VPCs its host has to do with.
func (s *session) survey(ctx context.Context, v *store.View) error {
	if !s.ours {
		return nil
	}
	m := acs.NetworkStates{MessageID: newID(), States: []network.State{}, Complete: true}
	for _, key := range road.VPCsOf(v, s.instance) {
		s.roads.told[key] = road.StateOf(v, s.instance, key)
		m.States = append(m.States, *s.roads.told[key])
	}
	return s.send(ctx, acs.TypeNetworkStates, m)
}

// touch notes the VPCs whose state an event may change.
func (s *session) touch(e store.Event) {
	for _, record := range []any{e.Old, e.New} {
		switch r := record.(type) {
		case *network.Interface:
			if r != nil && (r.InstanceARN == s.instance || s.knows(network.Key(r.Scope, r.VPCID))) {
				s.roads.touched[network.Key(r.Scope, r.VPCID)] = true
			}
		case *network.SecurityGroup:
			if r != nil && s.knows(network.Key(r.Scope, r.VPCID)) {
				s.roads.touched[network.Key(r.Scope, r.VPCID)] = true
			}
		case *network.VPC:
			if r != nil && s.knows(network.Key(r.Scope, r.ID)) {
				s.roads.touched[network.Key(r.Scope, r.ID)] = true
			}
		case *network.RouteTable, *network.InternetGateway, *network.NATGateway, *network.Address, *network.PrefixList:
			s.touchAll()
		}
	}
}

func (s *session) knows(vpc string) bool { return s.roads.told[vpc] != nil }

func (s *session) touchAll() {
	for vpc := range s.roads.told {
		s.roads.touched[vpc] = true
	}
}

// pave tells what differs of the VPCs that were touched, or waits until the session
// has rested.
func (s *session) pave(ctx context.Context) error {
	if len(s.roads.touched) == 0 || s.roads.resting {
		return nil
	}
	start, v := time.Now(), s.d.Store.View()
	m := acs.NetworkStates{MessageID: newID()}
	carried := road.VPCsOf(v, s.instance)
	for vpc := range s.roads.touched {
		now := road.StateOf(v, s.instance, vpc)
		if before := s.roads.told[vpc]; before == nil || !reflect.DeepEqual(before, now) {
			m.States = append(m.States, *now)
		}
		s.roads.told[vpc] = now
		if !slices.Contains(carried, vpc) {
			delete(s.roads.told, vpc)
		}
	}
	clear(s.roads.touched)
	s.roads.resting = true
	s.roads.rest.Reset(max(shortRest, 2*time.Since(start)*time.Duration(s.d.Connected())))
	if len(m.States) == 0 {
		return nil
	}
	return s.send(ctx, acs.TypeNetworkStates, m)
}
