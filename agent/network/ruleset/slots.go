package ruleset

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Slots maps numbers from 0 on to an address and port each.
func Slots() Kind {
	return Kind{key: nftables.TypeMark, data: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService)}
}

// Slot is an element of Slots.
func Slot(n int, to netip.AddrPort) Element {
	return element(native(uint32(n)), append(to.Addr().AsSlice(), portBytes(int(to.Port()))...))
}

// seed of the hash that spreads, the same at all times, so that an unchanged map leads
// a sender where it led before.
const seed = 0x62657274

// Spread sends the packet on to the one of n slots that its source's address and port
// say; bySource the address alone. It must follow Protocol.
func Spread(slots string, n int, bySource bool) Words {
	load, length := Words{source(), &expr.Payload{DestRegister: regNext4, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 2}}, 8
	if bySource {
		load, length = load[:1], 4
	}
	return append(load,
		&expr.Hash{SourceRegister: reg, DestRegister: reg, Length: uint32(length), Modulus: uint32(n), Seed: seed, Type: expr.HashTypeJenkins},
		&expr.Lookup{SourceRegister: reg, SetName: slots, DestRegister: reg, IsDestRegSet: true},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg, RegProtoMin: regNext4},
	)
}

// Note remembers a number with the connection; Noted finds it under a mask.
func Note(n uint32) Words {
	return Words{&expr.Immediate{Register: reg, Data: native(n)}, &expr.Ct{Key: expr.CtKeyMARK, Register: reg, SourceRegister: true}}
}

// Noted: the connection's number, under the mask, is n.
func Noted(n, mask uint32) Words {
	return Words{
		&expr.Ct{Key: expr.CtKeyMARK, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: native(mask), Xor: make([]byte, 4)},
		equal(native(n)),
	}
}

// Under gives the packet the source address, and a port of its choice.
func Under(a netip.Addr) Words {
	return Words{
		&expr.Immediate{Register: reg, Data: a.AsSlice()},
		&expr.NAT{Type: expr.NATTypeSourceNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg},
	}
}

// Counted counts the packets and bytes that come so far in their sentence.
func Counted() Words { return Words{&expr.Counter{}} }

// Count is what a sentence of a chain counted.
type Count struct{ Packets, Bytes uint64 }

// Counts reads the counters of a chain's sentences, in order; a sentence without one
// counts nothing.
func (t *Table) Counts(chain string) ([]Count, error) {
	table := t.draft().table
	rules, err := t.conn.GetRules(table, &nftables.Chain{Name: chain, Table: table})
	if err != nil {
		return nil, err
	}
	counts := make([]Count, len(rules))
	for n, r := range rules {
		for _, e := range r.Exprs {
			if c, ok := e.(*expr.Counter); ok {
				counts[n] = Count{c.Packets, c.Bytes}
			}
		}
	}
	return counts, nil
}
