package web

import (
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// hopByHop are the headers that concern one connection only (RFC 9110, 7.6.1).
var hopByHop = [...]string{ // never changed
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Transfer-Encoding", "Upgrade",
}

// withoutHops removes them, and those that Connection names.
func withoutHops(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = textproto.TrimString(name); name != "" {
				h.Del(name)
			}
		}
	}
	for _, name := range hopByHop {
		delete(h, name)
	}
}

// outgoing is the request's head as targets get it.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
func (x *exchange) outgoing(p *pool) *head {
	h := x.r.Header.Clone()
	grpc := p.Group.ProtocolVersion == "GRPC"
	withoutHops(h)
	delete(h, "Expect") // the front has said Continue
	if grpc {
		h.Set("Te", "trailers")
	}
	if x.l.dropInvalid {
		dropInvalid(h)
	}
	x.forwardedFor(h)
	h.Set("X-Forwarded-Proto", strings.ToLower(x.l.Protocol))
	h.Set("X-Forwarded-Port", strconv.Itoa(x.l.Port))
	if !x.l.classic() {
		h.Set("X-Amzn-Trace-Id", x.trace)
	}
	x.identify(h)
	o := &head{header: h, host: x.r.Host, target: x.r.RequestURI}
	if !strings.HasPrefix(o.target, "/") && o.target != "*" {
		o.target = x.r.URL.RequestURI()
	}
	if !x.l.preserveHost {
		o.host = withoutOwnPort(o.host, x.l.Port, x.l.Protocol)
	}
	for _, w := range x.rule.rewrites {
		o.rewrite(&w)
	}
	return o
}

// head is what a target is asked.
type head struct {
	header http.Header
	host   string
	target string // path and query
}

func (o *head) rewrite(w *rewrite) {
	if w.host {
		o.host = w.from.ReplaceAllString(o.host, w.to)
		return
	}
	if to := w.from.ReplaceAllString(o.target, w.to); strings.HasPrefix(to, "/") {
		o.target = to
	}
}

// withoutOwnPort removes the port that the protocol has anyway.
func withoutOwnPort(host string, port int, protocol string) string {
	if protocol == "HTTP" && port == 80 || protocol == "HTTPS" && port == 443 {
		if h, p, err := net.SplitHostPort(host); err == nil && p == strconv.Itoa(port) && !strings.Contains(h, ":") {
			return h
		}
	}
	return host
}

func (x *exchange) forwardedFor(h http.Header) {
	const name = "X-Forwarded-For"
	switch x.l.forwarded {
	case "preserve":
		return
	case "remove":
		delete(h, name)
		return
	}
	client := x.client.Addr().String()
	if x.l.clientPort {
		client = x.client.String()
	}
	if before := h.Values(name); len(before) > 0 {
		client = strings.Join(before, ", ") + ", " + client
	}
	h[name] = []string{client}
}

// dropInvalid removes the headers whose names are not letters, digits and hyphens.
func dropInvalid(h http.Header) {
	for name := range h {
		for n := range len(name) {
			if c := name[n]; c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
				delete(h, name)
				break
			}
		}
	}
}
