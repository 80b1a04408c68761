package haproxy

import (
	"strings"

	"github.com/berthhq/berth/domain/balancer"
)

// anything is the class of what * and ? stand for.
const anything = "."

// condition is an anonymous ACL: of its patterns one must match.
func condition(c *balancer.Condition) string {
	fetch, patterns := "", []string{}
	whole := func(values, regexes []string) (out []string) {
		for _, v := range values {
			out = append(out, "^"+wildcard(v, anything)+"$")
		}
		return append(out, regexes...)
	}
	switch c.Field {
	case balancer.HostHeader:
		fetch, patterns = "hdr(host),field(1,:) -m reg -i", whole(c.Values, c.Regex)
	case balancer.PathPattern:
		fetch, patterns = "path -m reg", whole(c.Values, c.Regex)
	case balancer.HTTPHeader:
		fetch, patterns = quoted("req.fhdr("+c.Header+")")+" -m reg -i", whole(c.Values, c.Regex)
	case balancer.RequestMethod:
		fetch, patterns = "method -m str", c.Values
	case balancer.SourceIP:
		fetch, patterns = "src", c.Values
	case balancer.QueryString:
		fetch = "query -m reg -i"
		for _, q := range c.Query {
			patterns = append(patterns, parameter(q))
		}
	}
	words := make([]string, len(patterns))
	for i, p := range patterns {
		words[i] = quoted(p)
	}
	return "{ " + fetch + " -- " + strings.Join(words, " ") + " }"
}

// parameter matches a key and value anywhere in a query; an empty key is any.
func parameter(q balancer.Query) string {
	key := "[^&=]*"
	if q.Key != "" {
		key = wildcard(q.Key, "[^&=]")
	}
	return "(^|&)" + key + "=" + wildcard(q.Value, "[^&]") + "(&|$)"
}
