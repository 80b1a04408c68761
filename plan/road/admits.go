package road

import (
	"net/netip"
	"slices"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// Admits tells whether the security groups of an interface let another of its VPC in
// at a TCP port. One without groups admits all.
func Admits(r store.Reader, to, from *network.Interface, port int) bool {
	for _, id := range to.SecurityGroups {
		g, ok := store.SecurityGroups.Get(r, network.Key(to.Scope, id))
		if ok && slices.ContainsFunc(resolved(r, g, g.Ingress), func(rule network.Rule) bool { return covers(&rule, port) && names(&rule, from) }) {
			return true
		}
	}
	return len(to.SecurityGroups) == 0
}

func covers(rule *network.Rule, port int) bool {
	return rule.Protocol == "-1" || rule.Protocol == "tcp" && rule.FromPort <= port && port <= rule.ToPort
}

// names tells whether a rule is for packets of an interface.
func names(rule *network.Rule, from *network.Interface) bool {
	if rule.Group != "" {
		return slices.Contains(from.SecurityGroups, rule.Group)
	}
	p, err := netip.ParsePrefix(rule.CIDR)
	return err == nil && p.Contains(from.PrivateIP)
}

// AdmitsAnyone tells whether some rule of the groups is about a TCP port.
func AdmitsAnyone(r store.Reader, i *network.Interface, port int) bool {
	for _, id := range i.SecurityGroups {
		g, ok := store.SecurityGroups.Get(r, network.Key(i.Scope, id))
		if ok && slices.ContainsFunc(g.Ingress, func(rule network.Rule) bool { return covers(&rule, port) }) {
			return true
		}
	}
	return len(i.SecurityGroups) == 0
}
