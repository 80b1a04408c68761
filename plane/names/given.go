package names

import (
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/berthhq/berth/domain/discovery"
)

// maxAliases is how many aliases are followed one after the other.
const maxAliases = 8

// given answers with what berth gives out under a name.
func (r *Resolver) given(question *dns.Msg, network string, found Found, depth int) *dns.Msg {
	if !found.Exists {
		m := failure(question, dns.RcodeNameError)
		m.Authoritative, m.Ns = true, authority(found.Domain)
		return m
	}
	m := failure(question, dns.RcodeSuccess)
	m.Authoritative = true
	q := question.Question[0]
	if q.Qtype == dns.TypeSOA && found.Domain != nil && strings.EqualFold(strings.TrimSuffix(q.Name, "."), found.Domain.Name) {
		m.Answer = authority(found.Domain)
		return m
	}
	switch n := found.Name; {
	case n == nil:
	case n.Alias != "":
		r.follow(m, question, network, n, depth)
	default:
		m.Answer = addressRecords(q.Name, q.Qtype, n.TTL, addresses(n, q.Qtype))
		r.serve(m, n)
	}
	if len(m.Answer) == 0 {
		m.Ns = authority(found.Domain)
	}
	return m
}

// authority is the SOA record of a domain, by which askers know how long what is not
// there will not be (RFC 2308); nothing without a domain.
func authority(d *discovery.Domain) []dns.RR {
	if d == nil {
		return nil
	}
	name := dns.Fqdn(d.Name)
	return []dns.RR{&dns.SOA{
		Hdr: head(name, dns.TypeSOA, d.TTL), Ns: "ns." + name, Mbox: "hostmaster." + name,
		Serial: 1, Refresh: 7200, Retry: 900, Expire: 1209600, Minttl: d.TTL,
	}}
}

// addresses are those of one kind in a new order, as many as are answered at a time.
func addresses(n *discovery.Name, kind uint16) []netip.Addr {
	var all []netip.Addr
	for _, a := range n.Addresses {
		if kind == dns.TypeANY || a.Is4() == (kind == dns.TypeA) {
			all = append(all, a)
		}
	}
	return some(all, n.Most)
}

func some[T any](all []T, most int) []T {
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if most > 0 && len(all) > most {
		all = all[:most]
	}
	return all
}

// serve adds service records and the addresses of their hosts.
func (r *Resolver) serve(m *dns.Msg, n *discovery.Name) {
	q := m.Question[0]
	if q.Qtype != dns.TypeSRV && q.Qtype != dns.TypeANY {
		return
	}
	for _, s := range some(append([]discovery.SRV(nil), n.Services...), n.Most) {
		target := dns.Fqdn(s.Host)
		m.Answer = append(m.Answer, &dns.SRV{
			Hdr: head(q.Name, dns.TypeSRV, n.ServiceTTL), Priority: s.Priority, Weight: s.Weight, Port: s.Port, Target: target,
		})
		if host := r.zone.Lookup(s.Host).Name; host != nil {
			m.Extra = append(m.Extra, addressRecords(target, dns.TypeANY, host.TTL, host.Addresses)...)
		}
	}
}

// follow adds an alias and what it leads to (RFC 1034, 4.3.2).
func (r *Resolver) follow(m, question *dns.Msg, network string, n *discovery.Name, depth int) {
	q := question.Question[0]
	target := dns.Fqdn(n.Alias)
	m.Answer = []dns.RR{&dns.CNAME{Hdr: head(q.Name, dns.TypeCNAME, n.TTL), Target: target}}
	if q.Qtype == dns.TypeCNAME || q.Qtype == dns.TypeANY {
		return
	}
	if depth == maxAliases {
		m.Rcode = dns.RcodeServerFailure
		return
	}
	next := question.Copy()
	next.Question[0].Name = target
	answer := r.own(next, network, depth+1)
	if answer == nil {
		answer = r.ask(next, network)
	}
	m.Rcode, m.Ns = answer.Rcode, answer.Ns
	m.Answer = append(m.Answer, answer.Answer...)
}
