package network

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/ruleset"
	"github.com/berthhq/berth/domain/network"
)

// exits says who may leave the VPC and under which address, and who is reached by
// another address or port than its own.
func (r *Router) exits(sets ruleset.Contents) {
	sets.Put("leavers", ruleset.Addresses())
	sets.Put("public", ruleset.Twins())
	sets.Put("outside", ruleset.Twins())
	sets.Put("doors", ruleset.Doors())
	for _, e := range r.ends {
		if e.told != nil {
			for _, door := range e.told.Doors {
				sets.Put("doors", ruleset.Doors(), ruleset.Door(e.address, door.At, door.To))
			}
		}
		if e.told == nil || e.told.Exit != network.ExitNone {
			sets.Put("leavers", ruleset.Addresses(), ruleset.Address(e.address))
		}
		if a := r.publicOf(e); a.IsValid() {
			sets.Put("public", ruleset.Twins(), ruleset.Twin(a, e.address))
		}
		if a := r.outsideOf(e); a.IsValid() {
			sets.Put("outside", ruleset.Twins(), ruleset.Twin(e.address, a))
		}
	}
}

// publicOf is the address under which the world finds the end; invalid for none.
func (r *Router) publicOf(e *end) netip.Addr {
	if e.told == nil || e.told.Exit != network.ExitIGW {
		return netip.Addr{}
	}
	return e.told.Public
}

// outsideOf is the address that the end's packets carry outside; invalid for the
// host's. A private NAT gateway's address is the VPC's own, which nobody outside
// could answer.
func (r *Router) outsideOf(e *end) netip.Addr {
	if e.told == nil || e.told.Exit != network.ExitNAT || r.contains(e.told.ExitAddress) {
		return r.publicOf(e)
	}
	return e.told.ExitAddress
}

// ranges are those of the VPC.
func (r *Router) ranges() []netip.Prefix {
	if r.state != nil && len(r.state.Ranges) > 0 {
		return r.state.Ranges
	}
	return []netip.Prefix{r.Range}
}

func (r *Router) contains(a netip.Addr) bool {
	for _, p := range r.ranges() {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func (r *Router) rangeElements() []ruleset.Element {
	var all []ruleset.Element
	for _, p := range r.ranges() {
		all = append(all, ruleset.Prefix(p))
	}
	return all
}

// exitRules translate addresses at the border of the VPC.
func (r *Router) exitRules(d *ruleset.Draft) {
	d.Base("arrive", ruleset.NATIn)
	d.Rule("arrive", ruleset.BecomeTo("public"))
	d.Rule("arrive", ruleset.Protocol(unix.IPPROTO_TCP), ruleset.Enter("doors"))
	d.Base("arriveby", ruleset.NATOutput)
	d.Rule("arriveby", ruleset.Protocol(unix.IPPROTO_TCP), ruleset.Enter("doors"))
	d.Base("leave", ruleset.NATOut)
	if r.VPC == "" {
		return
	}
	d.Rule("leave", ruleset.Out(uplinkName), ruleset.NotToSet("ranges"), ruleset.BecomeFrom("outside"))
	if !r.hostReaches {
		// The host does not know these addresses; another VPC may have them too.
		d.Rule("leave", ruleset.Out(uplinkName), ruleset.Masquerade())
	}
}
