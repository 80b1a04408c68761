package names

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// own answers what the zone knows, or knows not to exist; nil when others must be
// asked.
func (r *Resolver) own(question *dns.Msg) *dns.Msg {
	q := question.Question[0]
	if q.Qclass != dns.ClassINET {
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(q.Name, "."))
	if r.zone.Lookup != nil {
		if addresses, ok := r.zone.Lookup(name); ok {
			return records(question, addresses)
		}
	}
	if address, reverse := fromReverse(name); reverse {
		return r.reverse(question, address)
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
	name := question.Question[0].Name
	for _, a := range addresses {
		switch kind := question.Question[0].Qtype; {
		case a.Is4() && (kind == dns.TypeA || kind == dns.TypeANY):
			m.Answer = append(m.Answer, &dns.A{Hdr: head(name, dns.TypeA), A: a.AsSlice()})
		case a.Is6() && (kind == dns.TypeAAAA || kind == dns.TypeANY):
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: head(name, dns.TypeAAAA), AAAA: a.AsSlice()})
		}
	}
	return m
}

func head(name string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

func (r *Resolver) reverse(question *dns.Msg, a netip.Addr) *dns.Msg {
	if !r.zone.Range.IsValid() || !r.zone.Range.Contains(a) {
		return nil
	}
	m := failure(question, dns.RcodeSuccess)
	m.Authoritative = true
	if question.Question[0].Qtype == dns.TypePTR {
		m.Answer = []dns.RR{&dns.PTR{Hdr: head(question.Question[0].Name, dns.TypePTR), Ptr: label(a) + "." + r.zone.Domain + "."}}
	}
	return m
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
