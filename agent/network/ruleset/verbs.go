package ruleset

import (
	"net/netip"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

func verdict(kind expr.VerdictKind) Words { return Words{&expr.Verdict{Kind: kind}} }

// Accept lets the packet pass this hook.
func Accept() Words { return verdict(expr.VerdictAccept) }

// Drop ends the packet silently.
func Drop() Words { return verdict(expr.VerdictDrop) }

// Return goes back to the chain that jumped here.
func Return() Words { return verdict(expr.VerdictReturn) }

// Refuse ends the packet and tells its sender at once (ICMP: prohibited).
func Refuse() Words {
	const prohibited = 13 // RFC 1812, 5.2.7.1
	return Words{&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: prohibited}}
}

// Refuse6 is Refuse for tables of Open6.
func Refuse6() Words {
	const prohibited = 1 // RFC 4443, 3.1
	return Words{&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: prohibited}}
}

// Masquerade gives the packet the address of the interface it leaves by.
func Masquerade() Words { return Words{&expr.Masq{}} }

// BecomeTo gives the packet the destination that the map of Twins names for its own.
func BecomeTo(twins string) Words { return become(destination(), twins, expr.NATTypeDestNAT) }

// BecomeFrom gives the packet the source that the map of Twins names for its own.
func BecomeFrom(twins string) Words { return become(source(), twins, expr.NATTypeSourceNAT) }

func become(load expr.Any, twins string, kind expr.NATType) Words {
	return Words{
		load, &expr.Lookup{SourceRegister: reg, SetName: twins, DestRegister: reg, IsDestRegSet: true},
		&expr.NAT{Type: kind, Family: unix.NFPROTO_IPV4, RegAddrMin: reg},
	}
}

// Remember marks the connection.
func Remember(mark uint32) Words {
	return Words{
		&expr.Immediate{Register: reg, Data: native(mark)},
		&expr.Ct{Key: expr.CtKeyMARK, Register: reg, SourceRegister: true},
	}
}

// Recall marks the packet as its connection is.
func Recall() Words {
	return Words{
		&expr.Ct{Key: expr.CtKeyMARK, Register: reg},
		&expr.Meta{Key: expr.MetaKeyMARK, Register: reg, SourceRegister: true},
	}
}

// JumpIn, JumpOut go to the chain the map names for the packet's interface, if any.
func JumpIn(jumps string) Words  { return jump(meta(expr.MetaKeyIIFNAME), jumps) }
func JumpOut(jumps string) Words { return jump(meta(expr.MetaKeyOIFNAME), jumps) }

// JumpFrom goes to the chain the map of Departures names for the packet's source, if any.
func JumpFrom(departures string) Words { return jump(source(), departures) }

func jump(load expr.Any, jumps string) Words {
	return Words{load, &expr.Lookup{SourceRegister: reg, SetName: jumps, DestRegister: unix.NFT_REG_VERDICT, IsDestRegSet: true}}
}

// Publish sends the packet on to where the map of Ports says, if it says so.
func Publish(ports string) Words {
	return Words{
		meta(expr.MetaKeyL4PROTO), port(regNext4),
		&expr.Lookup{SourceRegister: reg, SetName: ports, DestRegister: reg, IsDestRegSet: true},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg, RegProtoMin: regNext4},
	}
}

// Enter sends the packet on to where the map of Doors says, if it says so. It must follow
// Protocol.
func Enter(doors string) Words {
	return Words{
		destination(), port(regNext4),
		&expr.Lookup{SourceRegister: reg, SetName: doors, DestRegister: reg, IsDestRegSet: true},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg, RegProtoMin: regNext4},
	}
}

// SendTo sends the packet on to the address and port.
func SendTo(to netip.AddrPort) Words {
	return Words{
		&expr.Immediate{Register: reg, Data: to.Addr().AsSlice()},
		&expr.Immediate{Register: regNext4, Data: portBytes(int(to.Port()))[:2]},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg, RegProtoMin: regNext4},
	}
}
