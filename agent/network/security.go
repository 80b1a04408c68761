package network

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/ruleset"
	"github.com/berthhq/berth/domain/task"
)

// securityRules admit traffic of one task; each direction is the union of its
// groups' rules, and what no rule admits is refused.
type securityRules struct {
	groups          []string // the task is a member of
	ingress, egress []task.Rule
}

func rulesOf(groups []task.SecurityGroup) (rules securityRules, secured bool) {
	for _, g := range groups {
		rules.groups = append(rules.groups, g.ID)
		rules.ingress = append(rules.ingress, g.Ingress...)
		rules.egress = append(rules.egress, g.Egress...)
	}
	return rules, len(groups) > 0
}

func (e *end) ingressChain() string { return "in-" + e.link }
func (e *end) egressChain() string  { return "out-" + e.link }

// chains writes the end's rules in its chains. A packet that a rule admits goes back to the
// caller, because the task at its other end has a say too.
func (e *end) chains(d *ruleset.Draft) {
	admit(d, e.ingressChain(), e.rules.ingress, ruleset.From, ruleset.FromSet)
	d.Rule(e.ingressChain(), ruleset.Drop()) // AWS lets the sender time out
	admit(d, e.egressChain(), e.rules.egress, ruleset.To, ruleset.ToSet)
	d.Rule(e.egressChain(), ruleset.Drop())
}

func admit(d *ruleset.Draft, chain string, rules []task.Rule, peer func(netip.Prefix) ruleset.Words, member func(set string) ruleset.Words) {
	for _, rule := range rules {
		words, known := traffic(rule)
		if !known {
			continue
		}
		words = append(words, ruleset.Return())
		for _, cidr := range rule.CIDRs {
			p, err := netip.ParsePrefix(cidr)
			switch {
			case err != nil || !p.Addr().Is4(): // tasks have no IPv6
			case p.Bits() == 0:
				d.Rule(chain, words...)
			default:
				d.Rule(chain, append([]ruleset.Words{peer(p)}, words...)...)
			}
		}
		if rule.Group != "" {
			d.Rule(chain, append([]ruleset.Words{member(membersSet(rule.Group))}, words...)...)
		}
	}
}

// membersSet is the set of the addresses that are members of a group.
func membersSet(group string) string { return "members-" + group }

// named are the groups that rules of the end name as peers.
func (e *end) named() []string {
	var all []string
	for _, rule := range slices.Concat(e.rules.ingress, e.rules.egress) {
		if rule.Group != "" && !slices.Contains(all, rule.Group) {
			all = append(all, rule.Group)
		}
	}
	return all
}

// members are the addresses in a group: those the control plane told, wherever they
// are, and those here of which it has not spoken yet.
func (r *Router) members(group string) map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	if r.state != nil {
		for _, a := range r.state.Members[group] {
			all[a] = true
		}
	}
	for _, e := range r.ends {
		if slices.Contains(e.rules.groups, group) {
			all[e.address] = true
		}
	}
	return all
}

// traffic is the protocol and port part of a rule; ok is false for a protocol
// nobody knows, which admits nothing. A port of -1 means all; for ICMP the two
// "ports" are type and code.
func traffic(rule task.Rule) (words []ruleset.Words, ok bool) {
	if rule.Protocol == "-1" || rule.Protocol == "all" {
		return nil, true
	}
	number, ok := protocolOf(rule.Protocol)
	words = []ruleset.Words{ruleset.Protocol(number)}
	switch {
	case !ok || rule.FromPort < 0:
	case number == unix.IPPROTO_ICMP:
		words = append(words, ruleset.ICMPType(byte(rule.FromPort)))
		if rule.ToPort >= 0 {
			words = append(words, ruleset.ICMPCode(byte(rule.ToPort)))
		}
	case number != unix.IPPROTO_TCP && number != unix.IPPROTO_UDP, rule.FromPort == 0 && rule.ToPort == 65535:
	case rule.FromPort == rule.ToPort:
		words = append(words, ruleset.AskedPortIs(rule.FromPort))
	default:
		words = append(words, ruleset.AskedPortBetween(rule.FromPort, rule.ToPort))
	}
	return words, ok
}

// protocolOf reads a protocol's name or number.
func protocolOf(s string) (number byte, ok bool) {
	switch s {
	case "tcp":
		return unix.IPPROTO_TCP, true
	case "udp":
		return unix.IPPROTO_UDP, true
	case "icmp":
		return unix.IPPROTO_ICMP, true
	}
	n, err := strconv.ParseUint(s, 10, 8)
	return byte(n), err == nil
}

// secure replaces the rules of the task behind the link, unless the control plane has
// told the state of its interface: that is newer than any order.
func (r *Router) secure(link string, groups []task.SecurityGroup) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.ends[link]
	if e == nil {
		return errors.New("the task's interface is gone")
	}
	e.rules, e.secured = rulesOf(groups)
	return r.settle()
}
