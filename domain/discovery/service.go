package discovery

import (
	"slices"
	"strings"
)

// Kinds of services.
const (
	ServiceHTTP    = "HTTP"     // found by API calls alone
	ServiceDNSHTTP = "DNS_HTTP" // and by DNS
)

// Routing policies.
const (
	Multivalue = "MULTIVALUE" // up to MaxAnswers healthy instances
	Weighted   = "WEIGHTED"   // one of them
)

// MaxAnswers is how many instances an answer names at most.
// https://docs.aws.amazon.com/cloud-map/latest/api/API_DnsConfig.html
const MaxAnswers = 8

// Has tells whether instances get records of the type.
func (d *DNS) Has(kind string) bool { return d.TTL(kind) >= 0 }

// TTL of the records of a type in seconds; -1 when there are none.
func (d *DNS) TTL(kind string) int64 {
	for _, r := range d.Records {
		if r.Type == kind {
			return r.TTL
		}
	}
	return -1
}

// Check tells what is wrong with a service that is to be in the namespace.
// https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateService.html
func (s *Service) Check(n *Namespace) error {
	switch {
	case s.Health != nil && s.CustomCheck != nil:
		return invalid("You can specify either HealthCheckConfig or HealthCheckCustomConfig but not both.")
	case s.Health != nil && n.Kind == DNSPrivate:
		return invalid("HealthCheckConfig is supported for public DNS and HTTP namespaces only.")
	case s.DNS != nil && n.Kind == HTTP:
		return invalid("DnsConfig is not supported for services in HTTP namespaces.")
	case s.DNS != nil && s.Kind == ServiceHTTP:
		return invalid("DnsConfig is not supported for services of type HTTP.")
	case s.DNS == nil && s.Kind != ServiceHTTP:
		return invalid("A service in a DNS namespace needs a DnsConfig, or the type HTTP.")
	case n.Kind != HTTP && s.Kind != ServiceHTTP && !IsDomain(s.Name+"."+n.Name):
		return invalid("%s.%s is not a domain name.", s.Name, n.Name)
	}
	if s.DNS != nil {
		return s.DNS.check(s.Health != nil)
	}
	return nil
}

func (d *DNS) check(checked bool) error {
	var seen []string
	for _, r := range d.Records {
		if slices.Contains(seen, r.Type) {
			return invalid("DnsRecords has more than one record of type %s.", r.Type)
		}
		seen = append(seen, r.Type)
	}
	switch {
	case len(seen) == 0:
		return invalid("DnsRecords must have at least one record.")
	case !d.Has("CNAME"):
		return nil
	case len(seen) > 1:
		return invalid("A CNAME record can't be combined with records of other types.")
	case d.Routing != Weighted:
		return invalid("A CNAME record needs the routing policy WEIGHTED.")
	case checked:
		return invalid("You can't specify both a CNAME record and HealthCheckConfig.")
	}
	return nil
}

// Same tells whether two names in the namespace are one: DNS does not know case.
func (n *Namespace) Same(a, b string) bool {
	if n.Kind == HTTP {
		return a == b
	}
	return strings.EqualFold(a, b)
}

// IsDomain tells whether text is a domain name: labels of at most 63 characters, 253
// in all (RFC 1035, 2.3.4), of letters, digits, hyphens and underscores.
func IsDomain(text string) bool {
	text = strings.TrimSuffix(text, ".")
	if text == "" || len(text) > 253 {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInLabel) {
			return false
		}
	}
	return true
}

func notInLabel(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
