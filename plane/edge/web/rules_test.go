package web_test

import (
	"net/http"
	"testing"

	"github.com/berthhq/berth/domain/balancer"
)

// TestRules has each rule of a listener hit once, each by another condition or action.
// Proves 4A.2.
func TestRules(t *testing.T) {
	a := named(t, "group a")
	values := func(field string, v ...string) []balancer.Condition {
		return []balancer.Condition{{Field: field, Values: v}}
	}
	s := newStand(t, func(s *stand) {
		s.pool("a", a)
		rule := func(n int, c []balancer.Condition, a balancer.Action) balancer.Rule {
			return balancer.Rule{ARN: "rule", Priority: n, Conditions: c, Actions: []balancer.Action{a}}
		}
		s.rules(
			rule(1, values(balancer.HostHeader, "api.*.com"), says(201, "host")),
			rule(2, values(balancer.PathPattern, "/img/*"), says(202, "path")),
			rule(3, []balancer.Condition{{Field: balancer.HTTPHeader, Header: "X-Kind", Values: []string{"b?ta"}}}, says(203, "header")),
			rule(4, values(balancer.RequestMethod, "PUT"), says(204, "")),
			rule(5, []balancer.Condition{{Field: balancer.QueryString, Query: []balancer.Query{{Key: "v", Value: "2"}}}}, says(205, "query")),
			rule(6, append(values(balancer.SourceIP, "10.0.0.0/8"), values(balancer.PathPattern, "/both")...), says(206, "unreached")),
			rule(7, append(values(balancer.SourceIP, "127.0.0.0/8"), values(balancer.PathPattern, "/both")...), says(207, "both")),
			rule(8, []balancer.Condition{{Field: balancer.PathPattern, Regex: []string{`^/item/\d+$`}}}, says(208, "regex")),
			rule(9, values(balancer.PathPattern, "/old/*"), balancer.Action{Type: balancer.Redirect, Redirect: &balancer.RedirectAction{
				Protocol: "HTTPS", Port: "443", Host: "new.#{host}", Path: "/moved/#{path}", Query: "from=#{protocol}&#{query}", Status: 301,
			}}),
			rule(10, values(balancer.PathPattern, "/same"), balancer.Action{Type: balancer.Redirect, Redirect: &balancer.RedirectAction{Port: "8443", Status: 302}}),
			rule(11, values(balancer.PathPattern, "/a"), to("a")),
			rule(12, values(balancer.PathPattern, "/nowhere"), forward(balancer.Weighted{GroupARN: "a"}, balancer.Weighted{GroupARN: "b"})),
		)
		s.otherwise(says(404, "default"))
	})
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	method := func(name string) func(*http.Request) { return func(r *http.Request) { r.Method = name } }
	for _, c := range []struct {
		path     string
		change   func(*http.Request)
		status   int
		body, to string
	}{
		{"/", host("API.example.com:8080"), 201, "host", ""},
		{"/img/x.png?v=2", nil, 202, "path", ""},
		{"/", header("X-Kind", "BETA"), 203, "header", ""},
		{"/", method("PUT"), 204, "", ""},
		{"/?a=1&v=2", nil, 205, "query", ""},
		{"/both", nil, 207, "both", ""},
		{"/item/42", nil, 208, "regex", ""},
		{"/old/x%20y?q=1", host("shop.com"), 301, "<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n<body>\r\n<center><h1>301 Moved Permanently</h1></center>\r\n</body>\r\n</html>\r\n", "https://new.shop.com:443/moved/old/x%20y?from=http&q=1"},
		{"/same?q=1", host("shop.com"), 302, "<html>\r\n<head><title>302 Found</title></head>\r\n<body>\r\n<center><h1>302 Found</h1></center>\r\n</body>\r\n</html>\r\n", "http://shop.com:8443/same?q=1"},
		{"/a", nil, 200, "group a", ""},
		{"/nowhere", nil, 503, "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n", ""},
		{"/else", nil, 404, "default", ""},
	} {
		var changes []func(*http.Request)
		if c.change != nil {
			changes = append(changes, c.change)
		}
		answer, body := s.ask(t, c.path, changes...)
		if answer.StatusCode != c.status || body != c.body || answer.Header.Get("Location") != c.to {
			t.Errorf("%s: %d %q %q", c.path, answer.StatusCode, body, answer.Header.Get("Location"))
		}
		if own := c.path != "/a"; own != (answer.Header.Get("Server") == "awselb/2.0") {
			t.Errorf("%s: server %q", c.path, answer.Header.Get("Server"))
		}
	}
}

func TestWeights(t *testing.T) {
	s := newStand(t, func(s *stand) {
		s.pool("a", named(t, "a"))
		s.pool("b", named(t, "b"))
		s.otherwise(forward(balancer.Weighted{GroupARN: "a", Weight: 90}, balancer.Weighted{GroupARN: "b", Weight: 10}))
	})
	heard := map[string]int{}
	for range 400 {
		_, body := s.ask(t, "/")
		heard[body]++
	}
	if heard["b"] < 10 || heard["b"] > 90 || heard["a"]+heard["b"] != 400 {
		t.Errorf("of weights 90 and 10 came %v", heard)
	}
}
