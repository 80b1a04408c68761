package flow

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/berthhq/berth/agent/network/ruleset"
	"github.com/berthhq/berth/agent/network/space"
)

// tableName is the packet filter's in a node's namespace. It outlives the edge.
const tableName = "berth-edge"

// table is the kernel's part of a node: what comes to a port goes on to a slot of it.
type table struct {
	space   *space.Space
	address netip.Addr
	rules   *ruleset.Table
	ports   []port
	idle    int                      // seconds, as the kernel was told; 0 before it was
	counted map[string]ruleset.Count // by name, not yet taken
	seen    map[string]ruleset.Count // when the counters were last read
}

// openTable takes over what an earlier edge left; its connections go on.
func openTable(s *space.Space, address netip.Addr) (*table, error) {
	t := &table{space: s, address: address, counted: map[string]ruleset.Count{}}
	var err error
	if t.rules, err = ruleset.Open(s, tableName, t.write); err != nil {
		return nil, err
	}
	if err := s.Do(prepare); err != nil {
		return nil, fmt.Errorf("let a node forward: %w", err)
	}
	return t, nil
}

// prepare lets the namespace send on what comes to its one link by that link, and
// answer what belongs to no connection with a reset.
func prepare() error {
	return space.Set(map[string]string{
		"ipv4/ip_forward":                           "1",
		"ipv4/conf/all/send_redirects":              "0",
		"ipv4/conf/default/send_redirects":          "0",
		"ipv4/conf/eth0/send_redirects":             "0",
		"ipv4/conf/all/rp_filter":                   "0",
		"netfilter/nf_conntrack_tcp_loose":          "0",
		"netfilter/nf_conntrack_udp_timeout":        "120",
		"netfilter/nf_conntrack_udp_timeout_stream": "120",
	})
}

// set makes these the node's ports, in one transaction. Connections that there are do
// not notice.
func (t *table) set(ports []port, idle int) error {
	if err := t.setIdle(idle); err != nil {
		return err
	}
	if len(ports) > 0 && slices.EqualFunc(t.ports, ports, samePort) && t.rules.Intact() {
		return nil
	}
	t.gather()
	t.ports, t.seen = ports, nil
	return t.rules.Replace()
}

// setIdle says after how many seconds of silence the kernel forgets a connection.
func (t *table) setIdle(seconds int) error {
	if t.idle == seconds {
		return nil
	}
	err := t.space.Do(func() error {
		return space.Set(map[string]string{"netfilter/nf_conntrack_tcp_timeout_established": strconv.Itoa(seconds)})
	})
	if err == nil {
		t.idle = seconds
	}
	return err
}

func samePort(a, b port) bool {
	return a.number == b.number && a.protocol == b.protocol && a.bySource == b.bySource && a.preserve == b.preserve && slices.Equal(a.slots, b.slots)
}

// write describes the table whole.
func (t *table) write(d *ruleset.Draft) {
	d.Base("arrive", ruleset.NATIn)
	for n := range t.ports {
		p := &t.ports[n]
		elements := make([]ruleset.Element, len(p.slots))
		for i, to := range p.slots {
			elements[i] = ruleset.Slot(i, to)
		}
		d.Set(p.name(), ruleset.Slots(), elements...)
		d.Rule("arrive", ruleset.ToOne(t.address), ruleset.Protocol(p.protocol), ruleset.PortIs(int(p.number)), ruleset.Counted(),
			ruleset.Note(p.mark()), ruleset.Spread(p.name(), len(p.slots), p.bySource))
	}

	d.Base("forward", ruleset.Forward)
	for n := range t.ports {
		p := &t.ports[n]
		d.Rule("forward", ruleset.Noted(p.mark()&^1, ^uint32(1)), ruleset.Counted(), ruleset.Accept())
	}
	d.Rule("forward", ruleset.Translated(), ruleset.Accept()) // of ports that were
	d.Rule("forward", ruleset.Drop())

	d.Base("leave", ruleset.NATOut)
	d.Rule("leave", ruleset.Translated(), ruleset.Noted(0, 1), ruleset.Under(t.address))
}

// gather adds up what the ports counted since it was last done.
func (t *table) gather() {
	now, err := t.read()
	if err != nil {
		return // there is no table yet, or somebody flushed it
	}
	for name, c := range now {
		have, before := t.counted[name], t.seen[name]
		t.counted[name] = ruleset.Count{Packets: have.Packets + c.Packets - before.Packets, Bytes: have.Bytes + c.Bytes - before.Bytes}
	}
	t.seen = now
}

// read gives new connections (packets) and bytes of each port of the table as it is.
func (t *table) read() (map[string]ruleset.Count, error) {
	if len(t.ports) == 0 {
		return nil, nil
	}
	arrived, err := t.rules.Counts("arrive")
	if err != nil {
		return nil, err
	}
	forwarded, err := t.rules.Counts("forward")
	if err != nil {
		return nil, err
	}
	out := map[string]ruleset.Count{}
	for n := range t.ports {
		if n < len(arrived) && n < len(forwarded) {
			out[t.ports[n].name()] = ruleset.Count{Packets: arrived[n].Packets, Bytes: forwarded[n].Bytes}
		}
	}
	return out, nil
}

// take gives what was counted since it was last asked.
func (t *table) take() map[string]ruleset.Count {
	t.gather()
	out := t.counted
	t.counted = map[string]ruleset.Count{}
	return out
}

func (t *table) close() error { return t.rules.Close() }
