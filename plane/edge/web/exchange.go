package web

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/signin"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// exchange is one request and what becomes of it, the same for all versions of HTTP. Its
// goroutine owns it.
type exchange struct {
	*front
	l      *listener
	world  *world
	client client
	conn   *connection
	asked  wire.Request
	host   string           // in lower case, without the port
	seen   balancer.Request // as the conditions of rules do
	trace  string
	began  time.Time
	now    time.Time // by the clock, when something was last waited for
	rule   *rule
	at     int // priority of the rule; 0 for the default one
	did    []string
	to     outcome

	out    head        // what a target is asked
	answer wire.Answer // what it answers
	body   wire.Body   // of the answer
	own    wire.Fields // of the answer to the client
	status int         // of it; 0 before it begins
	sent   int64       // bytes of its body

	got        atomic.Int64 // bytes of the request's body
	ended      atomic.Bool  // all of it was read
	identified bool         // the client signed in: our headers say who it is
	class      string       // AWS's classification of what is odd about the request; empty for none
	odd        string       // its reason

	targets []*target // those that may be asked
	text    []byte    // the line of the log
}

// exchange gives one that nobody uses; forget takes it back.
func (e *Engine) exchange() *exchange {
	if x, ok := e.exchanges.Get().(*exchange); ok {
		return x
	}
	return &exchange{}
}

// forget keeps the memory of an exchange for another one, and nothing that was in it.
func (e *Engine) forget(x *exchange) {
	clear(x.did)
	clear(x.targets)
	clear(x.to.tried)
	asked, sent, heard, tried := emptied(x.asked.Fields), emptied(x.out.fields), emptied(x.answer.Fields), x.to.tried[:0]
	*x = exchange{
		did: x.did[:0], own: emptied(x.own), targets: x.targets[:0], text: x.text[:0], seen: balancer.Request{Header: x.seen.Header},
	}
	x.asked.Fields, x.out.fields, x.answer.Fields, x.to.tried = asked, sent, heard, tried
	e.exchanges.Put(x)
}

func emptied(fs wire.Fields) wire.Fields {
	clear(fs)
	return fs[:0]
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

// serve has the request answered, counted and logged.
func (x *exchange) serve(f *front, w *world, l *listener, conn *connection, c client) {
	x.front, x.world, x.l, x.conn, x.client = f, w, l, conn, c
	x.began, x.now = f.engine.Now(), time.Now()
	x.trace = traceOf(x.asked.Fields.Get("X-Amzn-Trace-Id"), x.began)
	x.host = hostOf(x.asked.Host)
	x.ended.Store(x.asked.Length == 0)
	defer x.finish() // of those that are cut off as well
	x.handle()
}

// handle finds the rule and takes its actions.
func (x *exchange) handle() {
	if refused := x.refuse(); refused != nil {
		x.fail(refused)
		return
	}
	if x.asked.Path == signin.BackPath && len(x.l.signs) > 0 {
		x.back()
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
	seen := &x.seen
	seen.Method, seen.Host, seen.Path, seen.Query, seen.Source = x.asked.Method, x.host, x.asked.Path, x.asked.Query, x.conn.client.Addr()
	if seen.Header == nil {
		seen.Header = x.values
	}
	for n := range x.l.rules {
		if x.l.rules[n].matches(seen) {
			if n >= freeRules {
				x.count("RuleEvaluations", float64(n+1-freeRules))
			}
			return &x.l.rules[n]
		}
	}
	return &x.l.rules[len(x.l.rules)-1]
}

// values are those of a header, as conditions know it.
func (x *exchange) values(name string) []string {
	if strings.EqualFold(name, "host") {
		return []string{x.asked.Host}
	}
	return x.asked.Fields.Values(name)
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
	if strings.IndexByte(s, ':') >= 0 {
		if h, _, err := net.SplitHostPort(s); err == nil {
			s = h
		}
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// traceOf adds our part to a trace header, or begins one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
func traceOf(said string, now time.Time) string {
	mark := make([]byte, 0, 64)
	mark = append(mark, "Root=1-"...)
	mark = strconv.AppendInt(mark, now.Unix(), 16)
	mark = appendID(append(mark, '-'), 12)
	if said == "" {
		return string(mark)
	}
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
	if root {
		copy(mark, "Self")
	}
	return strings.Join(append([]string{string(mark)}, kept...), ";")
}

// hexID is n bytes that nobody else has, in hexadecimal.
func hexID(n int) string { return string(appendID(nil, n)) }

func appendID(to []byte, n int) []byte {
	var b [16]byte
	for i := 0; i < n; i += 8 {
		r := rand.Uint64()
		for j := range 8 {
			b[i+j] = byte(r >> (8 * j))
		}
	}
	return hex.AppendEncode(to, b[:n])
}

func (x *exchange) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return x.engine.Dial(ctx, x.node, to)
}

// count counts what is the whole balancer's.
func (x *exchange) count(name string, n float64) {
	x.engine.counts.add(subject{balancer: x.l.balancer.ARN}, measure{name, n})
}

// countHere counts what is of this node's zone.
func (x *exchange) countHere(all ...measure) {
	x.engine.counts.add(subject{balancer: x.l.balancer.ARN, zone: x.zone()}, all...)
}

// countGroup counts what is of the target group, in a zone or in all.
func (x *exchange) countGroup(zone string, all ...measure) {
	x.engine.counts.add(subject{x.l.balancer.ARN, x.to.group, zone}, all...)
}

func (x *exchange) zone() string { return x.l.zones[x.node] }

// begin begins the answer with the fields that were set.
func (x *exchange) begin(status int, reason string, length int64) error {
	x.status = status
	return ofClientWriting(x.client.begin(status, reason, x.own, length))
}

// say is an answer of the balancer's own, with all of its body.
func (x *exchange) say(status int, body []byte) {
	x.now = time.Now()
	if !x.ended.Load() {
		_, whole := x.client.whole()
		x.ended.Store(whole)
		x.asked.Last = x.asked.Last || !whole // nobody waits for the rest
	}
	if x.begin(status, "", int64(len(body))) != nil {
		return // who went away hears nothing
	}
	if x.asked.Method != "HEAD" {
		x.sent = int64(len(body))
		if x.client.write(body) != nil {
			return
		}
	}
	_ = x.client.end(nil)
}
