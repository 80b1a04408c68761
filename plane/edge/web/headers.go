package web

import (
	"net"
	"strconv"
	"strings"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// hop tells the headers that concern one connection only (RFC 9110, 7.6.1).
func hop(f *wire.Field) bool {
	switch len(f.Name) {
	case 2:
		return f.Is("Te")
	case 7:
		return f.Is("Upgrade")
	case 10:
		return f.Is("Connection") || f.Is("Keep-Alive")
	case 16:
		return f.Is("Proxy-Connection")
	case 17:
		return f.Is("Transfer-Encoding")
	case 18:
		return f.Is("Proxy-Authenticate")
	case 19:
		return f.Is("Proxy-Authorization")
	}
	return false
}

// withoutHops removes them, and those that Connection names.
func withoutHops(fs *wire.Fields) {
	for _, line := range named(*fs) {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" {
				fs.Del(name)
			}
		}
	}
	fs.DelFunc(hop)
}

// named are the values of Connection that name other headers.
func named(fs wire.Fields) (lines []string) {
	for n := range fs {
		if f := &fs[n]; f.Is("Connection") && !strings.EqualFold(f.Value, "keep-alive") && !strings.EqualFold(f.Value, "close") {
			lines = append(lines, f.Value)
		}
	}
	return lines
}

// outgoing makes the request's head as targets get it.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
func (x *exchange) outgoing(p *pool) {
	o := &x.out
	o.fields = append(o.fields[:0], x.asked.Fields...)
	withoutHops(&o.fields)
	o.fields.DelFunc(func(f *wire.Field) bool { return x.replaced(f) || x.l.dropInvalid && invalid(f.Name) })
	if p.Group.ProtocolVersion == "GRPC" {
		o.fields.Add("Te", "trailers")
	}
	x.forwardedFor()
	o.fields.Add("X-Forwarded-Proto", x.l.scheme)
	o.fields.Add("X-Forwarded-Port", x.l.port)
	o.fields.Add("X-Amzn-Trace-Id", x.trace)
	x.identify()
	o.host, o.target = x.asked.Host, x.asked.Origin()
	if !x.l.preserveHost {
		o.host = withoutOwnPort(o.host, x.l.Port, x.l.Protocol)
	}
	for n := range x.rule.rewrites {
		o.rewrite(&x.rule.rewrites[n])
	}
}

// replaced tells what targets hear from us and not from clients: how a client is
// connected, and who it is.
func (x *exchange) replaced(f *wire.Field) bool {
	switch len(f.Name) {
	case 6:
		return f.Is("Expect") // the front says Continue
	case 15:
		if f.Is("X-Amzn-Trace-Id") {
			return true
		}
	case 16:
		if f.Is("X-Forwarded-Port") {
			return true
		}
	case 17:
		if f.Is("X-Forwarded-Proto") {
			return true
		}
	}
	return begins(f.Name, "X-Amzn-Mtls-") || begins(f.Name, "X-Amzn-Tls-") || begins(f.Name, oidcHeaders) && !x.identified
}

const oidcHeaders = "X-Amzn-Oidc-"

func begins(name, with string) bool {
	return len(name) >= len(with) && strings.EqualFold(name[:len(with)], with)
}

// head is what a target is asked.
type head struct {
	fields wire.Fields
	host   string
	target string // path and query
}

func (o *head) rewrite(w *rewrite) {
	if w.host {
		if to := w.from.ReplaceAllString(o.host, w.to); !spaced(to) {
			o.host = to
		}
		return
	}
	if to := w.from.ReplaceAllString(o.target, w.to); strings.HasPrefix(to, "/") && !spaced(to) {
		o.target = to
	}
}

// spaced tells what would end a line, or a part of the request line.
func spaced(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

// withoutOwnPort removes the port that the protocol has anyway.
func withoutOwnPort(host string, port int, protocol string) string {
	if strings.IndexByte(host, ':') >= 0 && (protocol == "HTTP" && port == 80 || protocol == "HTTPS" && port == 443) {
		if h, p, err := net.SplitHostPort(host); err == nil && p == strconv.Itoa(port) && !strings.Contains(h, ":") {
			return h
		}
	}
	return host
}

func (x *exchange) forwardedFor() {
	const name = "X-Forwarded-For"
	if x.l.forwarded == "preserve" {
		return
	}
	before := x.out.fields.Values(name)
	if len(before) > 0 {
		x.out.fields.Del(name)
	}
	if x.l.forwarded == "remove" {
		return
	}
	client := x.conn.address
	if x.l.clientPort {
		client = x.conn.from
	}
	if len(before) > 0 {
		client = strings.Join(before, ", ") + ", " + client
	}
	x.out.fields.Add(name, client)
}

// invalid are names that are not letters, digits and hyphens.
func invalid(name string) bool {
	for n := range len(name) {
		if c := name[n]; c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return true
		}
	}
	return false
}
