package flow

import (
	"crypto/tls"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/ssl"
)

// way is how connections of a spliced listener go on.
type way struct {
	slots    []netip.AddrPort
	bySource bool
	space    *space.Space // that targets are reached from
	front    *tls.Config  // nil for none
	back     *tls.Config  // nil for none
	header   bool         // of the proxy protocol, sent ahead
	endpoint string       // told in the header; empty for none
	idle     time.Duration
}

func wayOf(s *balancer.Snapshot, l *balancer.Listener, groups []weighted, ch *choice, via *Node, endpoint string) (*way, error) {
	w := &way{slots: spread(ch.shares(groups)), space: via.Space, endpoint: endpoint, idle: time.Duration(idle(l)) * time.Second}
	for _, g := range groups {
		w.bySource = w.bySource || g.pool.Group.Enabled(balancer.StickinessEnabled)
		w.header = w.header || g.pool.Group.Enabled(balancer.ProxyProtocol)
		if g.pool.Group.Protocol == protocolTLS {
			w.back = &tls.Config{InsecureSkipVerify: true} // as AWS: targets' certificates are not checked
		}
	}
	if l.Protocol != protocolTLS {
		return w, nil
	}
	var err error
	w.front, err = frontTLS(s, l)
	return w, err
}

// frontTLS answers with the certificate that fits the name asked for, else the first.
func frontTLS(s *balancer.Snapshot, l *balancer.Listener) (*tls.Config, error) {
	var certificates []tls.Certificate
	for _, arn := range l.Certificates {
		i := slices.IndexFunc(s.Certificates, func(c balancer.Certificate) bool { return c.ARN == arn })
		if i < 0 {
			continue
		}
		c, err := tls.X509KeyPair(s.Certificates[i].Chain, s.Certificates[i].Key)
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", arn, err)
		}
		certificates = append(certificates, c)
	}
	if len(certificates) == 0 {
		return nil, fmt.Errorf("listener %s has no certificate", l.ARN)
	}
	return &tls.Config{Certificates: certificates, MinVersion: oldest(l.SSLPolicy), NextProtos: protocols(l.ALPN)}, nil
}

// oldest is the oldest TLS of a security policy.
func oldest(policy string) uint16 {
	p, ok := balancer.FindSSLPolicy(policy)
	if !ok {
		p, _ = balancer.FindSSLPolicy(balancer.DefaultSSLPolicy)
	}
	v, _ := ssl.Versions(p)
	return v
}

// protocols are those of an ALPN policy, the preferred first. "Optional" lets the
// client prefer, which TLS in Go does not: then HTTP/1.1 comes first.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html#alpn-policies
func protocols(alpn []string) []string {
	if len(alpn) == 0 {
		return nil
	}
	switch alpn[0] {
	case "HTTP1Only":
		return []string{"http/1.1", "http/1.0"}
	case "HTTP2Only":
		return []string{"h2"}
	case "HTTP2Optional":
		return []string{"http/1.1", "http/1.0", "h2"}
	case "HTTP2Preferred":
		return []string{"h2", "http/1.1", "http/1.0"}
	}
	return nil
}

// choose is a target for a sender. try counts those that did not answer.
func (w *way) choose(from net.Addr, try int) (netip.AddrPort, bool) {
	if len(w.slots) == 0 {
		return netip.AddrPort{}, false
	}
	text := from.String()
	if w.bySource {
		text = netip.MustParseAddrPort(text).Addr().String()
	}
	h := fnv.New64a() // the same in the edge after this one
	h.Write([]byte(text))
	first := w.slots[int(h.Sum64()%uint64(len(w.slots)))]
	if try == 0 {
		return first, true
	}
	var others []netip.AddrPort
	for _, at := range w.slots {
		if at != first && !slices.Contains(others, at) {
			others = append(others, at)
		}
	}
	if try > len(others) {
		return netip.AddrPort{}, false
	}
	return others[try-1], true
}
