package balancer

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConditions(t *testing.T) {
	r := &Request{
		Method: "GET", Host: "www.example.com", Path: "/img/Cat.png", Query: "version=V1&x&debug=on",
		Header: func(name string) []string {
			if strings.EqualFold(name, "User-Agent") {
				return []string{"curl/8", "Chrome 99"}
			}
			return nil
		},
		Source: netip.MustParseAddr("10.1.2.3"),
	}
	for _, c := range []struct {
		condition Condition
		want      bool
	}{
		{Condition{Field: HostHeader, Values: []string{"*.EXAMPLE.com"}}, true},
		{Condition{Field: HostHeader, Values: []string{"example.com", "www.example.??"}}, false},
		{Condition{Field: HostHeader, Regex: []string{`^(www|api)\.Example`}}, true},
		{Condition{Field: PathPattern, Values: []string{"/img/*"}}, true},
		{Condition{Field: PathPattern, Values: []string{"/img/cat.png"}}, false},
		{Condition{Field: PathPattern, Regex: []string{`\.png$`}}, true},
		{Condition{Field: HTTPHeader, Header: "user-agent", Values: []string{"chrome*"}}, true},
		{Condition{Field: HTTPHeader, Header: "Accept", Values: []string{"*"}}, false},
		{Condition{Field: RequestMethod, Values: []string{"POST", "GET"}}, true},
		{Condition{Field: RequestMethod, Values: []string{"get"}}, false},
		{Condition{Field: QueryString, Query: []Query{{"version", "v1"}}}, true},
		{Condition{Field: QueryString, Query: []Query{{"", "on"}}}, true},
		{Condition{Field: QueryString, Query: []Query{{"debug", "off"}}}, false},
		{Condition{Field: SourceIP, Values: []string{"192.168.0.0/16", "10.1.0.0/16"}}, true},
		{Condition{Field: SourceIP, Values: []string{"10.2.0.0/16"}}, false},
		{Condition{Field: "moon-phase"}, false},
	} {
		if got := MatcherOf([]Condition{c.condition})(r); got != c.want {
			t.Errorf("%+v: %v", c.condition, got)
		}
	}
	both := []Condition{{Field: RequestMethod, Values: []string{"GET"}}, {Field: PathPattern, Values: []string{"/x"}}}
	if MatcherOf(both)(r) {
		t.Error("one condition of two is enough")
	}
}

func TestWildcardsAreAsRegularExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?]{0,8}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab]{0,10}`).Draw(t, "s")
		re := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + "$")
		if got, want := Wildcard(pattern, s, false), re.MatchString(s); got != want {
			t.Fatalf("%q of %q: %v", pattern, s, got)
		}
	})
}
