package ruleset

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Words are a part of a sentence: a condition or what to do.
type Words []expr.Any

// Hook is where in a packet's way a chain stands.
type Hook int

// The hooks in use. Raw comes before connection tracking: nothing has been
// translated there yet.
const (
	Raw Hook = iota
	Mangle
	NATIn
	Input
	Forward
	NATOutput
	Output
	NATOut
)

func (h Hook) chain(name string, table *nftables.Table) *nftables.Chain {
	kind, at, priority := nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriority(0)
	switch h {
	case Raw:
		priority = -300
	case Mangle:
		priority = -150
	case NATIn:
		kind, priority = nftables.ChainTypeNAT, -100
	case Input:
		at = nftables.ChainHookInput
	case Forward:
		at = nftables.ChainHookForward
	case NATOutput:
		kind, at, priority = nftables.ChainTypeNAT, nftables.ChainHookOutput, -100
	case Output:
		at = nftables.ChainHookOutput
	case NATOut:
		kind, at, priority = nftables.ChainTypeNAT, nftables.ChainHookPostrouting, 100
	}
	return &nftables.Chain{Name: name, Table: table, Type: kind, Hooknum: at, Priority: &priority}
}

// Registers: 1 and 2 are 16 bytes wide; 9 is the second 4 bytes of 1.
const (
	reg       = 1
	regSecond = 2
	regNext4  = 9
)

func meta(key expr.MetaKey) expr.Any { return &expr.Meta{Key: key, Register: reg} }

func equal(b []byte) expr.Any   { return &expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: b} }
func differs(b []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: b} }

func header(offset, length uint32) expr.Any {
	return &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}
}

func source() expr.Any      { return header(12, 4) }
func destination() expr.Any { return header(16, 4) }

func masked(load expr.Any, p netip.Prefix) Words {
	mask := make([]byte, 4)
	binary.BigEndian.PutUint32(mask, ^uint32(0)<<(32-p.Bits()))
	return Words{load, &expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		equal(p.Masked().Addr().AsSlice())}
}

func in(set string, invert bool) expr.Any {
	return &expr.Lookup{SourceRegister: reg, SetName: set, Invert: invert}
}

// From, To: the packet's source or destination lies in the range.
func From(p netip.Prefix) Words { return masked(source(), p) }
func To(p netip.Prefix) Words   { return masked(destination(), p) }

// ToOne: the packet's destination is the address.
func ToOne(a netip.Addr) Words { return Words{destination(), equal(a.AsSlice())} }

// To6: the packet's IPv6 destination is the address. Only in tables of Open6.
func To6(a netip.Addr) Words { return Words{header(24, 16), equal(a.AsSlice())} }

// FromSet, ToSet: the packet's source or destination is in the set.
func FromSet(set string) Words { return Words{source(), in(set, false)} }
func ToSet(set string) Words   { return Words{destination(), in(set, false)} }

// NotFromSet, NotToSet: the packet's source or destination is not in the set.
func NotFromSet(set string) Words { return Words{source(), in(set, true)} }
func NotToSet(set string) Words   { return Words{destination(), in(set, true)} }

// In, Out: the interface the packet came by, or leaves by.
func In(link string) Words  { return Words{meta(expr.MetaKeyIIFNAME), equal(linkBytes(link))} }
func Out(link string) Words { return Words{meta(expr.MetaKeyOIFNAME), equal(linkBytes(link))} }

// NotIn: it came by any other interface.
func NotIn(link string) Words { return Words{meta(expr.MetaKeyIIFNAME), differs(linkBytes(link))} }

// InSet, OutSet: the interface is one of the set.
func InSet(set string) Words  { return Words{meta(expr.MetaKeyIIFNAME), in(set, false)} }
func OutSet(set string) Words { return Words{meta(expr.MetaKeyOIFNAME), in(set, false)} }

// InLike, NotOutLike: the interface's name starts so, or does not.
func InLike(prefix string) Words { return Words{meta(expr.MetaKeyIIFNAME), equal([]byte(prefix))} }
func NotOutLike(prefix string) Words {
	return Words{meta(expr.MetaKeyOIFNAME), differs([]byte(prefix))}
}

