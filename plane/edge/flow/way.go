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
	inTurn   bool         // and not as the sender decides
	space    *space.Space // that targets are reached from
	front    *tls.Config  // nil for none
	shown    []string     // ARNs of the front's certificates
	book     *book        // nil for no access log
	back     *tls.Config  // nil for none
	// header is what is sent ahead; nil for nothing.
	header func(from, to netip.AddrPort) []byte
	idle   time.Duration
}

func wayOf(s *balancer.Snapshot, l *balancer.Listener, groups []weighted, ch *choice, via *Node, endpoint string) (*way, error) {
	w := &way{space: via.Space}
	if ch.front.Balancer.Kind == balancer.Classic {
		w.classic(&ch.front.Balancer, groups, ch)
	} else {
		w.network(l, groups, ch, endpoint)
	}
	if !secure(l.Protocol) {
		return w, nil
	}
	return w, w.secure(s, ch.front.Balancer.Negotiation(l), l)
}

func (w *way) network(l *balancer.Listener, groups []weighted, ch *choice, endpoint string) {
	w.slots, w.idle = spread(ch.shares(groups)), time.Duration(idle(l))*time.Second
	for _, g := range groups {
		w.bySource = w.bySource || g.pool.Group.Enabled(balancer.StickinessEnabled)
		if g.pool.Group.Enabled(balancer.ProxyProtocol) {
			w.header = func(from, to netip.AddrPort) []byte { return header(from, to, endpoint) }
		}
		if secure(g.pool.Group.Protocol) {
			w.back = ssl.Back(nil)
		}
	}
}

// classic is the way of a Classic balancer, whose instances take turns.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html#routing-algorithm
func (w *way) classic(b *balancer.Balancer, groups []weighted, ch *choice) {
	w.inTurn, w.idle = true, b.Seconds(balancer.IdleTimeout)
	for _, t := range ch.shares(groups) {
		w.slots = append(w.slots, t.at)
	}
	for _, g := range groups { // there is one
		port := g.pool.Group.Port
		if b.Classic.ProxyProtocol(port) {
			w.header = line
		}
		if secure(g.pool.Group.Protocol) {
			w.back = ssl.Back(b.Classic.PublicKeys(port))
		}
	}
}

// secure has the front answer with the certificate that fits the name asked for, else
// the first, and as the security policy says.
func (w *way) secure(s *balancer.Snapshot, p balancer.SSLPolicy, l *balancer.Listener) error {
	c := ssl.Front(p)
	c.NextProtos = protocols(l.ALPN)
	w.front, w.shown = c, nil
	for _, arn := range l.Certificates {
		i := slices.IndexFunc(s.Certificates, func(c balancer.Certificate) bool { return c.ARN == arn })
		if i < 0 {
			continue
		}
		pair, err := tls.X509KeyPair(s.Certificates[i].Chain, s.Certificates[i].Key)
		if err != nil {
			return fmt.Errorf("certificate %s: %w", arn, err)
		}
		c.Certificates, w.shown = append(c.Certificates, pair), append(w.shown, arn)
	}
	if len(c.Certificates) == 0 {
		return fmt.Errorf("listener %s has no certificate", l.ARN)
	}
	return nil
}

// keep has the connections written down; nil is no book.
func (w *way) keep(b *book) {
	if w.book = b; b != nil {
		b.certificates = w.shown
		b.listen(w.front)
	}
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

// choose is a target for a sender. turn counts all that asked, try those that did not
// answer.
func (w *way) choose(from net.Addr, turn uint64, try int) (netip.AddrPort, bool) {
	if len(w.slots) == 0 {
		return netip.AddrPort{}, false
	}
	if w.inTurn {
		return w.slots[(turn+uint64(try))%uint64(len(w.slots))], try < len(w.slots)
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
