package web

import (
	"fmt"
)

// failure is an answer of the balancer's own.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
type failure struct {
	status int
	title  string
	reason string // error_reason of the access log; empty for none
	closes bool   // the connection ends with it
}

var ( // never changed
	badRequest     = &failure{status: 400, title: "Bad Request", closes: true}
	unauthorized   = &failure{status: 401, title: "Authorization Required"}
	forbidden      = &failure{status: 403, title: "Forbidden"}
	noMethod       = &failure{status: 405, title: "Not Allowed", closes: true}
	tooSlow        = &failure{status: 408, title: "Request Time-out", closes: true}
	tooLong        = &failure{status: 414, title: "Request-URI Too Large", closes: true}
	hungUp         = &failure{status: 460, title: ""}
	headTooLarge   = &failure{status: 431, title: "Request Header Fields Too Large", closes: true}
	tooManyHops    = &failure{status: 463, title: "", closes: true}
	wrongProtocol  = &failure{status: 464, title: ""}
	internal       = &failure{status: 500, title: "Internal Server Error"}
	notImplemented = &failure{status: 501, title: "Not Implemented", closes: true}
	badGateway     = &failure{status: 502, title: "Bad Gateway"}
	noTarget       = &failure{status: 503, title: "Service Temporarily Unavailable"}
	timedOut       = &failure{status: 504, title: "Gateway Time-out"}
	noVersion      = &failure{status: 505, title: "HTTP Version Not Supported", closes: true}
	noIdentity     = &failure{status: 561, title: ""}
)

// refusals answer what is no request, by their status.
var refusals = map[int]*failure{ // never changed
	400: badRequest, 414: tooLong, 431: headTooLarge, 501: notImplemented, 505: noVersion,
}

// fail answers with a failure, unless an answer has begun: then the connection is cut,
// so that nobody takes half an answer for a whole.
func (x *exchange) fail(f *failure) {
	if x.to.reason == "" {
		x.to.reason = f.reason
	}
	if x.status != 0 {
		x.client.abort()
		return
	}
	x.own = x.own[:0]
	x.ownHeaders()
	if f.closes {
		x.asked.Last = true
	}
	x.own.Set("Content-Type", "text/html")
	x.say(f.status, page(f))
}

func page(f *failure) []byte {
	title := fmt.Sprint(f.status)
	if f.title != "" {
		title += " " + f.title
	}
	return fmt.Appendf(nil, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title, title)
}

// ownHeaders are those of every answer that is the balancer's own.
func (x *exchange) ownHeaders() {
	if x.l.serverHeader {
		x.own.Set("Server", "awselb/2.0")
	}
	x.answerHeaders()
}

func (x *exchange) answerHeaders() {
	for _, h := range x.l.answers {
		x.own.Set(h.name, h.value)
	}
}
