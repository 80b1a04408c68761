package ruleset

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Draft collects a transaction.
type Draft struct {
	conn    *nftables.Conn
	table   *nftables.Table
	sets    uint32 // numbers the sets of the transaction
	rules   map[string]int
	elems   map[string]int
	dropped []string
	cleared []string
	err     error
}

// elementsPerMessage keeps a message well below netlink's 64 KiB.
const elementsPerMessage = 400

func (d *Draft) commit() error {
	err := d.conn.Flush()
	if d.err != nil {
		return d.err
	}
	return err
}

// Base adds a chain at a hook. What no rule of it decides goes on.
func (d *Draft) Base(name string, at Hook) {
	d.conn.AddChain(at.chain(name, d.table))
	d.rules[name] += 0
}

// Chain adds a chain that others jump to.
func (d *Draft) Chain(name string) {
	d.conn.AddChain(&nftables.Chain{Name: name, Table: d.table})
	d.rules[name] += 0
}

// DropChain removes a chain and its rules. Nothing may refer to it any more.
func (d *Draft) DropChain(name string) {
	c := &nftables.Chain{Name: name, Table: d.table}
	d.conn.FlushChain(c)
	d.conn.DelChain(c)
	d.dropped = append(d.dropped, name)
}

// Clear takes all rules out of a chain, for new ones.
func (d *Draft) Clear(name string) {
	d.conn.FlushChain(&nftables.Chain{Name: name, Table: d.table})
	d.cleared = append(d.cleared, name)
}

// Rule appends a sentence to a chain.
func (d *Draft) Rule(chain string, words ...Words) {
	var exprs []expr.Any
	for _, w := range words {
		exprs = append(exprs, w...)
	}
	d.conn.AddRule(&nftables.Rule{Table: d.table, Chain: &nftables.Chain{Name: chain, Table: d.table}, Exprs: exprs})
	d.rules[chain]++
}

// Set adds a set or map of the kind with its first elements.
func (d *Draft) Set(name string, kind Kind, elements ...Element) {
	d.sets++
	s := d.set(name, kind)
	s.ID = d.sets
	if err := d.conn.AddSet(s, nil); err != nil {
		d.err = err
	}
	if !kind.interval {
		d.elems[name] += 0
	}
	d.Add(name, kind, elements...)
}

// Add puts elements in a set.
func (d *Draft) Add(name string, kind Kind, elements ...Element) {
	d.each(name, kind, elements, d.conn.SetAddElements)
	if !kind.interval {
		d.elems[name] += len(elements)
	}
}

// Remove takes elements out of a set.
func (d *Draft) Remove(name string, kind Kind, elements ...Element) {
	d.each(name, kind, elements, d.conn.SetDeleteElements)
	if !kind.interval {
		d.elems[name] -= len(elements)
	}
}

func (d *Draft) each(name string, kind Kind, elements []Element, send func(*nftables.Set, []nftables.SetElement) error) {
	for len(elements) > 0 {
		n := min(len(elements), elementsPerMessage)
		var part []nftables.SetElement
		for _, e := range elements[:n] {
			part = append(part, e.parts...)
		}
		if err := send(d.set(name, kind), part); err != nil {
			d.err = err
		}
		elements = elements[n:]
	}
}

func (d *Draft) set(name string, kind Kind) *nftables.Set {
	return &nftables.Set{
		Table: d.table, Name: name, KeyType: kind.key, DataType: kind.data, IsMap: kind.data.Name != "",
		Interval: kind.interval, AutoMerge: kind.interval,
	}
}

// Kind is what a set holds.
type Kind struct {
	key, data nftables.SetDatatype
	interval  bool
}

// Links is a set of interface names.
func Links() Kind { return Kind{key: nftables.TypeIFName} }

// Addresses is a set of single addresses.
func Addresses() Kind { return Kind{key: nftables.TypeIPAddr} }

// Prefixes is a set of ranges, which must not overlap.
func Prefixes() Kind { return Kind{key: nftables.TypeIPAddr, interval: true} }

// Ends is a set of pairs: which address may be used behind which interface.
func Ends() Kind {
	return Kind{key: nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIPAddr)}
}

