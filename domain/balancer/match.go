package balancer

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Request is what the conditions of rules look at.
type Request struct {
	Method string
	Host   string // in lower case, without the port
	Path   string // as it was sent, without the query
	Query  string // as it was sent
	Header func(name string) []string
	Source netip.Addr
}

// Matcher tells whether a request meets a condition.
type Matcher func(*Request) bool

// MatcherOf are a rule's conditions, all of which must be met. A pattern that cannot be
// read meets nothing.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
func MatcherOf(conditions []Condition) Matcher {
	all := make([]Matcher, len(conditions))
	for n := range conditions {
		all[n] = conditions[n].matcher()
	}
	return func(r *Request) bool {
		for _, m := range all {
			if !m(r) {
				return false
			}
		}
		return true
	}
}

func (c *Condition) matcher() Matcher {
	switch c.Field {
	case HostHeader:
		is := c.texts(true)
		return func(r *Request) bool { return is(r.Host) }
	case PathPattern:
		is := c.texts(false)
		return func(r *Request) bool { return is(r.Path) }
	case HTTPHeader:
		is, name := c.texts(true), c.Header
		return func(r *Request) bool { return slices.ContainsFunc(r.Header(name), is) }
	case RequestMethod:
		return func(r *Request) bool { return slices.Contains(c.Values, r.Method) }
	case QueryString:
		return c.queries()
	case SourceIP:
		return c.sources()
	}
	return func(*Request) bool { return false }
}

// texts matches any of the values, or of the regular expressions.
func (c *Condition) texts(fold bool) func(string) bool {
	var regexes []*regexp.Regexp
	for _, text := range c.Regex {
		if fold {
			text = "(?i)" + text
		}
		if re, err := regexp.Compile(text); err == nil {
			regexes = append(regexes, re)
		}
	}
	return func(s string) bool {
		for _, pattern := range c.Values {
			if Wildcard(pattern, s, fold) {
				return true
			}
		}
		return slices.ContainsFunc(regexes, func(re *regexp.Regexp) bool { return re.MatchString(s) })
	}
}

// queries matches any of the pairs; a pair without a key looks at values only.
func (c *Condition) queries() Matcher {
	return func(r *Request) bool {
		for pair := range strings.SplitSeq(r.Query, "&") {
			key, value, _ := strings.Cut(pair, "=")
			for _, q := range c.Query {
				if (q.Key == "" || Wildcard(q.Key, key, true)) && Wildcard(q.Value, value, true) {
					return true
				}
			}
		}
		return false
	}
}

func (c *Condition) sources() Matcher {
	var ranges []netip.Prefix
	for _, text := range c.Values {
		if p, err := netip.ParsePrefix(text); err == nil {
			ranges = append(ranges, p)
		}
	}
	return func(r *Request) bool {
		return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(r.Source) })
	}
}

// Wildcard tells whether s is as the pattern says: "*" stands for any characters,
// none included, "?" for exactly one. fold takes upper and lower case ASCII for equal.
func Wildcard(pattern, s string, fold bool) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || same(pattern[p], s[i], fold)):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func same(a, b byte, fold bool) bool { return a == b || fold && lower(a) == lower(b) }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