// KnownEnd: the pair of incoming interface and source address is in the set.
func KnownEnd(set string) Words {
	return Words{
		meta(expr.MetaKeyIIFNAME),
		&expr.Payload{DestRegister: regSecond, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		in(set, false),
	}
}

func state(key expr.CtKey, bits uint32) Words {
	return Words{
		&expr.Ct{Key: key, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: native(bits), Xor: make([]byte, 4)},
		differs(make([]byte, 4)),
	}
}

// Established: the packet belongs or relates to a known connection.
func Established() Words {
	return state(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
}

// New: the packet begins a connection.
func New() Words { return state(expr.CtKeySTATE, expr.CtStateBitNEW) }

// Answer: the packet goes against the direction in which its connection began.
func Answer() Words {
	const reply = 1 // IP_CT_DIR_REPLY
	return Words{&expr.Ct{Key: expr.CtKeyDIRECTION, Register: reg}, equal([]byte{reply})}
}

// Marked: the connection has a mark.
func Marked() Words {
	return Words{&expr.Ct{Key: expr.CtKeyMARK, Register: reg}, differs(make([]byte, 4))}
}

// FromMAC: the sender's hardware address on the link. Only where packets come in.
func FromMAC(mac net.HardwareAddr) Words {
	return Words{&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseLLHeader, Offset: 6, Len: 6}, equal(mac)}
}

// Translated: the connection's destination was translated.
func Translated() Words {
	const dstNAT = 1 << 5 // IPS_DST_NAT
	return state(expr.CtKeySTATUS, dstNAT)
}

// ToThisHost: the destination is an address of this namespace.
func ToThisHost() Words {
	return Words{&expr.Fib{Register: reg, FlagDADDR: true, ResultADDRTYPE: true}, equal(native(unix.RTN_LOCAL))}
}

// Protocol: the packet's transport.
func Protocol(p byte) Words { return Words{meta(expr.MetaKeyL4PROTO), equal([]byte{p})} }

// PortIs: the destination port. It must follow Protocol.
func PortIs(p int) Words { return Words{port(reg), equal(portBytes(p)[:2])} }

// AskedPortIs, AskedPortBetween: the destination port that the connection began with,
// before it was translated. They must follow Protocol.
func AskedPortIs(p int) Words { return Words{askedPort(), equal(portBytes(p)[:2])} }
func AskedPortBetween(first, last int) Words {
	return Words{askedPort(), &expr.Range{Op: expr.CmpOpEq, Register: reg, FromData: portBytes(first)[:2], ToData: portBytes(last)[:2]}}
}

func askedPort() expr.Any {
	const original = 0 // IP_CT_DIR_ORIGINAL
	return &expr.Ct{Key: expr.CtKeyPROTODST, Direction: original, Register: reg}
}

// ICMPType, ICMPCode: the message's. They must follow Protocol.
func ICMPType(t byte) Words { return Words{transport(0), equal([]byte{t})} }
func ICMPCode(c byte) Words { return Words{transport(1), equal([]byte{c})} }

func transport(offset uint32) expr.Any {
	return &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 1}
}

func port(register uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}
}

// Where a VXLAN packet, from its UDP header on, has its number and the source of the
// IPv4 packet it carries (RFC 7348, 5).
const (
	tunnelNumber = 8 + 4
	tunnelSource = 8 + 8 + 14 + 12
	regThird     = 10
)

// FromTunnel: a VXLAN packet's sender, number and inner source are in the set of
// Tunnels. It must follow Protocol and PortIs.
func FromTunnel(set string) Words {
	return Words{source(), inner(regNext4, tunnelNumber), inner(regThird, tunnelSource), in(set, false)}
}

// FromSender: a VXLAN packet's sender and number are in the set of Senders.
func FromSender(set string) Words {
	return Words{source(), inner(regNext4, tunnelNumber), in(set, false)}
}

// OfNumber: a VXLAN packet's number is in the set of Numbers.
func OfNumber(set string) Words { return Words{inner(reg, tunnelNumber), in(set, false)} }

func inner(register, offset uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 4}
}

// OfGroup: the sender is a process of the control group with this id, level
// steps below the root of the unified hierarchy. Only where packets leave.
func OfGroup(level int, id uint64) Words {
	b := make([]byte, 8)
	binary.NativeEndian.PutUint64(b, id)
	return Words{&expr.Socket{Key: expr.SocketKeyCgroupv2, Level: uint32(level), Register: reg}, equal(b)}
}

func native(v uint32) []byte {
	b := make([]byte, 4)
	binary.NativeEndian.PutUint32(b, v)
	return b
}
