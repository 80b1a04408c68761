package policy

import "testing"

// met evaluates one condition block against keys.
func met(t *testing.T, block string, have map[string][]string) bool {
	t.Helper()
	a := applied(t, Identity, `"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+block+`}`)
	d := Decide(&Request{Principal: user("u"), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Keys: keys(have)}, &Policies{Identity: []Applied{*a}})
	return d.Effect == Allow
}

func TestOperators(t *testing.T) {
	for _, c := range []struct {
		block string
		value string
		want  bool
	}{
		{`"StringEquals":{"k":["a","b"]}`, "b", true},
		{`"StringEquals":{"k":"a"}`, "A", false},
		{`"StringEquals":{"k":"a*"}`, "ab", false},
		{`"StringEquals":{"k":"a*"}`, "a*", true},
		{`"StringNotEquals":{"k":["a","b"]}`, "b", false},
		{`"StringNotEquals":{"k":["a","b"]}`, "c", true},
		{`"StringEqualsIgnoreCase":{"k":"johndoe"}`, "JohnDoe", true},
		{`"StringNotEqualsIgnoreCase":{"k":"johndoe"}`, "JohnDoe", false},
		{`"StringLike":{"k":"a*c?"}`, "abbcd", true},
		{`"StringLike":{"k":"a?c"}`, "aéc", true},
		{`"StringLike":{"k":"A*"}`, "ab", false},
		{`"StringNotLike":{"k":"a*"}`, "ab", false},
		{`"NumericEquals":{"k":"10"}`, "10.0", true},
		{`"NumericNotEquals":{"k":"10"}`, "10", false},
		{`"NumericLessThan":{"k":"10"}`, "9", true},
		{`"NumericLessThan":{"k":"10"}`, "10", false},
		{`"NumericLessThanEquals":{"k":10}`, "10", true},
		{`"NumericGreaterThan":{"k":"-1.5"}`, "-1", true},
		{`"NumericGreaterThan":{"k":"10"}`, "10", false},
		{`"NumericGreaterThanEquals":{"k":"10"}`, "10", true},
		{`"NumericEquals":{"k":"10"}`, "ten", false},
		{`"NumericEquals":{"k":"10"}`, "0xa", false},
		{`"DateEquals":{"k":"2020-04-01T00:00:00Z"}`, "1585699200", true},
		{`"DateEquals":{"k":"2020-04-01"}`, "2020-04-01T02:00:00+02:00", true},
		{`"DateNotEquals":{"k":"2020-04-01"}`, "2020-04-02", true},
		{`"DateGreaterThan":{"k":"2020-04-01T00:00:00Z"}`, "2020-04-01T00:00:00.5Z", true},
		{`"DateGreaterThan":{"k":"2020-04-01T00:00:00Z"}`, "2020-04-01T00:00:00Z", false},
		{`"DateGreaterThanEquals":{"k":"2020-04-01T00:00:00Z"}`, "2020-04-01T00:00:00Z", true},
		{`"DateLessThan":{"k":"1585699200"}`, "2020-03-31T23:59:59Z", true},
		{`"DateLessThanEquals":{"k":"1585699200"}`, "2020-04-01T00:00Z", true},
		{`"DateLessThan":{"k":"2020-04-01"}`, "yesterday", false},
		{`"Bool":{"k":"true"}`, "True", true},
		{`"Bool":{"k":true}`, "false", false},
		{`"Bool":{"k":"false"}`, "0", false},
		{`"BinaryEquals":{"k":"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}`, "QmluYXJ5VmFsdWVJbkJhc2U2NA==", true},
		{`"BinaryEquals":{"k":"QmluYXJ5"}`, "QmluYXJ6", false},
		{`"IpAddress":{"k":"203.0.113.0/24"}`, "203.0.113.7", true},
		{`"IpAddress":{"k":"203.0.113.0/24"}`, "203.0.114.7", false},
		{`"IpAddress":{"k":"203.0.113.7"}`, "203.0.113.7", true},
		{`"IpAddress":{"k":"203.0.113.7"}`, "::ffff:203.0.113.7", true},
		{`"IpAddress":{"k":"2001:DB8:1234:5678::/64"}`, "2001:db8:1234:5678::1", true},
		{`"IpAddress":{"k":"2001:DB8:1234:5678::/64"}`, "203.0.113.7", false},
		{`"IpAddress":{"k":"203.0.113.0/24"}`, "nowhere", false},
		{`"NotIpAddress":{"k":["203.0.113.0/24","10.0.0.0/8"]}`, "10.1.1.1", false},
		{`"NotIpAddress":{"k":["203.0.113.0/24","10.0.0.0/8"]}`, "11.1.1.1", true},
		{`"ArnEquals":{"k":"arn:aws:sns:*:111122223333:*"}`, "arn:aws:sns:us-east-1:111122223333:topic:sub", true},
		{`"ArnLike":{"k":"arn:aws:sns:*:topic"}`, "arn:aws:sns:us-east-1:111122223333:topic", false},
		{`"ArnLike":{"k":"arn:aws:*:us-east-1:111122223333:x"}`, "arn:aws:a:b:us-east-1:111122223333:x", false},
		{`"ArnLike":{"k":"arn:aws:s?s:*:*:x"}`, "arn:aws:sns:a:b:x", true},
		{`"ArnLike":{"k":"arn:aws:s?s:*:*:x"}`, "arn:aws:s:s:a:b:x", false},
		{`"ArnLike":{"k":"*"}`, "arn:aws:sns:a:b:x", true},
		{`"ArnLike":{"k":"arn:aws:sns"}`, "arn:aws:sns:a:b:x", false},
		{`"ArnLike":{"k":"sns"}`, "sns", false},
		{`"ArnNotEquals":{"k":"arn:aws:sns:*:*:x"}`, "arn:aws:sns:a:b:x", false},
		{`"ArnNotLike":{"k":"arn:aws:sns:*:*:x"}`, "arn:aws:sns:a:b:y", true},
		{`"Null":{"k":"true"}`, "x", false},
		{`"Null":{"k":false}`, "x", true},
	} {
		if got := met(t, c.block, map[string][]string{"k": {c.value}}); got != c.want {
			t.Errorf("{%s} with %q: %v", c.block, c.value, got)
		}
	}
}