// Ports maps a protocol and port to an address and port.
func Ports() Kind {
	return Kind{
		key:  nftables.MustConcatSetType(nftables.TypeInetProto, nftables.TypeInetService),
		data: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService),
	}
}

// Twins maps an address to the one it is to become.
func Twins() Kind { return Kind{key: nftables.TypeIPAddr, data: nftables.TypeIPAddr} }

// Tunnels is a set of what may come out of which tunnel: the sender's address outside,
// the network's number, the source inside.
func Tunnels() Kind {
	return Kind{key: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeMark, nftables.TypeIPAddr)}
}

// Senders is a set of tunnels that anything may come out of.
func Senders() Kind {
	return Kind{key: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeMark)}
}

// Numbers is a set of VXLAN network identifiers.
func Numbers() Kind { return Kind{key: nftables.TypeMark} }

// Jumps maps an interface name to the chain for it.
func Jumps() Kind { return Kind{key: nftables.TypeIFName, data: nftables.TypeVerdict} }

// Doors maps an address and port to those that they lead to.
func Doors() Kind {
	pair := nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService)
	return Kind{key: pair, data: pair}
}

// Departures maps a source address to the chain for it.
func Departures() Kind { return Kind{key: nftables.TypeIPAddr, data: nftables.TypeVerdict} }

// Element is a member of a set.
type Element struct{ parts []nftables.SetElement }

func element(key, value []byte) Element {
	return Element{[]nftables.SetElement{{Key: key, Val: value}}}
}

// Link is an element of Links.
func Link(name string) Element { return element(linkBytes(name), nil) }

// Address is an element of Addresses.
func Address(a netip.Addr) Element { return element(a.AsSlice(), nil) }

// Prefix is an element of Prefixes.
func Prefix(p netip.Prefix) Element {
	first, end := p.Masked().Addr(), after(p)
	parts := []nftables.SetElement{{Key: first.AsSlice()}}
	if end.IsValid() {
		parts = append(parts, nftables.SetElement{Key: end.AsSlice(), IntervalEnd: true})
	}
	return Element{parts}
}

// End is an element of Ends.
func End(link string, a netip.Addr) Element {
	return element(append(linkBytes(link), a.AsSlice()...), nil)
}

// Port is an element of Ports.
func Port(proto byte, port int, to netip.Addr, toPort int) Element {
	return element(append([]byte{proto, 0, 0, 0}, portBytes(port)...), append(to.AsSlice(), portBytes(toPort)...))
}

// Twin is an element of Twins.
func Twin(from, to netip.Addr) Element { return element(from.AsSlice(), to.AsSlice()) }

// Door is an element of Doors.
func Door(a netip.Addr, at, to int) Element {
	return element(append(a.AsSlice(), portBytes(at)...), append(a.AsSlice(), portBytes(to)...))
}

// Tunnel is an element of Tunnels.
func Tunnel(sender netip.Addr, number uint32, source netip.Addr) Element {
	return element(slices.Concat(sender.AsSlice(), numberBytes(number), source.AsSlice()), nil)
}

// Sender is an element of Senders.
func Sender(a netip.Addr, number uint32) Element {
	return element(append(a.AsSlice(), numberBytes(number)...), nil)
}

// Number is an element of Numbers.
func Number(n uint32) Element { return element(numberBytes(n), nil) }

// numberBytes is a network identifier as in the packet: 24 bits and 8 reserved.
func numberBytes(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n<<8) }

// JumpFor is an element of Jumps.
func JumpFor(link, chain string) Element { return jumpFor(linkBytes(link), chain) }

// DepartureFor is an element of Departures.
func DepartureFor(a netip.Addr, chain string) Element { return jumpFor(a.AsSlice(), chain) }

func jumpFor(key []byte, chain string) Element {
	return Element{[]nftables.SetElement{{Key: key, VerdictData: &expr.Verdict{Kind: expr.VerdictJump, Chain: chain}}}}
}

func linkBytes(name string) []byte {
	b := make([]byte, 16) // IFNAMSIZ
	copy(b, name)
	return b
}

func portBytes(p int) []byte { return []byte{byte(p >> 8), byte(p), 0, 0} }

// after is the first address behind a range; invalid at the end of the space.
func after(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(b).Next()
}
