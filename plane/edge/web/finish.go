package web

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/plane/edge/ssl"
)

// finish counts the request and writes its line, whatever became of it.
func (x *exchange) finish() {
	x.measure()
	if x.l.logged && x.engine.Access != nil {
		x.engine.Access(x.l.balancer.ARN, x.node, x.line())
	}
}

func (x *exchange) measure() {
	c, arn, group := x.engine.counts, x.l.balancer.ARN, x.to.group
	count := func(name string, n float64) {
		c.add(arn, "", x.zone, name, n)
	}
	count("RequestCount", 1)
	count("ProcessedBytes", float64(x.body.bytes+x.w.bytes))
	if x.to.status != 0 {
		c.add(arn, group, x.zone, "RequestCount", 1)
		c.add(arn, group, "", "RequestCountPerTarget", 1)
		c.add(arn, group, x.zone, fmt.Sprintf("HTTPCode_Target_%dXX_Count", x.to.status/100), 1)
		c.add(arn, group, x.zone, responseTime, x.to.waited.Seconds())
		count(responseTime, x.to.waited.Seconds())
		return
	}
	if s := x.w.status; s >= 300 {
		count(fmt.Sprintf("HTTPCode_ELB_%dXX_Count", s/100), 1)
		switch s {
		case 500, 502, 503, 504:
			count(fmt.Sprintf("HTTPCode_ELB_%d_Count", s), 1)
		}
	}
}

// line is the request in the access log.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
func (x *exchange) line() string {
	if x.l.classic() {
		return x.classicLine()
	}
	now := x.engine.Now()
	state := x.r.TLS
	b := make([]byte, 0, 640)
	field := func(s string) { b = append(append(b, ' '), s...) }
	quoted := func(s string) { b = append(append(append(b, ' ', '"'), logged(s)...), '"') }
	b = append(b, x.kind()...)
	field(now.UTC().Format("2006-01-02T15:04:05.000000Z"))
	field(strings.TrimPrefix(x.l.balancer.ARN[strings.LastIndex(x.l.balancer.ARN, "loadbalancer/"):], "loadbalancer/"))
	field(x.client.String())
	field(cmp.Or(x.targetAddress(), "-"))
	field(x.spent(x.to.requested))
	field(x.spent(x.to.waited))
	field(x.spent(x.to.answered))
	field(cmp.Or(number(x.w.status), "-"))
	field(cmp.Or(number(x.to.status), "-"))
	field(strconv.FormatInt(x.body.bytes, 10))
	field(strconv.FormatInt(x.w.bytes, 10))
	quoted(x.r.Method + " " + x.url() + " " + x.r.Proto)
	quoted(cmp.Or(x.r.UserAgent(), "-"))
	cipher, version, name := "-", "-", "-"
	if state != nil {
		cipher, version, name = ssl.SuiteName(state.CipherSuite), ssl.VersionName(state.Version), cmp.Or(state.ServerName, "-")
	}
	field(cipher)
	field(version)
	field(cmp.Or(x.to.group, "-"))
	quoted(x.trace)
	quoted(name)
	quoted(x.certificate())
	field(x.priority())
	field(x.began.UTC().Format("2006-01-02T15:04:05.000000Z"))
	quoted(cmp.Or(strings.Join(x.did, ","), "-"))
	quoted(cmp.Or(x.to.redirect, "-"))
	quoted(cmp.Or(x.to.reason, "-"))
	quoted(cmp.Or(strings.Join(x.to.tried, " "), "-"))
	quoted(cmp.Or(number(x.to.status), "-"))
	quoted("-")
	quoted("-")
	if x.conn != nil {
		field(x.conn.trace)
	} else {
		field("-")
	}
	return string(append(b, '\n'))
}

func (x *exchange) kind() string {
	secure := x.r.TLS != nil
	switch {
	case x.w.status == http.StatusSwitchingProtocols && secure:
		return "wss"
	case x.w.status == http.StatusSwitchingProtocols:
		return "ws"
	case x.r.ProtoMajor == 2 && strings.HasPrefix(x.r.Header.Get("Content-Type"), "application/grpc"):
		return "grpcs"
	case x.r.ProtoMajor == 2:
		return "h2"
	case secure:
		return "https"
	}
	return "http"
}

func (x *exchange) targetAddress() string {
	if x.to.target == nil {
		return ""
	}
	return x.to.target.current.Load().Address.String()
}

// spent is a time in seconds, or -1 where no target had a part in it.
func (x *exchange) spent(d time.Duration) string {
	if x.to.status == 0 {
		return "-1"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64)
}

func (x *exchange) url() string {
	scheme := strings.ToLower(x.l.Protocol)
	return scheme + "://" + x.host + ":" + strconv.Itoa(x.l.Port) + x.r.URL.RequestURI()
}

func (x *exchange) certificate() string {
	if x.r.TLS == nil || len(x.l.Certificates) == 0 {
		return "-"
	}
	return x.l.Certificates[0]
}

func (x *exchange) priority() string {
	if x.rule == nil {
		return "-"
	}
	return strconv.Itoa(x.at)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// logged keeps a client from ending the field it is in.
func logged(s string) string {
	const bad = "\"\\\r\n\t"
	if !strings.ContainsAny(s, bad) {
		return s
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < ' ' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "\\x%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
