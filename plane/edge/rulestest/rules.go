// Package rulestest is the contract of engines that carry HTTP: a listener with rules,
// and what each request to it must get. Every engine is tried with it.
package rulestest

import (
	"io"
	"net/http"
	"testing"

	"github.com/berthhq/berth/domain/balancer"
)

// Says is an action that answers by itself.
func Says(status int, body string) balancer.Action {
	return balancer.Action{Type: balancer.FixedResponse, Fixed: &balancer.FixedAction{Status: status, ContentType: "text/plain", Body: body}}
}

// Forward is an action that spreads requests.
func Forward(groups ...balancer.Weighted) balancer.Action {
	return balancer.Action{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: groups}}
}

// Default is the listener's own action.
func Default() balancer.Action { return Says(404, "default") }

// Rules has one rule for each condition and action. The group "a" must have a target
// that says "group a"; requests come from 127.0.0.0/8.
func Rules() []balancer.Rule {
	values := func(field string, v ...string) []balancer.Condition {
		return []balancer.Condition{{Field: field, Values: v}}
	}
	rule := func(n int, c []balancer.Condition, a balancer.Action) balancer.Rule {
		return balancer.Rule{ARN: "rule", Priority: n, Conditions: c, Actions: []balancer.Action{a}}
	}
	return []balancer.Rule{
		rule(1, values(balancer.HostHeader, "api.*.com"), Says(201, "host")),
		rule(2, values(balancer.PathPattern, "/img/*"), Says(202, "path")),
		rule(3, []balancer.Condition{{Field: balancer.HTTPHeader, Header: "X-Kind", Values: []string{"b?ta"}}}, Says(203, "header")),
		rule(4, values(balancer.RequestMethod, "PUT"), Says(204, "")),
		rule(5, []balancer.Condition{{Field: balancer.QueryString, Query: []balancer.Query{{Key: "v", Value: "2"}}}}, Says(205, "query")),
		rule(6, append(values(balancer.SourceIP, "10.0.0.0/8"), values(balancer.PathPattern, "/both")...), Says(206, "unreached")),
		rule(7, append(values(balancer.SourceIP, "127.0.0.0/8"), values(balancer.PathPattern, "/both")...), Says(207, "both")),
		rule(8, []balancer.Condition{{Field: balancer.PathPattern, Regex: []string{`^/item/\d+$`}}}, Says(208, "regex")),
		rule(9, values(balancer.PathPattern, "/old/*"), balancer.Action{Type: balancer.Redirect, Redirect: &balancer.RedirectAction{
			Protocol: "HTTPS", Port: "443", Host: "new.#{host}", Path: "/moved/#{path}", Query: "from=#{protocol}&#{query}", Status: 301,
		}}),
		rule(10, values(balancer.PathPattern, "/same"), balancer.Action{Type: balancer.Redirect, Redirect: &balancer.RedirectAction{Port: "8443", Status: 302}}),
		rule(11, values(balancer.PathPattern, "/a"), Forward(balancer.Weighted{GroupARN: "a", Weight: 1})),
		rule(12, values(balancer.PathPattern, "/nowhere"), Forward(balancer.Weighted{GroupARN: "a"}, balancer.Weighted{GroupARN: "b"})),
	}
}

// Asked is a request, and what it must get.
type Asked struct {
	Path     string
	Change   func(*http.Request)
	Status   int
	Body, To string // To is the header Location
}

func page(status, title string) string {
	return "<html>\r\n<head><title>" + status + " " + title + "</title></head>\r\n<body>\r\n<center><h1>" + status + " " + title + "</h1></center>\r\n</body>\r\n</html>\r\n"
}

// Cases are requests that hit each rule once.
func Cases() []Asked {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	method := func(name string) func(*http.Request) { return func(r *http.Request) { r.Method = name } }
	return []Asked{
		{"/", host("API.example.com:8080"), 201, "host", ""},
		{"/img/x.png?v=2", nil, 202, "path", ""},
		{"/", header("X-Kind", "BETA"), 203, "header", ""},
		{"/", method("PUT"), 204, "", ""},
		{"/?a=1&v=2", nil, 205, "query", ""},
		{"/both", nil, 207, "both", ""},
		{"/item/42", nil, 208, "regex", ""},
		{"/old/x%20y?q=1", host("shop.com"), 301, page("301", "Moved Permanently"), "https://new.shop.com:443/moved/old/x%20y?from=http&q=1"},
		{"/same?q=1", host("shop.com"), 302, page("302", "Found"), "http://shop.com:8443/same?q=1"},
		{"/a", nil, 200, "group a", ""},
		{"/nowhere", nil, 503, page("503", "Service Temporarily Unavailable"), ""},
		{"/else", nil, 404, "default", ""},
	}
}

// Try asks all of it at an address.
func Try(t *testing.T, address string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for _, c := range Cases() {
		r, err := http.NewRequest(http.MethodGet, "http://"+address+c.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Change != nil {
			c.Change(r)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != c.Status || string(body) != c.Body || answer.Header.Get("Location") != c.To {
			t.Errorf("%s: %d %q %q, %v", c.Path, answer.StatusCode, body, answer.Header.Get("Location"), err)
		}
		if own := c.Path != "/a"; own != (answer.Header.Get("Server") == "awselb/2.0") {
			t.Errorf("%s: server %q", c.Path, answer.Header.Get("Server"))
		}
	}
}
