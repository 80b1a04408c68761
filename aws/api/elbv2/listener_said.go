package elbv2

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func compare(a, b string) int { return strings.Compare(a, b) }

// said is what a caller says of a listener, its actions aside. What is absent stays.
type said struct {
	port         *int32
	protocol     shape.ProtocolEnum
	policy       *string
	certificates []shape.Certificate
	alpn         []string
	mutual       *shape.MutualAuthenticationAttributes
}

// into writes it into a listener of a balancer, and checks the whole.
func (s said) into(r store.Reader, b *balancer.Balancer, l *balancer.Listener) error {
	if s.port != nil {
		l.Port = int(*s.port)
	}
	if s.protocol != "" {
		l.Protocol = string(s.protocol)
	}
	if err := balancer.CheckProtocol(b.Kind, l.Protocol); err != nil {
		return err
	}
	for other := range store.Listeners.By(r, store.ListenersByBalancer, b.ARN) {
		if other.Port == l.Port && other.ARN != l.ARN {
			return fault.New(fault.DuplicateListener, "A listener already exists on this port for this load balancer '%s'", b.ARN)
		}
	}
	if l.Protocol != "HTTPS" && l.Protocol != "TLS" {
		return s.plain(l)
	}
	if err := s.intoTLS(r, l); err != nil {
		return err
	}
	return s.intoMutual(r, l)
}

// plain clears what only encrypted listeners have, and refuses it where it is said.
func (s said) plain(l *balancer.Listener) error {
	l.Certificates, l.SSLPolicy, l.ALPN, l.MutualAuth = nil, "", nil, nil
	switch {
	case len(s.certificates) > 0:
		return unfit("Certificates cannot be specified for %s listeners", l.Protocol)
	case s.policy != nil:
		return unfit("An SSL policy cannot be specified for %s listeners", l.Protocol)
	case len(s.alpn) > 0:
		return unfit("An ALPN policy cannot be specified for %s listeners", l.Protocol)
	case s.mutual != nil:
		return unfit("Mutual authentication is not supported for %s listeners", l.Protocol)
	}
	return nil
}

func (s said) intoTLS(r store.Reader, l *balancer.Listener) error {
	switch {
	case s.policy != nil:
		l.SSLPolicy = *s.policy
	case l.SSLPolicy == "":
		l.SSLPolicy = balancer.DefaultSSLPolicy
	}
	if _, ok := balancer.FindSSLPolicy(l.SSLPolicy); !ok {
		return fault.New(fault.SSLPolicyNotFound, "SSL policy '%s' not found", l.SSLPolicy)
	}
	if err := s.intoALPN(l); err != nil {
		return err
	}
	switch len(s.certificates) {
	case 0:
		if len(l.Certificates) == 0 {
			return invalid("A certificate must be specified for %s listeners", l.Protocol)
		}
		return nil
	case 1:
		name := member.Value(s.certificates[0].CertificateArn)
		if err := checkCertificate(r, l, name); err != nil {
			return err
		}
		others := slices.DeleteFunc(slices.Clone(l.Certificates), func(c string) bool { return c == name })
		l.Certificates = append([]string{name}, others[min(1, len(others)):]...)
		return nil
	}
	return fault.New(fault.TooManyCertificates, "Up to one default certificate can be specified").
		WithHint("add further ones with add-listener-certificates")
}

// intoALPN sets which protocols a TLS listener prefers.
func (s said) intoALPN(l *balancer.Listener) error {
	if len(s.alpn) == 0 {
		return nil
	}
	known := []string{"HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"}
	switch {
	case l.Protocol != "TLS":
		return unfit("An ALPN policy cannot be specified for %s listeners", l.Protocol)
	case len(s.alpn) > 1:
		return invalid("Exactly one ALPN policy can be specified")
	case !slices.Contains(known, s.alpn[0]):
		return fault.New(fault.ALPNPolicyNotFound, "ALPN policy '%s' not found", s.alpn[0])
	}
	l.ALPN = s.alpn
	return nil
}

// intoMutual sets how clients prove who they are: an HTTPS listener always says.
func (s said) intoMutual(r store.Reader, l *balancer.Listener) error {
	if l.Protocol != "HTTPS" {
		if s.mutual != nil {
			return unfit("Mutual authentication is not supported for %s listeners", l.Protocol)
		}
		l.MutualAuth = nil
		return nil
	}
	if s.mutual == nil {
		if l.MutualAuth == nil {
			l.MutualAuth = &balancer.MutualAuth{Mode: "off"}
		}
		return nil
	}
	m := &balancer.MutualAuth{
		Mode: member.Value(s.mutual.Mode), TrustStoreARN: member.Value(s.mutual.TrustStoreArn),
		IgnoreExpiry: member.Value(s.mutual.IgnoreClientCertificateExpiry), AdvertiseCANames: string(s.mutual.AdvertiseTrustStoreCaNames),
	}
	l.MutualAuth = m
	switch m.Mode {
	case "verify":
		_, err := findTrustStore(r, l.Scope, m.TrustStoreARN)
		if m.AdvertiseCANames == "" {
			m.AdvertiseCANames = "off"
		}
		return err
	case "off", "passthrough":
		if m.TrustStoreARN != "" || s.mutual.IgnoreClientCertificateExpiry != nil && m.IgnoreExpiry || m.AdvertiseCANames != "" {
			return invalid("A trust store and its settings can be specified only with mutual authentication mode 'verify'")
		}
		return nil
	}
	return invalid("Mutual authentication mode '%s' must be one of 'off, passthrough, verify'", m.Mode)
}

func showMutual(m *balancer.MutualAuth) *shape.MutualAuthenticationAttributes {
	if m == nil {
		return nil
	}
	out := &shape.MutualAuthenticationAttributes{Mode: &m.Mode}
	if m.Mode == "verify" {
		out.TrustStoreArn, out.IgnoreClientCertificateExpiry = &m.TrustStoreARN, &m.IgnoreExpiry
		out.AdvertiseTrustStoreCaNames = shape.AdvertiseTrustStoreCaNamesEnum(m.AdvertiseCANames)
		out.TrustStoreAssociationStatus = shape.TrustStoreAssociationStatusEnumActive
	}
	return out
}
