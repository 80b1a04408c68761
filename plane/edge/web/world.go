package web

import (
	"crypto/tls"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// world is a snapshot, made ready for requests. It never changes.
type world struct {
	from      *balancer.Snapshot // nil before the first
	listeners map[place]*listener
	pools     map[string]*pool // by ARN of the target group
}

// listener is a listener with its rules in order; the last one is the default.
type listener struct {
	balancer *balancer.Balancer
	*balancer.Listener
	rules   []rule
	zones   map[string]string // of nodes, by interface
	tls     *tls.Config       // nil for HTTP
	answers []balancer.Header // set in each answer
	lock    lock
	signs   []*balancer.OIDCAction // that have clients sign in
	logged  bool                   // requests are
	greets  bool                   // connections are logged
	settings
}

// settings are attributes that every request asks for.
type settings struct {
	desync       string
	dropInvalid  bool
	preserveHost bool
	tlsHeaders   bool
	clientPort   bool
	forwarded    string // append, preserve, remove
	serverHeader bool
	idle         time.Duration // how long nothing may be heard from client or target
	keepAlive    time.Duration // how long a client may keep a connection
	scheme, port string        // in words
	name         string        // of the balancer, in the access log
}

// rule is a rule, made ready.
type rule struct {
	*balancer.Rule // nil for the default one
	matches        balancer.Matcher
	actions        []balancer.Action
	rewrites       []rewrite
}

// rewrite is a transform, made ready.
type rewrite struct {
	host bool
	from *regexp.Regexp
	to   string
}

// pool is a target group with its targets.
type pool struct {
	*balancer.Pool
	targets []*target
	turn    *atomic.Uint64 // of round robin; it outlives snapshots
	means
}

// means are a group's attributes that every request asks for.
type means struct {
	algorithm       string
	slowStart       time.Duration
	least, share    int // of targets that must be healthy; 0 for one
	sticky          bool
	cookie, appName string        // what stickiness hangs on; appName is empty for the balancer's own
	stays           time.Duration // how long it lasts
}

func meansOf(g *balancer.TargetGroup) means {
	m := means{
		algorithm: g.Attribute(balancer.Algorithm), slowStart: g.Seconds(balancer.SlowStart),
		sticky: g.Enabled(balancer.StickinessEnabled), cookie: cookieLB, stays: g.Seconds(balancer.LBCookieDuration),
	}
	m.least, _ = strconv.Atoi(g.Attribute(balancer.MinimumCount)) // "off" is none
	m.share, _ = strconv.Atoi(g.Attribute(balancer.MinimumPercent))
	if g.Attribute(balancer.StickinessType) == "app_cookie" {
		m.cookie, m.stays, m.appName = cookieApp, g.Seconds(balancer.AppCookieDuration), g.Attribute(balancer.AppCookieName)
	}
	return m
}

func (e *Engine) newWorld(s *balancer.Snapshot) *world {
	w := &world{from: s, listeners: map[place]*listener{}, pools: map[string]*pool{}}
	for n := range s.Pools {
		p := &pool{Pool: &s.Pools[n], means: meansOf(&s.Pools[n].Group)}
		p.turn = e.targets.turn(p.Group.ARN)
		for i := range p.Targets {
			p.targets = append(p.targets, e.targets.get(&p.Group, &p.Targets[i]))
		}
		w.pools[p.Group.ARN] = p
	}
	certificates := e.certificatesOf(s)
	for n := range s.Fronts {
		f := &s.Fronts[n]
		if f.Balancer.Kind == balancer.Network {
			continue
		}
		keeps := e.lockOf(&f.Balancer)
		for i := range f.Listeners {
			l := newListener(f, &f.Listeners[i])
			l.lock = keeps
			if l.Protocol == "HTTPS" {
				l.tls = e.configOf(l, s, certificates)
			}
			for _, n := range f.Nodes {
				w.listeners[place{n.InterfaceID, l.Port}] = l
			}
		}
	}
	return w
}

func newListener(f *balancer.Front, fl *balancer.FrontListener) *listener {
	b := &f.Balancer
	l := &listener{balancer: b, Listener: &fl.Listener, zones: map[string]string{}, logged: b.Enabled(balancer.AccessLogs), greets: b.Enabled(balancer.ConnectionLogs)}
	l.settings = settings{
		desync: b.Attribute(balancer.DesyncMitigation), dropInvalid: b.Enabled(balancer.DropInvalidHeaders),
		preserveHost: b.Enabled(balancer.PreserveHost), tlsHeaders: b.Enabled(balancer.TLSHeaders), clientPort: b.Enabled(balancer.XFFClientPort),
		forwarded: b.Attribute(balancer.XFFMode), serverHeader: l.Enabled(balancer.ServerHeader),
		idle: b.Seconds(balancer.IdleTimeout), keepAlive: b.Seconds(balancer.ClientKeepAlive),
		scheme: strings.ToLower(l.Protocol), port: strconv.Itoa(l.Port),
		name: strings.TrimPrefix(b.ARN[max(0, strings.LastIndex(b.ARN, "loadbalancer/")):], "loadbalancer/"),
	}
	for _, n := range f.Nodes {
		l.zones[n.InterfaceID] = n.Zone
	}
	for i := range fl.Rules {
		r := &fl.Rules[i]
		l.rules = append(l.rules, rule{r, balancer.MatcherOf(r.Conditions), balancer.InOrder(r.Actions), rewritesOf(r.Transforms)})
	}
	l.rules = append(l.rules, rule{matches: func(*balancer.Request) bool { return true }, actions: balancer.InOrder(fl.Listener.Default)})
	l.signs = signInsOf(l.rules)
	l.answers = l.ResponseHeaders()
	return l
}

func rewritesOf(all []balancer.Transform) []rewrite {
	var out []rewrite
	for _, t := range all {
		if re, err := regexp.Compile(t.Regex); err == nil {
			out = append(out, rewrite{t.Type == "host-header-rewrite", re, t.Replace})
		}
	}
	return out
}
