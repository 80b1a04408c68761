package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// exchange is one request and what becomes of it. Its goroutine owns it.
type exchange struct {
	*front
	l          *listener
	world      *world
	zone       string
	conn       *connection
	w          *counting
	r          *http.Request
	path       string // as it was sent, without the query
	host       string // in lower case, without the port
	client     netip.AddrPort
	trace      string
	began      time.Time
	rule       *rule
	at         int // priority of the rule; 0 for the default one
	did        []string
	to         outcome
	body       *counted
	identified bool // the client signed in: our headers say who it is
}

// outcome is what the log tells of the target.
type outcome struct {
	group            string // ARN
	target           *target
	status           int // the target's; 0 when it gave none
	requested        time.Duration
	waited           time.Duration // for the target's first byte
	answered         time.Duration
	redirect, reason string
	tried            []string // addresses
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	world := f.engine.world.Load()
	l := world.listeners[f.listener]
	if l == nil { // it was removed while this connection lived
		w.Header().Set("Connection", "close")
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	}
	x := &exchange{front: f, l: l, world: world, zone: l.zones[f.node], r: r, w: &counting{ResponseWriter: w}, began: f.engine.Now()}
	x.conn, _ = r.Context().Value(connKey{}).(*connection)
	x.client, _ = netip.ParseAddrPort(r.RemoteAddr)
	x.client = netip.AddrPortFrom(x.client.Addr().Unmap(), x.client.Port())
	x.body = &counted{ReadCloser: r.Body}
	r.Body = x.body
	x.trace = traceOf(r.Header.Get("X-Amzn-Trace-Id"), x.began)
	x.host, x.path = hostOf(r.Host), pathOf(r)
	x.old()
	defer x.finish() // of those that are cut off as well
	x.handle()
}

// old ends connections that have lived as long as the balancer lets them.
func (x *exchange) old() {
	if x.conn != nil && x.began.Sub(x.conn.began) > x.l.balancer.Seconds(balancer.ClientKeepAlive) && x.r.ProtoMajor == 1 {
		x.w.Header().Set("Connection", "close")
	}
}

// handle finds the rule and takes its actions.
func (x *exchange) handle() {
	if refused := x.refuse(); refused != nil {
		x.fail(refused)
		return
	}
	x.rule = x.find()
	if x.rule.Rule != nil {
		x.at = x.rule.Priority
	}
	for n := range x.rule.actions {
		if x.act(&x.rule.actions[n]) {
			return
		}
	}
	x.fail(noTarget)
}

func (x *exchange) find() *rule {
	seen := &balancer.Request{
		Method: x.r.Method, Host: x.host, Path: x.path, Query: x.r.URL.RawQuery, Source: x.client.Addr(),
		Header: func(name string) []string {
			if strings.EqualFold(name, "host") {
				return []string{x.r.Host}
			}
			return x.r.Header.Values(name)
		},
	}
	for n := range x.l.rules {
		if x.l.rules[n].matches(seen) {
			x.engine.counts.add(x.l.balancer.ARN, "", "", "RuleEvaluations", float64(max(0, n+1-freeRules)))
			return &x.l.rules[n]
		}
	}
	return &x.l.rules[len(x.l.rules)-1]
}

// freeRules are not counted as evaluations, on AWS's bill and in its metric.
const freeRules = 10

// act takes one action and tells whether the request has its answer.
func (x *exchange) act(a *balancer.Action) (over bool) {
	switch a.Type {
	case balancer.Forward:
		x.did = append(x.did, "forward")
		x.forward(a.Forward)
		return true
	case balancer.Redirect:
		x.did = append(x.did, "redirect")
		x.redirect(a.Redirect)
		return true
	case balancer.FixedResponse:
		x.did = append(x.did, "fixed-response")
		x.fixed(a.Fixed)
		return true
	case balancer.AuthenticateOIDC, balancer.AuthenticateCognito:
		x.did = append(x.did, "authenticate")
		return x.authenticate(a.OIDC)
	case balancer.ValidateJWT:
		x.did = append(x.did, "jwt-validation")
		return x.validate(a.JWT)
	}
	return false
}

// hostOf is a host without its port, in lower case.
func hostOf(s string) string {
	if h, _, err := net.SplitHostPort(s); err == nil {
		s = h
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// pathOf is the path as the client sent it.
func pathOf(r *http.Request) string {
	if p, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(p, "/") {
		return p
	}
	return r.URL.EscapedPath()
}

// traceOf adds our part to a trace header, or begins one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
func traceOf(said string, now time.Time) string {
	mark := "1-" + strconv.FormatInt(now.Unix(), 16) + "-" + hexID(12)
	var kept []string
	root := false
	for field := range strings.SplitSeq(said, ";") {
		name, _, ok := strings.Cut(strings.TrimSpace(field), "=")
		if !ok || name == "Self" {
			continue
		}
		root = root || name == "Root"
		kept = append(kept, strings.TrimSpace(field))
	}
	if !root {
		return strings.Join(append([]string{"Root=" + mark}, kept...), ";")
	}
	return strings.Join(append([]string{"Self=" + mark}, kept...), ";")
}

func hexID(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// idleTimeout is how long nothing may be heard from client or target.
func (x *exchange) idleTimeout() time.Duration { return x.l.balancer.Seconds(balancer.IdleTimeout) }

func (x *exchange) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return x.engine.Dial(ctx, x.node, to)
}
