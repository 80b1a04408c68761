package discovery

import (
	"net/netip"
	"strings"
)

// Priority and weight of SRV records, as Cloud Map makes them.
// https://docs.aws.amazon.com/cloud-map/latest/api/API_DnsRecord.html
const srvPriority, srvWeight = 1, 1

// DomainName is the DNS name of a service.
func (s *Service) DomainName(n *Namespace) string {
	name := strings.ToLower(s.Name + "." + n.Name)
	if s.Name == "." {
		name = strings.ToLower(n.Name)
	}
	return strings.TrimSuffix(name, ".")
}

// Names are the names that a service's instances give it: its own first, then those
// that its SRV records lead to. Instances that are ill are left out unless all are.
// alias finds the addresses of a load balancer by its name. nil when the service has
// no instances, or no DNS.
func (s *Service) Names(n *Namespace, instances []*Instance, alias func(name string) []netip.Addr) []Name {
	if s.DNS == nil || len(instances) == 0 {
		return nil
	}
	q := Query{Health: HealthyOrElseAll, Most: len(instances)}
	r := records{dns: s.DNS, own: Name{Name: s.DomainName(n), Most: MaxAnswers}, alias: alias}
	if s.DNS.Routing == Weighted {
		r.own.Most = 1
	}
	for _, i := range q.Find(s, instances) {
		r.add(i)
	}
	return append([]Name{r.own}, r.hosts...)
}

// records gathers what the instances of a service answer.
type records struct {
	dns   *DNS
	own   Name
	hosts []Name
	alias func(string) []netip.Addr
}

func (r *records) add(i *Instance) {
	for _, kind := range []struct{ record, attribute string }{{"A", InstanceIPv4}, {"AAAA", InstanceIPv6}} {
		if a, err := netip.ParseAddr(i.Attributes[kind.attribute]); err == nil && r.dns.Has(kind.record) {
			r.own.Addresses = append(r.own.Addresses, a)
			r.ages(r.dns.TTL(kind.record))
		}
	}
	if name := i.Attributes[AliasName]; name != "" {
		r.own.Addresses = append(r.own.Addresses, r.alias(strings.ToLower(strings.TrimSuffix(name, ".")))...)
		r.own.Most = 0
		r.ages(aliasTTL)
	}
	if name := i.Attributes[InstanceCNAME]; name != "" && r.dns.Has("CNAME") {
		r.own.Alias = strings.ToLower(strings.TrimSuffix(name, "."))
		r.ages(r.dns.TTL("CNAME"))
	}
	if p, ok := port(i.Attributes[InstancePort]); ok && r.dns.Has("SRV") {
		r.serve(i, p)
	}
}

// aliasTTL is the time to live of an alias to a load balancer in seconds.
const aliasTTL = 60

// ages gives the name the shortest of its records' times to live.
func (r *records) ages(ttl int64) {
	if r.own.TTL == 0 || uint32(ttl) < r.own.TTL {
		r.own.TTL = uint32(ttl)
	}
}

// serve adds an SRV record and the host that it leads to.
func (r *records) serve(i *Instance, port uint16) {
	ttl := uint32(r.dns.TTL("SRV"))
	host := Name{Name: strings.ToLower(i.ID) + "." + r.own.Name, TTL: ttl}
	for _, attribute := range []string{InstanceIPv4, InstanceIPv6} {
		if a, err := netip.ParseAddr(i.Attributes[attribute]); err == nil {
			host.Addresses = append(host.Addresses, a)
		}
	}
	r.own.ServiceTTL = ttl
	r.own.Services = append(r.own.Services, SRV{Host: host.Name, Port: port, Priority: srvPriority, Weight: srvWeight})
	r.hosts = append(r.hosts, host)
}
