package web

import (
	"cmp"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
)

func (x *exchange) fixed(a *balancer.FixedAction) {
	x.ownHeaders()
	x.own.Set("Content-Type", cmp.Or(a.ContentType, "text/plain; charset=utf-8"))
	x.count("HTTP_Fixed_Response_Count", 1)
	x.say(a.Status, []byte(a.Body))
}

// redirect fills what the action leaves to the request.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#redirect-actions
func (x *exchange) redirect(a *balancer.RedirectAction) {
	protocol := strings.ToLower(x.l.Protocol)
	port := strconv.Itoa(x.l.Port)
	fill := strings.NewReplacer(
		"#{protocol}", protocol, "#{host}", x.host, "#{port}", port, "#{path}", strings.TrimPrefix(x.asked.Path, "/"), "#{query}", x.asked.Query,
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
	x.own.Set("Location", to)
	x.own.Set("Content-Type", "text/html")
	x.count("HTTP_Redirect_Count", 1)
	x.say(a.Status, page(&failure{status: a.Status, title: http.StatusText(a.Status)}))
}
