package web

import (
	"crypto/tls"
	"regexp"

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
	logged  bool
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
}

func (e *Engine) newWorld(s *balancer.Snapshot) *world {
	w := &world{from: s, listeners: map[place]*listener{}, pools: map[string]*pool{}}
	for n := range s.Pools {
		p := &pool{Pool: &s.Pools[n]}
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
	l := &listener{balancer: b, Listener: &fl.Listener, zones: map[string]string{}, logged: b.Enabled(balancer.AccessLogs)}
	l.settings = settings{
		desync: b.Attribute(balancer.DesyncMitigation), dropInvalid: b.Enabled(balancer.DropInvalidHeaders),
		preserveHost: b.Enabled(balancer.PreserveHost), tlsHeaders: b.Enabled(balancer.TLSHeaders), clientPort: b.Enabled(balancer.XFFClientPort),
		forwarded: b.Attribute(balancer.XFFMode), serverHeader: l.Enabled(balancer.ServerHeader),
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
