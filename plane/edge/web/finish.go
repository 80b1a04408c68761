package web

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// finish counts the request and writes its line, whatever became of it.
func (x *exchange) finish() {
	x.measure()
	if x.l.logged && x.engine.Access != nil {
		x.text = x.line(x.text[:0])
		x.engine.Access(x.l.balancer.ARN, x.node, x.text)
	}
}

func (x *exchange) measure() {
	requests, bytes := measure{"RequestCount", 1}, measure{"ProcessedBytes", float64(x.got.Load() + x.sent)}
	if x.to.status != 0 {
		waited := measure{responseTime, x.to.waited.Seconds()}
		x.countHere(requests, bytes, waited)
		x.countGroup(x.zone(), requests, measure{ofTargets[x.to.status/100], 1}, waited)
		x.countGroup("", measure{"RequestCountPerTarget", 1})
		return
	}
	if x.asked.Method != "" { // it was one at all
		x.countHere(requests, bytes)
	}
	if x.status >= 300 {
		x.countHere(measure{ofBalancers[x.status/100], 1})
	}
	switch x.status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		x.countHere(measure{fmt.Sprintf("HTTPCode_ELB_%d_Count", x.status), 1})
	}
}

// ofTargets and ofBalancers are the metrics of answers, by the hundreds of their status.
var ( // never changed
	ofTargets   = metrics("HTTPCode_Target_%dXX_Count")
	ofBalancers = metrics("HTTPCode_ELB_%dXX_Count")
)

func metrics(form string) (names [6]string) {
	for n := range names {
		names[n] = fmt.Sprintf(form, n)
	}
	return names
}

// line appends the request as it is in the access log.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
func (x *exchange) line(b []byte) []byte {
	l := line{append(b, x.kind()...)}
	l.time(x.engine.Now())
	l.field(x.l.name)
	l.field(x.conn.from)
	if x.to.target != nil {
		l.field(x.to.target.address)
	} else {
		l.field("-")
	}
	for _, took := range [...]time.Duration{x.to.requested, x.to.waited, x.to.answered} {
		l.spent(took, x.to.status != 0)
	}
	l.status(x.status)
	l.status(x.to.status)
	l.number(x.got.Load())
	l.number(x.sent)
	x.askedFor(&l)
	x.secured(&l)
	l.field(cmp.Or(x.to.group, "-"))
	l.quoted(cmp.Or(x.trace, "-"))
	x.certified(&l)
	if x.rule != nil {
		l.number(int64(x.at))
	} else {
		l.field("-")
	}
	l.time(x.began)
	l.list(x.did, ",")
	l.quoted(cmp.Or(x.to.redirect, "-"))
	l.quoted(cmp.Or(x.to.reason, "-"))
	l.list(x.to.tried, " ")
	l.open()
	l.digits(x.to.status)
	l.close()
	l.quoted(cmp.Or(x.class, "-"))
	l.quoted(cmp.Or(x.odd, "-"))
	l.field(x.conn.trace)
	return l.text
}

func (x *exchange) kind() string {
	secure := x.conn.tls != nil
	switch {
	case x.status == http.StatusSwitchingProtocols && secure:
		return "wss"
	case x.status == http.StatusSwitchingProtocols:
		return "ws"
	case x.asked.Major == 2 && begins(x.asked.Fields.Get("Content-Type"), "application/grpc"):
		return "grpcs"
	case x.asked.Major == 2:
		return "h2"
	case secure:
		return "https"
	}
	return "http"
}
