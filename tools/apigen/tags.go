package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// tag makes the struct tag of a member; wire's package comment tells its words.
func (g *generator) tag(parent *shape, member string, r *ref) string {
	target := g.model.Shapes[r.Shape]
	words := append([]string{wireName(member, r)}, g.nameWords(member, r, target)...)
	words = append(words, bindingWords(parent, member, r)...)
	if f := timeFormat(r, target); f != "" {
		words = append(words, "time="+f)
	}
	if slices.Contains(parent.Required, member) {
		words = append(words, "req")
	}
	words = append(words, bounds("", target)...)
	if r.IdempotencyToken {
		words = append(words, "token")
	}
	if target.Sensitive {
		words = append(words, "secret")
	}
	patterns := ""
	if target.Pattern != "" {
		patterns += " match:" + strconv.Quote(target.Pattern)
	}
	if inner := g.element(target); inner != nil {
		words = append(words, bounds("each.", inner)...)
		if inner.Pattern != "" {
			patterns += " each:" + strconv.Quote(inner.Pattern)
		}
		if inner.Sensitive && !target.Sensitive {
			words = append(words, "secret")
		}
	}
	if target.Type == "map" {
		words = append(words, bounds("key.", g.model.Shapes[target.Key.Shape])...)
	}
	return quoteTag("wire:" + strconv.Quote(strings.Join(words, ",")) + patterns)
}

func quoteTag(tag string) string {
	if strings.Contains(tag, "`") {
		return strconv.Quote(tag)
	}
	return "`" + tag + "`"
}

func wireName(member string, r *ref) string {
	if r.LocationName != "" {
		return r.LocationName
	}
	return member
}

// speaksXML tells whether names of list items and map entries reach the wire.
func (g *generator) speaksXML() bool {
	return slices.ContainsFunc(g.protocols(), func(p string) bool { return p == "wire.AWSQuery" || p == "wire.EC2Query" })
}

// nameWords are the names that only query strings and XML show.
func (g *generator) nameWords(member string, r *ref, target *shape) []string {
	if !g.speaksXML() {
		return nil
	}
	var words []string
	if q := g.queryName(member, r); q != wireName(member, r) {
		words = append(words, "query="+q)
	}
	if r.Flattened || target.Flattened {
		words = append(words, "flat")
	}
	switch target.Type {
	case "list":
		if target.Member.LocationName != "" {
			words = append(words, "item="+target.Member.LocationName)
		}
	case "map":
		if n := target.Key.LocationName; n != "" {
			words = append(words, "key="+n)
		}
		if n := target.Value.LocationName; n != "" {
			words = append(words, "value="+n)
		}
	}
	return words
}

// queryName is a member's name in a query string. EC2 has a rule of its own.
func (g *generator) queryName(member string, r *ref) string {
	switch {
	case g.model.Metadata.Protocol != "ec2":
		return wireName(member, r)
	case r.QueryName != "":
		return r.QueryName
	}
	name := wireName(member, r)
	return strings.ToUpper(name[:1]) + name[1:]
}

// bindingWords say where in the HTTP message a member of restJson1 lives. None of
// the services at hand binds members to headers, status or payload; the codec does
// not know these words and says so.
func bindingWords(parent *shape, member string, r *ref) []string {
	if parent.Payload == member {
		return []string{"in=payload"}
	}
	switch r.Location {
	case "":
		return nil
	case "uri":
		return []string{"in=path"}
	case "querystring":
		return []string{"in=query"}
	}
	return []string{"in=" + r.Location}
}

func timeFormat(r *ref, target *shape) string {
	if target.Type != "timestamp" {
		return ""
	}
	f := r.TimestampFormat
	if f == "" {
		f = target.TimestampFormat
	}
	return map[string]string{"iso8601": "iso8601", "rfc822": "http", "unixTimestamp": "unix"}[f]
}

// element is what a list holds or a map maps to, when that is a scalar.
func (g *generator) element(s *shape) *shape {
	var inner *shape
	switch s.Type {
	case "list":
		inner = g.model.Shapes[s.Member.Shape]
	case "map":
		inner = g.model.Shapes[s.Value.Shape]
	}
	if inner == nil || inner.Type == "structure" {
		return nil
	}
	return inner
}

func bounds(prefix string, s *shape) []string {
	var words []string
	if s.Min != nil && !(*s.Min == 0 && s.Type != "integer" && s.Type != "long" && s.Type != "double" && s.Type != "float") {
		words = append(words, prefix+"min="+number(*s.Min))
	}
	if s.Max != nil {
		words = append(words, prefix+"max="+number(*s.Max))
	}
	return words
}

func number(f float64) string {
	return strings.TrimSuffix(fmt.Sprint(strconv.FormatFloat(f, 'f', -1, 64)), ".0")
}
