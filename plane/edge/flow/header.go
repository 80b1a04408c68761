package flow

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// line is the header of version 1 of the proxy protocol, which Classic balancers send.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/enable-proxy-protocol.html
func line(from, to netip.AddrPort) []byte {
	return fmt.Appendf(nil, "PROXY TCP4 %s %s %d %d\r\n", from.Addr().Unmap(), to.Addr().Unmap(), from.Port(), to.Port())
}

// header of version 2 of the proxy protocol tells the target who connected to what.
// Connections that came by an endpoint name it, as AWS does.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#proxy-protocol
func header(source, destination netip.AddrPort, endpoint string) []byte {
	const (
		signature    = "\r\n\r\n\x00\r\nQUIT\n"
		proxied      = 0x21
		tcpOverIPv4  = 0x11
		typeAWS      = 0xEA
		subtypeVPCEs = 0x01
	)
	var body []byte
	for _, a := range []netip.Addr{source.Addr(), destination.Addr()} {
		b := a.Unmap().As4()
		body = append(body, b[:]...)
	}
	body = binary.BigEndian.AppendUint16(body, source.Port())
	body = binary.BigEndian.AppendUint16(body, destination.Port())
	if endpoint != "" {
		body = append(body, typeAWS)
		body = binary.BigEndian.AppendUint16(body, uint16(len(endpoint)+1))
		body = append(append(body, subtypeVPCEs), endpoint...)
	}
	out := append([]byte(signature), proxied, tcpOverIPv4)
	return append(binary.BigEndian.AppendUint16(out, uint16(len(body))), body...)
}
