package dispatch

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// names is what a session told its host of names: zones are sent only where they differ.
type names struct {
	told    map[string]*discovery.Zone // by the network.Key of the VPC; the host's own under ""
	stale   bool                       // something changed that zones follow from
	rest    *time.Timer                // runs while zones may not be made
	resting bool
}

// zones are those of one state of the store, which all sessions share: a zone is
// the same on every host.
type zones struct {
	mu       sync.Mutex
	revision store.Revision
	made     map[string]*discovery.Zone
}

func (z *zones) of(v *store.View, vpc string) *discovery.Zone {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.made == nil || z.revision != v.Revision() {
		z.made, z.revision = map[string]*discovery.Zone{}, v.Revision()
	}
	if z.made[vpc] == nil {
		z.made[vpc] = road.ZoneOf(v, vpc)
	}
	return z.made[vpc]
}

// zonesHere are the keys of the zones that the host needs: its own, its default VPC's,
// in which tasks without an interface ask, and those of the VPCs it carries.
func (s *session) zonesHere(r store.Reader) []string {
	keys := append(road.VPCsOf(r, s.instance), "")
	if i, ok := store.Instances.Get(r, s.instance); ok {
		for vpc := range store.VPCs.Prefix(r, network.Key(i.Scope, "")) {
			if vpc.Default {
				keys = append(keys, network.Key(vpc.Scope, vpc.ID))
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// spellAll tells a fresh session all zones.
func (s *session) spellAll(ctx context.Context, v *store.View) error {
	if !s.ours {
		return nil
	}
	m := acs.Zones{MessageID: newID(), Complete: true}
	for _, key := range s.zonesHere(v) {
		s.names.told[key] = s.d.zones.of(v, key)
		m.Zones = append(m.Zones, *s.names.told[key])
	}
	return s.send(ctx, acs.TypeZones, m)
}

// noteNames notes an event that zones here may follow from: besides names, an interface
// or a VPC that brings a zone with it.
func (s *session) noteNames(e store.Event) {
	for _, record := range []any{e.Old, e.New} {
		switch r := record.(type) {
		case *network.VPC:
			s.names.stale = true
		case *network.Interface:
			if r != nil && r.InstanceARN == s.instance && s.names.told[network.Key(r.Scope, r.VPCID)] == nil {
				s.names.stale = true
			}
		}
		s.names.stale = s.names.stale || road.HasNames(record)
	}
}

// spell tells the zones that differ, or waits until the session has rested.
func (s *session) spell(ctx context.Context) error {
	if !s.ours || !s.names.stale || s.names.resting {
		return nil
	}
	start, v := time.Now(), s.d.Store.View()
	m := acs.Zones{MessageID: newID()}
	told := map[string]*discovery.Zone{}
	for _, key := range s.zonesHere(v) {
		told[key] = s.d.zones.of(v, key)
		if before := s.names.told[key]; before == nil || !reflect.DeepEqual(before, told[key]) {
			m.Zones = append(m.Zones, *told[key])
		}
	}
	s.names.told, s.names.stale, s.names.resting = told, false, true
	s.names.rest.Reset(max(shortRest, 2*time.Since(start)*time.Duration(s.d.Connected())))
	if len(m.Zones) == 0 {
		return nil
	}
	return s.send(ctx, acs.TypeZones, m)
}
