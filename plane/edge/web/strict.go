package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// refuse is why a request is not served at all; nil when it is. What net/http itself
// refuses (conflicting lengths, bad chunks, broken lines) never comes here.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#desync-mitigation-mode
func (x *exchange) refuse() *failure {
	r := x.r
	switch {
	case len(r.RequestURI) > maxLine:
		return tooLong
	case r.Method == http.MethodTrace || r.Method == http.MethodConnect:
		return noMethod
	case r.ProtoMajor == 1 && r.Host == "" && r.ProtoMinor >= 1:
		return badRequest
	case hops(r.Header) > maxHops:
		return tooManyHops
	case lineTooLong(r.Header):
		return badRequest
	}
	if x.l.desync != "monitor" && ambiguous(r, x.l.desync == "strictest") {
		return badRequest
	}
	return nil
}

// maxHops is how many addresses X-Forwarded-For may have before ours.
const maxHops = 30

func hops(h http.Header) (n int) {
	for _, line := range h["X-Forwarded-For"] {
		n += strings.Count(line, ",") + 1
	}
	return n
}

func lineTooLong(h http.Header) bool {
	for name, values := range h {
		for _, v := range values {
			if len(name)+len(v)+2 > maxLine {
				return true
			}
		}
	}
	return false
}

// ambiguous requests are those that two servers may understand differently.
func ambiguous(r *http.Request, strictest bool) bool {
	if len(r.TransferEncoding) > 0 && r.Header.Get("Content-Length") != "" {
		return true
	}
	if len(r.Header["Transfer-Encoding"]) > 0 && len(r.TransferEncoding) == 0 {
		return true
	}
	if strings.ContainsAny(r.RequestURI, "\x00\r\n\t ") {
		return true
	}
	for name := range r.Header {
		if looksLikeLength(name) {
			return true
		}
	}
	if !strictest {
		return false
	}
	if r.ContentLength > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return true
	}
	return !validHost(r.Host)
}

// looksLikeLength tells names that some servers take for the two that frame a body.
func looksLikeLength(name string) bool {
	if !strings.ContainsAny(name, "_ ") {
		return false
	}
	squeezed := strings.ToLower(strings.NewReplacer("_", "-", " ", "").Replace(name))
	return squeezed != strings.ToLower(name) && (squeezed == "content-length" || squeezed == "transfer-encoding")
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
