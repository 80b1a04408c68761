package network

import (
	"github.com/berthhq/berth/agent/network/ruleset"
)

// rules describes the router's table whole.
func (r *Router) rules(d *ruleset.Draft) {
	var known, services, egress, ingress []ruleset.Element
	clear(r.groups)
	for _, e := range r.ends {
		r.newGroups(d, e)
	}
	for _, e := range r.ends {
		known = append(known, ruleset.End(e.link, e.address))
		if e.secured {
			e.membership(d.Add)
			e.chains(d)
			egress = append(egress, ruleset.JumpFor(e.link, e.egressChain()))
			ingress = append(ingress, ruleset.JumpFor(e.link, e.ingressChain()))
		}
	}
	for _, a := range r.serviceAddresses() {
		services = append(services, ruleset.Address(a))
	}
	d.Set("ends", ruleset.Ends(), known...)
	d.Set("services", ruleset.Addresses(), services...)
	d.Set("egress", ruleset.Jumps(), egress...)
	d.Set("ingress", ruleset.Jumps(), ingress...)

	// What comes from a task carries that task's address, or ends here.
	d.Base("raw", ruleset.Raw)
	d.Rule("raw", ruleset.In(uplinkName), ruleset.Accept())
	d.Rule("raw", ruleset.In("lo"), ruleset.Accept())
	d.Rule("raw", ruleset.KnownEnd("ends"), ruleset.Accept())
	d.Rule("raw", ruleset.Drop())

	d.Base("input", ruleset.Input)
	d.Rule("input", ruleset.Established(), ruleset.Accept())
	d.Rule("input", ruleset.In("lo"), ruleset.Accept())
	d.Rule("input", ruleset.NotIn(uplinkName), ruleset.ToSet("services"), ruleset.Accept())
	d.Rule("input", ruleset.Refuse())

	r.forwardRules(d)

	d.Base("leave", ruleset.NATOut)
	if r.VPC != "" && !r.hostReaches {
		// The host does not know these addresses; another VPC may have them too.
		d.Rule("leave", ruleset.Out(uplinkName), ruleset.Masquerade())
	}
}

func (r *Router) forwardRules(d *ruleset.Draft) {
	d.Base("forward", ruleset.Forward)
	for _, p := range append(cloudMetadata(), loopback()) {
		d.Rule("forward", ruleset.To(p), ruleset.Refuse())
	}
	d.Rule("forward", ruleset.Established(), ruleset.Accept())
	d.Rule("forward", ruleset.JumpIn("egress"))
	atHost, _ := uplinkEnds(r.host.private, r.number)
	d.Rule("forward", ruleset.In(uplinkName), ruleset.FromOne(atHost), ruleset.Accept()) // the host itself
	d.Rule("forward", ruleset.JumpOut("ingress"))
}
