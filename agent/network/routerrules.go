package network

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"

	"github.com/berthhq/berth/agent/network/ruleset"
	"github.com/berthhq/berth/domain/network"
)

// written is what a router's table has of what changes.
type written struct {
	sets  ruleset.Contents
	ends  map[string]securityRules // of the ends that have chains, by link
	marks []mark
}

// wanted is what the table is to have, as ends and state are now.
func (r *Router) wanted() written {
	w := written{sets: ruleset.Contents{}, ends: map[string]securityRules{}, marks: r.marks()}
	r.traffic(w.sets)
	r.exits(w.sets)
	w.sets.Put("callers", ruleset.Addresses())
	w.sets.Put("egressof", ruleset.Departures())
	for link, e := range r.ends {
		w.sets.Put("ends", ruleset.Ends(), ruleset.End(link, e.address))
		w.sets.Put("callers", ruleset.Addresses(), ruleset.Address(e.address))
		if !e.secured {
			continue
		}
		w.sets.Put("egressof", ruleset.Departures(), ruleset.DepartureFor(e.address, e.egressChain()))
		w.ends[link] = e.rules
		w.sets.Put("egress", ruleset.Jumps(), ruleset.JumpFor(link, e.egressChain()))
		w.sets.Put("ingress", ruleset.Jumps(), ruleset.JumpFor(link, e.ingressChain()))
		for _, group := range e.named() {
			if _, done := w.sets[membersSet(group)]; done {
				continue
			}
			w.sets.Put(membersSet(group), ruleset.Addresses())
			for a := range r.members(group) {
				w.sets.Put(membersSet(group), ruleset.Addresses(), ruleset.Address(a))
			}
		}
	}
	return w
}

// traffic declares the sets that the standing rules name.
func (r *Router) traffic(sets ruleset.Contents) {
	sets.Put("ends", ruleset.Ends())
	sets.Put("free", ruleset.Links())
	sets.Put("egress", ruleset.Jumps())
	sets.Put("ingress", ruleset.Jumps())
	for _, e := range r.ends {
		if e.told != nil && e.told.Unchecked {
			sets.Put("free", ruleset.Links(), ruleset.Link(e.link))
		}
	}
	if r.state == nil {
		return
	}
	for _, p := range r.state.Peers {
		for _, a := range p.Addresses {
			sets.Put("ends", ruleset.Ends(), ruleset.End(tunnelName, a))
		}
	}
	if slices.ContainsFunc(r.state.Peers, func(p network.PeerHost) bool { return p.Unchecked }) {
		sets.Put("free", ruleset.Links(), ruleset.Link(tunnelName))
	}
}

// settle brings the table to what is wanted, in one transaction. r.mu is held.
func (r *Router) settle() error {
	for _, e := range r.ends {
		r.follow(e)
	}
	err := r.table.Change(func(d *ruleset.Draft) {
		have, want := r.have, r.wanted()
		d.Make(have.sets, want.sets)
		for link, rules := range want.ends {
			e := r.ends[link]
			before, old := have.ends[link]
			switch {
			case !old:
				d.Chain(e.ingressChain())
				d.Chain(e.egressChain())
			case reflect.DeepEqual(before, rules):
				continue
			default:
				d.Clear(e.ingressChain())
				d.Clear(e.egressChain())
			}
			e.chains(d)
		}
		d.Become(have.sets, want.sets)
		for link := range have.ends {
			if _, still := want.ends[link]; !still {
				gone := end{link: link}
				d.DropChain(gone.egressChain())
				d.DropChain(gone.ingressChain())
			}
		}
		if !slices.Equal(have.marks, want.marks) {
			d.Clear("mark")
			markRules(d, want.marks)
		}
		for name, c := range have.sets { // they stay, empty
			if _, named := want.sets[name]; !named {
				want.sets.Put(name, c.Kind)
			}
		}
		r.have = want
	})
	return errors.Join(err, r.surroundings())
}

// rules describes the router's table whole.
func (r *Router) rules(d *ruleset.Draft) {
	want := r.wanted()
	for name, c := range want.sets {
		d.Set(name, c.Kind)
	}
	for link := range want.ends {
		e := r.ends[link]
		d.Chain(e.ingressChain())
		d.Chain(e.egressChain())
		e.chains(d)
	}
	d.Become(nil, want.sets)
	var services []ruleset.Element
	for _, a := range r.serviceAddresses() {
		services = append(services, ruleset.Address(a))
	}
	d.Set("services", ruleset.Addresses(), services...)
	d.Set("ranges", ruleset.Prefixes(), r.rangeElements()...)

	// What comes from a task carries that task's address, and what comes from another
	// host one of that host's, or it ends here.
	d.Base("raw", ruleset.Raw)
	d.Rule("raw", ruleset.In(uplinkName), ruleset.Accept())
	d.Rule("raw", ruleset.In("lo"), ruleset.Accept())
	d.Rule("raw", ruleset.KnownEnd("ends"), ruleset.Accept())
	d.Rule("raw", ruleset.InSet("free"), ruleset.Accept())
	d.Rule("raw", ruleset.Drop())

	d.Base("mark", ruleset.Mangle)
	markRules(d, want.marks)

	d.Base("input", ruleset.Input)
	d.Rule("input", ruleset.Established(), ruleset.Accept())
	d.Rule("input", ruleset.In("lo"), ruleset.Accept())
	d.Rule("input", ruleset.In(tunnelName), ruleset.Drop())
	d.Rule("input", ruleset.NotIn(uplinkName), ruleset.ToSet("services"), ruleset.Accept())
	d.Rule("input", ruleset.NotIn(uplinkName), ruleset.To(netip.MustParsePrefix(Callable)), ruleset.Accept())
	d.Rule("input", ruleset.Refuse())

	r.forwardRules(d)
	r.callRules(d)
	r.exitRules(d)
	r.have = want
}

// forwardRules judge what passes. Known connections go on when the rule that admitted
// them is revoked, as AWS's tracked ones do. The host itself is an address outside
// the VPC like any other.
func (r *Router) forwardRules(d *ruleset.Draft) {
	d.Base("forward", ruleset.Forward)
	for _, p := range append(cloudMetadata(), loopback()) {
		d.Rule("forward", ruleset.To(p), ruleset.Refuse())
	}
	d.Rule("forward", ruleset.Established(), ruleset.Accept())
	for _, from := range []string{uplinkName, tunnelName} {
		for _, to := range []string{uplinkName, tunnelName} {
			d.Rule("forward", ruleset.In(from), ruleset.Out(to), ruleset.Drop())
		}
	}
	d.Rule("forward", ruleset.JumpIn("egress"))
	if r.VPC != "" {
		d.Rule("forward", ruleset.Out(uplinkName), ruleset.NotToSet("ranges"), ruleset.NotFromSet("leavers"), ruleset.Refuse())
	}
	d.Rule("forward", ruleset.JumpOut("ingress"))
}
