package web

import (
	"net/netip"
	"strings"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// Limits of requests, as AWS documents them; of HTTP/1, package wire has them.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
const (
	maxHeader = 64 << 10 // all lines of a request
	maxLine   = 16 << 10 // one header, and the request line
)

// refuse is why a request is not served at all; nil when it is. What is no request of
// HTTP never comes here.
func (x *exchange) refuse() *failure {
	r := &x.asked
	switch {
	case len(r.Target) > maxLine:
		return tooLong
	case r.Method == "TRACE" || r.Method == "CONNECT":
		return noMethod
	case hops(r.Fields) > maxHops:
		return tooManyHops
	case r.Major > 1 && lineTooLong(r.Fields):
		return badRequest
	}
	return x.mitigate()
}

// mitigate refuses what two servers may understand differently, or lets it be the last
// on its connections, as the balancer's mode says.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#desync-mitigation-mode
func (x *exchange) mitigate() *failure {
	disguised := x.asked.Fields.Any(looksLikeLength)
	switch {
	case disguised:
		x.class, x.odd = "Ambiguous", "SuspiciousHeader"
	case x.asked.Odd != "":
		x.class, x.odd = "Ambiguous", x.asked.Odd
	case x.l.desync == "strictest" && !plainly(x.asked.Target):
		x.class, x.odd = "Ambiguous", "AmbiguousUri"
	case x.l.desync == "strictest" && x.asked.Host != "" && !validHost(x.asked.Host):
		x.class, x.odd = "Acceptable", "NonCompliantHeader"
	}
	switch {
	case x.class == "" || x.l.desync == "monitor":
		return nil
	case disguised, x.l.desync == "strictest":
		return badRequest
	}
	x.asked.Last = true
	return nil
}

// maxHops is how many addresses X-Forwarded-For may have before ours.
const maxHops = 30

func hops(fs wire.Fields) (n int) {
	for i := range fs {
		if fs[i].Is("X-Forwarded-For") {
			n += strings.Count(fs[i].Value, ",") + 1
		}
	}
	return n
}

func lineTooLong(fs wire.Fields) bool {
	return fs.Any(func(f *wire.Field) bool { return len(f.Name)+len(f.Value)+2 > maxLine })
}

// looksLikeLength tells names that some servers take for the two that frame a body.
func looksLikeLength(f *wire.Field) bool {
	return strings.IndexByte(f.Name, '_') >= 0 && (disguises(f.Name, "content-length") || disguises(f.Name, "transfer-encoding"))
}

func disguises(name, as string) bool {
	return len(name) == len(as) && strings.EqualFold(strings.ReplaceAll(name, "_", "-"), as)
}

// plainly tells whether a target has nothing but what RFC 3986 lets it have.
func plainly(target string) bool {
	for n := range len(target) {
		if c := target[n]; c >= 0x80 || strings.IndexByte("\"<>\\^`{|}#", c) >= 0 {
			return false
		}
	}
	return true
}

func validHost(host string) bool {
	host = hostOf(host)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	for _, c := range host {
		if c != '-' && c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return host != ""
}
