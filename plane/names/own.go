package names

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// own answers what the zone knows, or knows not to exist; nil when others must be
// asked. depth counts the aliases that led here.
func (r *Resolver) own(question *dns.Msg, network string, depth int) *dns.Msg {
	q := question.Question[0]
	if q.Qclass != dns.ClassINET {
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(q.Name, "."))
	if r.zone.Lookup != nil {
		if found := r.zone.Lookup(name); found.Exists || found.Domain != nil {
			return r.given(question, network, found, depth)
		}
	}
	if address, reverse := fromReverse(name); reverse {
		return r.reverse(question, address)
	}
	if a, ok := prefixed(name); ok {
		return records(question, []netip.Addr{a})
	}
	first, rest, _ := strings.Cut(name, ".")
	if !r.zone.Range.IsValid() || rest != r.zone.Domain && name != r.zone.Domain {
		return nil
	}
	if a, ok := fromLabel(first); ok && r.zone.Range.Contains(a) {
		return records(question, []netip.Addr{a})
	}
	return failure(question, dns.RcodeNameError)
}

// records answers with addresses of the type asked for; none of that type is an
// empty answer, not an error.
func records(question *dns.Msg, addresses []netip.Addr) *dns.Msg {
	m := failure(question, dns.RcodeSuccess)
	m.Authoritative = true
	m.Answer = addressRecords(question.Question[0].Name, question.Question[0].Qtype, ttl, addresses)
	return m
}

func addressRecords(name string, kind uint16, ttl uint32, addresses []netip.Addr) (all []dns.RR) {
	for _, a := range addresses {
		switch {
		case a.Is4() && (kind == dns.TypeA || kind == dns.TypeANY):
			all = append(all, &dns.A{Hdr: head(name, dns.TypeA, ttl), A: a.AsSlice()})
		case a.Is6() && (kind == dns.TypeAAAA || kind == dns.TypeANY):
			all = append(all, &dns.AAAA{Hdr: head(name, dns.TypeAAAA, ttl), AAAA: a.AsSlice()})
		}
	}
	return all
}

func head(name string, kind uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

func (r *Resolver) reverse(question *dns.Msg, a netip.Addr) *dns.Msg {
	if !r.zone.Range.IsValid() || !r.zone.Range.Contains(a) {
		return nil
	}
	m := failure(question, dns.RcodeSuccess)
	m.Authoritative = true
	if question.Question[0].Qtype == dns.TypePTR {
		m.Answer = []dns.RR{&dns.PTR{Hdr: head(question.Question[0].Name, dns.TypePTR, ttl), Ptr: label(a) + "." + r.zone.Domain + "."}}
	}
	return m
}

// prefixed reads "data-169.254.170.2": what Cloud Map's clients make of an endpoint
// that is an address, to which they prefix "data-" for DiscoverInstances.
func prefixed(name string) (netip.Addr, bool) {
	rest, ok := strings.CutPrefix(name, "data-")
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(rest)
	return a, err == nil
}

// fromLabel reads "ip-172-31-0-4".
func fromLabel(s string) (netip.Addr, bool) {
	rest, ok := strings.CutPrefix(s, "ip-")
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.ReplaceAll(rest, "-", "."))
	return a, err == nil && a.Is4()
}

// fromReverse reads "4.0.31.172.in-addr.arpa".
func fromReverse(name string) (netip.Addr, bool) {
	rest, ok := strings.CutSuffix(name, ".in-addr.arpa")
	if !ok {
		return netip.Addr{}, false
	}
	p := strings.Split(rest, ".")
	if len(p) != 4 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(p[3] + "." + p[2] + "." + p[1] + "." + p[0])
	return a, err == nil
}
