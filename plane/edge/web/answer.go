package web

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
)

func (x *exchange) fixed(a *balancer.FixedAction) {
	x.ownHeaders()
	h := x.w.Header()
	if a.ContentType != "" {
		h.Set("Content-Type", a.ContentType)
	} else {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	x.engine.counts.add(x.l.balancer.ARN, "", "", "HTTP_Fixed_Response_Count", 1)
	x.w.WriteHeader(a.Status)
	if x.r.Method != http.MethodHead {
		_, _ = io.WriteString(x.w, a.Body)
	}
}

// redirect fills what the action leaves to the request.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#redirect-actions
func (x *exchange) redirect(a *balancer.RedirectAction) {
	protocol := strings.ToLower(x.l.Protocol)
	port := strconv.Itoa(x.l.Port)
	fill := strings.NewReplacer(
		"#{protocol}", protocol, "#{host}", x.host, "#{port}", port, "#{path}", strings.TrimPrefix(x.path, "/"), "#{query}", x.r.URL.RawQuery,
	)
	or := func(said, otherwise string) string {
		if said == "" {
			said = otherwise
		}
		return fill.Replace(said)
	}
	scheme := strings.ToLower(or(a.Protocol, "#{protocol}"))
	host := net.JoinHostPort(or(a.Host, "#{host}"), or(a.Port, "#{port}"))
	to := scheme + "://" + host + or(a.Path, "/#{path}")
	if q := or(a.Query, "#{query}"); q != "" {
		to += "?" + q
	}
	x.to.redirect = to
	x.ownHeaders()
	h := x.w.Header()
	h.Set("Location", to)
	h.Set("Content-Type", "text/html")
	f := failure{status: a.Status, title: http.StatusText(a.Status)}
	body := page(&f)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.engine.counts.add(x.l.balancer.ARN, "", "", "HTTP_Redirect_Count", 1)
	x.w.WriteHeader(a.Status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body)
	}
}
