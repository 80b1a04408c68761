package haproxy

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
)

// page is the body of an answer of the balancer's own.
func page(status int, title string) string {
	return fmt.Sprintf("<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n</body>\r\n</html>\r\n", status, title, status, title)
}

// action writes what happens with a request that rule n took.
func (r *render) action(n int, l *balancer.Listener, actions []balancer.Action) {
	taken := fmt.Sprintf("{ var(txn.rule) -m int %d }", n)
	for _, a := range balancer.InOrder(actions) {
		switch {
		case a.Fixed != nil:
			r.line("  http-request return status %d%s if %s", a.Fixed.Status, body(a.Fixed), taken)
		case a.Redirect != nil:
			r.redirect(l, a.Redirect, taken)
		case a.Forward != nil:
			r.forward(n, a.Forward, taken)
		}
	}
}

func body(a *balancer.FixedAction) string {
	if a.Body == "" {
		return ""
	}
	kind := a.ContentType
	if kind == "" {
		kind = "text/plain"
	}
	return " content-type " + quoted(kind) + " string " + quoted(a.Body)
}

// redirect answers with AWS's page, which HAProxy's own redirects lack.
func (r *render) redirect(l *balancer.Listener, a *balancer.RedirectAction, taken string) {
	send := func(location, when string) {
		r.line("  http-request return status %d content-type text/html hdr Location %s string %s if %s%s",
			a.Status, quoted(location), quoted(page(a.Status, http.StatusText(a.Status))), taken, when)
	}
	place := location(l, a)
	switch query := cmp.Or(a.Query, "#{query}"); query {
	case "#{query}":
		send(place+"?%[query]", " { query -m found }")
		send(place, "")
	default:
		send(place+"?"+expanded(l, query), "")
	}
}

func location(l *balancer.Listener, a *balancer.RedirectAction) string {
	out := strings.ToLower(expanded(l, cmp.Or(a.Protocol, "#{protocol}"))) + "://" + expanded(l, cmp.Or(a.Host, "#{host}"))
	return out + ":" + expanded(l, cmp.Or(a.Port, "#{port}")) + expanded(l, cmp.Or(a.Path, "/#{path}"))
}

// expanded is a part of a redirect as a log format.
func expanded(l *balancer.Listener, text string) string {
	return strings.NewReplacer(
		"#{protocol}", strings.ToLower(l.Protocol), "#{host}", "%[req.hdr(host),field(1,:)]", "#{port}", fmt.Sprint(l.Port),
		"#{path}", "%[path,regsub(^/,)]", "#{query}", "%[query]",
	).Replace(formatted(text))
}

// forward spreads requests over backends by weight.
func (r *render) forward(n int, a *balancer.ForwardAction, taken string) {
	total := 0
	for _, g := range a.Groups {
		total += g.Weight
	}
	if total == 0 {
		r.line("  use_backend nowhere if %s", taken)
		return
	}
	r.line("  http-request set-var(txn.pick) rand(%d) if %s", total, taken)
	below := 0
	for _, g := range a.Groups {
		below += g.Weight
		if g.Weight > 0 {
			r.use(r.backendOf(g.GroupARN), fmt.Sprintf("%s { var(txn.pick) -m int lt %d }", taken, below))
		}
	}
}

// use has requests go to a backend when it is their turn, whether it has healthy servers
// or not.
func (r *render) use(backend, when string) {
	if backend != nowhere {
		r.uses = append(r.uses, fmt.Sprintf("  use_backend %s if %s { nbsrv(%s) eq 0 }", open(backend), when, backend))
	}
	r.uses = append(r.uses, fmt.Sprintf("  use_backend %s if %s", backend, when))
}
