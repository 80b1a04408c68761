package road

import (
	"cmp"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/route"
)

// VPCsOf are the VPCs, by network.Key, of which an instance carries interfaces.
func VPCsOf(r store.Reader, instanceARN string) []string {
	found := map[string]bool{}
	for i := range carried(r, instanceARN) {
		found[network.Key(i.Scope, i.VPCID)] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// carried are the interfaces an instance has: those of its tasks, and those of other
// kinds that are served there.
func carried(r store.Reader, instanceARN string) iter.Seq[*network.Interface] {
	return func(yield func(*network.Interface) bool) {
		for i := range store.Interfaces.By(r, store.InterfacesByInstance, instanceARN) {
			if i.ReleasedAt.IsZero() && !yield(i) {
				return
			}
		}
	}
}

// StateOf is what an instance must know of a VPC, given by its network.Key; one that
// is gone has a state without anything. Equal stores give equal states.
func StateOf(r store.Reader, instanceARN, vpcKey string) *network.State {
	vpc, ok := store.VPCs.Get(r, vpcKey)
	if !ok {
		return &network.State{VPCID: vpcKey[strings.LastIndexByte(vpcKey, '/')+1:]}
	}
	s := &network.State{VPCID: vpc.ID, Ranges: vpc.Ranges(), Number: vpc.Number}
	groups := map[string]bool{}
	for i := range carried(r, instanceARN) {
		if network.Key(i.Scope, i.VPCID) != vpcKey {
			continue
		}
		s.Ends = append(s.Ends, endOf(r, i))
		for _, id := range i.SecurityGroups {
			groups[id] = true
		}
	}
	slices.SortFunc(s.Ends, func(a, b network.End) int { return cmp.Compare(a.InterfaceID, b.InterfaceID) })
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		if g, ok := store.SecurityGroups.Get(r, network.Key(vpc.Scope, id)); ok {
			s.Groups = append(s.Groups, groupOf(r, g))
		}
	}
	s.Members = members(r, vpc, s.Groups)
	s.Peers = peers(r, instanceARN, vpc)
	return s
}

func endOf(r store.Reader, i *network.Interface) network.End {
	e := network.End{
		InterfaceID: i.ID, TaskARN: i.TaskARN, Kind: i.Kind, Address: i.PrivateIP, MAC: i.MAC, Groups: i.SecurityGroups,
		Unchecked: i.Unchecked, Public: i.PublicIP,
	}
	if t, ok := store.Tasks.Get(r, i.TaskARN); ok {
		for _, l := range t.Spec.Links {
			if l.Door != 0 {
				e.Doors = append(e.Doors, network.Door{At: l.Door, To: l.Port})
			}
		}
	}
	if s, ok := store.Subnets.Get(r, network.Key(i.Scope, i.SubnetID)); ok {
		e.Exit, e.ExitAddress = route.Exit(r, s)
	}
	if e.Exit == network.ExitIGW && hidden(r, i) {
		e.Exit = network.ExitNone
	}
	return e
}

// hidden tells whether an interface is a task's that could have a public address and was
// to have none: an internet gateway does not carry it. Tasks on EC2 capacity cannot.
func hidden(r store.Reader, i *network.Interface) bool {
	t, ok := store.Tasks.Get(r, i.TaskARN)
	return ok && t.Spec.LaunchType == workload.Fargate && !i.PublicIP.IsValid() && !t.Spec.NetworkConfiguration.Public()
}

func groupOf(r store.Reader, g *network.SecurityGroup) network.GroupState {
	return network.GroupState{ID: g.ID, Ingress: resolved(r, g, g.Ingress), Egress: resolved(r, g, g.Egress)}
}

// resolved are the rules with prefix lists as the ranges they name, without what
// hosts need not know: ids, words, and IPv6, which tasks do not have.
func resolved(r store.Reader, g *network.SecurityGroup, rules []network.Rule) []network.Rule {
	var out []network.Rule
	for _, rule := range rules {
		plain := network.Rule{Protocol: rule.Protocol, FromPort: rule.FromPort, ToPort: rule.ToPort, CIDR: rule.CIDR, Group: rule.Group}
		if rule.PrefixList == "" {
			if plain.CIDR != "" || plain.Group != "" {
				out = append(out, plain)
			}
			continue
		}
		list, ok := store.PrefixLists.Get(r, network.Key(g.Scope, rule.PrefixList))
		if !ok {
			continue
		}
		for _, e := range list.Entries {
			plain.CIDR = e.CIDR
			out = append(out, plain)
		}
	}
	return out
}

// members are the addresses in each group that a rule names, wherever they are.
func members(r store.Reader, vpc *network.VPC, groups []network.GroupState) map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
	for _, g := range groups {
		for _, rule := range slices.Concat(g.Ingress, g.Egress) {
			if _, done := out[rule.Group]; done || rule.Group == "" {
				continue
			}
			out[rule.Group] = nil
			for i := range store.Interfaces.By(r, store.InterfacesByGroup, network.Key(vpc.Scope, rule.Group)) {
				out[rule.Group] = append(out[rule.Group], i.PrivateIP)
			}
			slices.SortFunc(out[rule.Group], netip.Addr.Compare)
		}
	}
	return out
}

// peers are the other instances of a VPC, where both can be reached over an underlay.
func peers(r store.Reader, instanceARN string, vpc *network.VPC) []network.PeerHost {
	own, ok := underlay(r, instanceARN)
	if !ok {
		return nil
	}
	byHost, unchecked := map[netip.Addr][]netip.Addr{}, map[netip.Addr]bool{}
	for subnet := range store.Subnets.By(r, store.SubnetsByVPC, network.Key(vpc.Scope, vpc.ID)) {
		for i := range store.Interfaces.By(r, store.InterfacesBySubnet, network.Key(subnet.Scope, subnet.ID)) {
			if !i.ReleasedAt.IsZero() || i.InstanceARN == instanceARN {
				continue
			}
			if at, ok := underlay(r, i.InstanceARN); ok && at != own {
				byHost[at] = append(byHost[at], i.PrivateIP)
				unchecked[at] = unchecked[at] || i.Unchecked
			}
		}
	}
	var out []network.PeerHost
	for _, at := range slices.SortedFunc(maps.Keys(byHost), netip.Addr.Compare) {
		slices.SortFunc(byHost[at], netip.Addr.Compare)
		out = append(out, network.PeerHost{Underlay: at, Addresses: byHost[at], Unchecked: unchecked[at]})
	}
	return out
}

// underlay is where other hosts send an instance the packets of VPCs.
func underlay(r store.Reader, instanceARN string) (netip.Addr, bool) {
	i, ok := store.Instances.Get(r, instanceARN)
	if !ok || i.Status == cluster.InstanceInactive {
		return netip.Addr{}, false
	}
	text, _ := i.Attribute(acs.AttributeUnderlay)
	at, err := netip.ParseAddr(text)
	return at, err == nil && at.Is4()
}