// A key that is not there, or has nothing in it.
func TestMissingKeys(t *testing.T) {
	for block, want := range map[string]bool{
		`"StringEquals":{"k":"a"}`:                         false,
		`"StringNotEquals":{"k":"a"}`:                      true,
		`"StringNotLike":{"k":"*"}`:                        true,
		`"NumericNotEquals":{"k":"1"}`:                     true,
		`"NumericLessThan":{"k":"1"}`:                      false,
		`"DateNotEquals":{"k":"2020"}`:                     true,
		`"NotIpAddress":{"k":"10.0.0.0/8"}`:                true,
		`"ArnNotLike":{"k":"arn:aws:sns:*:*:*"}`:           true,
		`"Bool":{"k":"false"}`:                             false,
		`"BoolIfExists":{"k":"false"}`:                     true,
		`"StringEqualsIfExists":{"k":"a"}`:                 true,
		`"Null":{"k":"true"}`:                              true,
		`"Null":{"k":"false"}`:                             false,
		`"ForAllValues:StringEquals":{"k":"a"}`:            true,
		`"ForAllValues:StringNotEquals":{"k":"a"}`:         true,
		`"ForAnyValue:StringEquals":{"k":"a"}`:             false,
		`"ForAnyValue:StringNotEquals":{"k":"a"}`:          false,
		`"ForAnyValue:StringEqualsIfExists":{"k":"a"}`:     true,
		`"StringEquals":{"k":[]}`:                          false,
		`"StringNotEquals":{"j":"a"},"Null":{"k":"false"}`: false,
	} {
		for name, have := range map[string]map[string][]string{"absent": nil, "empty": {"k": {}}} {
			if got := met(t, block, have); got != want {
				t.Errorf("{%s} when %s: %v", block, name, got)
			}
		}
	}
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func TestSeveralValues(t *testing.T) {
	for _, c := range []struct {
		block string
		have  []string
		want  bool
	}{
		{`"ForAllValues:StringEquals":{"k":["a","b"]}`, []string{"a", "b"}, true},
		{`"ForAllValues:StringEquals":{"k":["a","b"]}`, []string{"a", "c"}, false},
		{`"ForAllValues:StringNotEquals":{"k":["a","b"]}`, []string{"c", "d"}, true},
		{`"ForAllValues:StringNotEquals":{"k":["a","b"]}`, []string{"c", "a"}, false},
		{`"ForAnyValue:StringEquals":{"k":["a","b"]}`, []string{"c", "b"}, true},
		{`"ForAnyValue:StringEquals":{"k":["a","b"]}`, []string{"c", "d"}, false},
		{`"ForAnyValue:StringNotEquals":{"k":["a","b"]}`, []string{"a", "c"}, true},
		{`"ForAnyValue:StringNotEquals":{"k":["a","b"]}`, []string{"a", "b"}, false},
		{`"ForAnyValue:StringLike":{"k":["t*"]}`, []string{"one", "two"}, true},
		{`"StringEquals":{"k":"a"}`, []string{"b", "a"}, true},
		{`"StringNotEquals":{"k":"a"}`, []string{"b", "a"}, false},
		{`"StringEquals":{"k":"a"},"StringLike":{"k":"b*"}`, []string{"a"}, false},
	} {
		if got := met(t, c.block, map[string][]string{"k": c.have}); got != c.want {
			t.Errorf("{%s} with %q: %v", c.block, c.have, got)
		}
	}
}

func TestNamesOfKeysHaveNoCase(t *testing.T) {
	have := map[string][]string{"aws:sourceip": {"10.0.0.1"}, "aws:requesttag/Team": {"blue"}}
	if !met(t, `"IpAddress":{"AWS:SourceIP":"10.0.0.0/8"},"StringEquals":{"aws:RequestTag/Team":"blue"}`, have) {
		t.Error("the keys were not found")
	}
}

func TestVariables(t *testing.T) {
	have := map[string][]string{
		"aws:username": {"jo*n"}, "aws:principaltag/team": {"yellow"}, "aws:principaltag/Cost.Center": {"a-1"},
		"many": {"a", "b"}, "colour": {"yellow"}, "bytes": {"\xff"},
	}
	for _, c := range []struct {
		resource string
		request  string
		want     bool
	}{
		{"arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/jo*n/x", true},
		{"arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/john/x", false}, // a value's * is a star
		{"arn:aws:s3:::b/${AWS:UserName}", "arn:aws:s3:::b/jo*n", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/team}/*", "arn:aws:s3:::b/yellow/x", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/Cost.Center}", "arn:aws:s3:::b/a-1", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/none}/*", "arn:aws:s3:::b//x", false},
		{"arn:aws:s3:::b/${aws:PrincipalTag/none}/*", "arn:aws:s3:::b/${aws:PrincipalTag/none}/x", false},
		{"arn:aws:s3:::b/${aws:PrincipalTag/none, 'company-wide'}/*", "arn:aws:s3:::b/company-wide/x", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*", "arn:aws:s3:::b/company-wide/x", false},
		{"arn:aws:s3:::b/${many, 'a'}", "arn:aws:s3:::b/a", false},
		{"arn:aws:s3:::b/${*}${?}${$}", "arn:aws:s3:::b/*?$", true},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", false},
		{"arn:aws:s3:::b/${bytes}", "arn:aws:s3:::b/x", false}, // nor does a value bring marks of its own
	} {
		a := applied(t, Identity, `"Effect":"Allow","Action":"*","Resource":"`+c.resource+`"`)
		d := Decide(&Request{Principal: user("u"), Action: "s3:GetObject", Resource: c.request, Keys: keys(have)}, &Policies{Identity: []Applied{*a}})
		if got := d.Effect == Allow; got != c.want {
			t.Errorf("%s for %s: %v", c.resource, c.request, got)
		}
	}
	for block, want := range map[string]bool{
		`"StringEquals":{"colour":"${aws:PrincipalTag/team}"}`:       true,
		`"StringEquals":{"colour":"${aws:PrincipalTag/none}"}`:       false,
		`"StringNotEquals":{"colour":"${aws:PrincipalTag/none}"}`:    true,
		`"StringLike":{"aws:username":"jo${*}n"}`:                    true,
		`"StringLike":{"aws:PrincipalTag/team":"y${*}w"}`:            false,
		`"StringEquals":{"colour":"${none, 'yellow'}"}`:              true,
		`"ArnLike":{"colour":"arn:aws:iam::*:user/${aws:username}"}`: false,
	} {
		if got := met(t, block, have); got != want {
			t.Errorf("{%s}: %v", block, got)
		}
	}
}

func TestTheOlderVersionHasNoVariables(t *testing.T) {
	d := parsed(t, Identity, `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}}`)
	p := &Policies{Identity: []Applied{{Document: d}}}
	for resource, want := range map[string]Effect{"arn:aws:s3:::b/u": ImplicitDeny, "arn:aws:s3:::b/${aws:username}": Allow} {
		q := &Request{Principal: user("u"), Action: "s3:GetObject", Resource: resource, Keys: keys(map[string][]string{"aws:username": {"u"}})}
		if got := Decide(q, p).Effect; got != want {
			t.Errorf("%s: %v", resource, got)
		}
	}
	if got := d.Keys(); len(got) != 0 {
		t.Errorf("it names %q", got)
	}
}

// What a variable would spare is not known without it.
func TestNotResourceWithAMissingVariable(t *testing.T) {
	const rule = `"Action":"*","NotResource":"arn:aws:s3:::b/${aws:PrincipalTag/team}"`
	q := &Request{Principal: user("u"), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/x"}
	all := applied(t, Identity, `"Effect":"Allow","Action":"*","Resource":"*"`)
	allow, deny := applied(t, Identity, `"Effect":"Allow",`+rule), applied(t, Identity, `"Effect":"Deny",`+rule)
	if d := Decide(q, &Policies{Identity: []Applied{*allow}}); d.Effect != ImplicitDeny || len(d.Missing) != 1 || d.Missing[0] != "aws:PrincipalTag/team" {
		t.Errorf("the Allow: %+v", d)
	}
	if d := Decide(q, &Policies{Identity: []Applied{*all, *deny}}); d.Effect != ExplicitDeny {
		t.Errorf("the Deny: %+v", d)
	}
}
