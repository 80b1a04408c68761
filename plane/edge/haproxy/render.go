// Package haproxy carries Application balancers by HAProxy, for those who ask for that
// engine: one process in each node's network namespace. What it does not do is said in
// balancer.HAProxyLacks, and refused when it is asked for.
//
// Render makes a configuration of a balancer; targets that come and go are told to the
// running process, everything else takes another that gets the sockets of the first, so that
// no connection is lost.
// https://docs.haproxy.org/2.6/configuration.html
package haproxy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
)

// Place is where a process of HAProxy is.
type Place struct {
	Address string // of the node
	Dir     string // of its files: the control socket, and the certificates of a port
}

// control is the socket that a process listens to.
func (p Place) control() string { return p.Dir + "/control.sock" }

// certificates is the list of a port's certificates.
func (p Place) certificates(port int) string { return fmt.Sprintf("%s/%d.list", p.Dir, port) }

// render is a configuration in the making.
type render struct {
	text   strings.Builder
	uses   []string // lines of the frontend that choose backends
	pools  []balancer.Pool
	needed map[string]bool // backends, by name
}

func (r *render) line(format string, args ...any) { fmt.Fprintf(&r.text, format+"\n", args...) }

// Render is the configuration of a balancer's node. Without servers it is what only a
// reload changes.
func Render(f *balancer.Front, pools []balancer.Pool, at Place, servers bool) string {
	r := &render{pools: pools, needed: map[string]bool{}}
	r.head(f, at)
	for n := range f.Listeners {
		r.frontend(&f.Balancer, &f.Listeners[n], at)
	}
	for n := range pools {
		if r.needed[name(n)] {
			r.backend(name(n), &pools[n], servers, true)
			r.backend(open(name(n)), &pools[n], servers, false)
		}
	}
	r.line("\nbackend nowhere")
	return r.text.String()
}

func (r *render) head(f *balancer.Front, at Place) {
	idle := int(f.Balancer.Seconds(balancer.IdleTimeout).Seconds())
	r.line("global")
	r.line("  stats socket %s mode 600 level admin expose-fd listeners", at.control())
	r.line("  hard-stop-after %ds", 3600)
	r.line("\ndefaults")
	r.line("  mode http")
	r.line("  timeout connect 10s")
	r.line("  timeout client %ds", idle)
	r.line("  timeout server %ds", idle)
	r.line("  timeout http-request 60s")
	r.line("  retries 2")
	r.line("  option redispatch 1")
	// A client that keeps a connection to a worker that is to end hears so with an answer.
	r.line("  option idle-close-on-response")
	for _, e := range []struct {
		status int
		title  string
	}{{400, "Bad Request"}, {408, "Request Timeout"}, {502, "Bad Gateway"}, {503, "Service Temporarily Unavailable"}, {504, "Gateway Time-out"}} {
		r.line("  http-error status %d content-type text/html string %s", e.status, quoted(page(e.status, e.title)))
	}
}

func (r *render) frontend(b *balancer.Balancer, l *balancer.FrontListener, at Place) {
	port := l.Listener.Port
	r.line("\nfrontend port%d", port)
	r.line("  bind %s:%d%s", at.Address, port, secure(b, &l.Listener, at))
	r.headers(b, &l.Listener)
	const free = "!{ var(txn.rule) -m found }"
	for n := range l.Rules {
		var met []string
		for c := range l.Rules[n].Conditions {
			met = append(met, condition(&l.Rules[n].Conditions[c]))
		}
		r.line("  http-request set-var(txn.rule) int(%d) if %s %s", n+1, free, strings.Join(met, " "))
	}
	r.line("  http-request set-var(txn.rule) int(0) if %s", free)
	r.uses = nil
	for n := range l.Rules {
		r.action(n+1, &l.Listener, l.Rules[n].Actions)
	}
	r.action(0, &l.Listener, l.Listener.Default)
	for _, use := range r.uses {
		r.line("%s", use)
	}
	r.line("  default_backend nowhere")
}

// secure is how a listener speaks TLS.
func secure(b *balancer.Balancer, l *balancer.Listener, at Place) string {
	if l.Protocol != "HTTPS" {
		return ""
	}
	p, spoken := b.Negotiation(l), "http/1.1"
	if b.Enabled(balancer.HTTP2) {
		spoken = "h2,http/1.1"
	}
	out := " ssl crt-list " + at.certificates(l.Port) + " alpn " + spoken + " ssl-min-ver " + slices.Min(dotted(p.Protocols)) +
		" ssl-max-ver " + slices.Max(dotted(p.Protocols))
	var old, new13 []string
	for _, c := range p.Ciphers {
		if strings.HasPrefix(c, "TLS_") {
			new13 = append(new13, c)
		} else {
			old = append(old, c)
		}
	}
	if len(old) > 0 {
		out += " ciphers " + strings.Join(old, ":")
	}
	if len(new13) > 0 {
		out += " ciphersuites " + strings.Join(new13, ":")
	}
	return out
}

// dotted are versions of TLS in HAProxy's words.
func dotted(versions []string) (out []string) {
	for _, v := range versions {
		if v == "TLSv1" {
			v = "TLSv1.0"
		}
		out = append(out, v)
	}
	return out
}
