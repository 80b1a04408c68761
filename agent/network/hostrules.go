package network

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/ruleset"
)

// binding is a published host port, target where it leads.
type (
	binding struct {
		protocol byte
		port     int
	}
	target struct {
		address netip.Addr
		port    int
	}
)

func loopback() netip.Prefix { return netip.MustParsePrefix("127.0.0.0/8") }

// cloudMetadata are the addresses behind which clouds and platforms keep their
// secrets: link-local, Azure's wire server, Alibaba's metadata.
func cloudMetadata() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("168.63.129.16/32"), netip.MustParsePrefix("100.100.100.200/32"),
	}
}

// rules describes the host's table whole. Its only effect on the host's own
// traffic is that a published port leads to its container.
func (h *host) rules(d *ruleset.Draft) {
	d.Set("uplinks", ruleset.Links(), h.uplinkNames()...)
	d.Set("inside", ruleset.Prefixes(), h.inside()...)
	d.Set("ports", ruleset.Ports(), h.publishedElements()...)
	h.have = h.contents()
	for name, c := range h.have {
		d.Set(name, c.Kind, c.Elements...)
	}

	// Links to routers may route loopback addresses, for ports on 127.0.0.1;
	// nothing that comes in by them may say it is for loopback.
	d.Base("raw", ruleset.Raw)
	d.Rule("raw", ruleset.InSet("uplinks"), ruleset.To(loopback()), ruleset.Drop())

	h.tunnelRules(d)

	d.Base("arrive", ruleset.NATIn)
	if h.cfg.LoopbackOnly {
		d.Rule("arrive", ruleset.InLike(linkPrefix), ruleset.ToThisHost(), ruleset.Publish("ports"))
	} else {
		d.Rule("arrive", ruleset.ToThisHost(), ruleset.Publish("ports"))
	}

	d.Base("depart", ruleset.NATOutput)
	h.group.redirect(d, "depart")
	d.Rule("depart", ruleset.ToThisHost(), ruleset.Publish("ports"))

	d.Base("output", ruleset.Output)
	h.group.restrict(d, "output")

	h.forwardRules(d)

	d.Base("leave", ruleset.NATOut)
	d.Rule("leave", ruleset.OutSet("uplinks"), ruleset.From(loopback()), ruleset.Masquerade())
	d.Rule("leave", ruleset.From(bridgeRange(h.private)), ruleset.To(bridgeRange(h.private)), ruleset.Masquerade()) // own port through the host
	d.Rule("leave", ruleset.NotOutLike(linkPrefix), ruleset.FromSet("inside"), ruleset.Masquerade())
	d.Rule("leave", ruleset.NotOutLike(linkPrefix), ruleset.FromSet("masked"), ruleset.Masquerade())
	d.Rule("leave", ruleset.NotOutLike(linkPrefix), ruleset.From(uplinkRange(h.private)), ruleset.Masquerade())
}

// tunnelRules let in, of the packets for our VPCs' tunnels, those of the hosts that have
// the addresses they are from.
func (h *host) tunnelRules(d *ruleset.Draft) {
	if !h.cfg.Underlay.IsValid() {
		return
	}
	to := []ruleset.Words{ruleset.Protocol(unix.IPPROTO_UDP), ruleset.PortIs(tunnelPort)}
	d.Rule("raw", append(slices.Clone(to), ruleset.FromTunnel("tunnels"), ruleset.Accept())...)
	d.Rule("raw", append(slices.Clone(to), ruleset.FromSender("senders"), ruleset.Accept())...)
	d.Rule("raw", append(slices.Clone(to), ruleset.OfNumber("numbers"), ruleset.Drop())...)
}

// forwardRules keep routers apart: into one come answers, published ports, and
// what may reach the host's own VPC: bridge mode tasks and that VPC's tasks under
// other agents of this host.
func (h *host) forwardRules(d *ruleset.Draft) {
	d.Base("forward", ruleset.Forward)
	for _, p := range cloudMetadata() {
		d.Rule("forward", ruleset.InSet("uplinks"), ruleset.To(p), ruleset.Refuse())
	}
	d.Rule("forward", ruleset.Established(), ruleset.Accept())
	d.Rule("forward", ruleset.OutSet("uplinks"), ruleset.Translated(), ruleset.Accept())
	if h.cfg.LoopbackOnly {
		d.Rule("forward", ruleset.InLike(linkPrefix), ruleset.OutSet("uplinks"), ruleset.ToSet("public"), ruleset.Accept())
	} else {
		d.Rule("forward", ruleset.OutSet("uplinks"), ruleset.ToSet("public"), ruleset.Accept())
	}
	if r := h.reached(); r != nil {
		d.Rule("forward", ruleset.Out(r.uplink), ruleset.InLike(linkPrefix), ruleset.FromSet("inside"), ruleset.Accept())
	}
	d.Rule("forward", ruleset.OutSet("uplinks"), ruleset.Refuse())
}

// reached is the router whose tasks the host reaches; nil when there is none.
func (h *host) reached() *Router {
	for _, r := range h.uplinks {
		if r.hostReaches {
			return r
		}
	}
	return nil
}

func (h *host) inside() []ruleset.Element {
	elements := []ruleset.Element{ruleset.Prefix(bridgeRange(h.private))}
	if r := h.reached(); r != nil {
		elements = append(elements, ruleset.Prefix(r.Range))
	}
	return elements
}

func (h *host) uplinkNames() []ruleset.Element {
	var elements []ruleset.Element
	for name := range h.uplinks {
		elements = append(elements, ruleset.Link(name))
	}
	return elements
}

func (h *host) publishedElements() []ruleset.Element {
	var elements []ruleset.Element
	for b, t := range h.published {
		elements = append(elements, ruleset.Port(b.protocol, b.port, t.address, t.port))
	}
	return elements
}

// publish makes host ports lead to containers, all in one transaction.
func (h *host) publish(ports map[binding]target) error {
	if len(ports) == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var elements []ruleset.Element
	for b, t := range ports {
		h.published[b] = t
		elements = append(elements, ruleset.Port(b.protocol, b.port, t.address, t.port))
	}
	return h.table.Change(func(d *ruleset.Draft) { d.Add("ports", ruleset.Ports(), elements...) })
}

func (h *host) unpublish(ports map[binding]target) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var elements []ruleset.Element
	for b, t := range ports {
		if h.published[b] == t {
			delete(h.published, b)
			elements = append(elements, ruleset.Port(b.protocol, b.port, t.address, t.port))
		}
	}
	if len(elements) == 0 {
		return nil
	}
	return h.table.Change(func(d *ruleset.Draft) { d.Remove("ports", ruleset.Ports(), elements...) })
}

func protocolNumber(name string) byte {
	if name == "udp" {
		return unix.IPPROTO_UDP
	}
	return unix.IPPROTO_TCP
}
