package policy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/versity/versitygw/auth"
	versity "github.com/versity/versitygw/iamapi/policy"
	"github.com/versity/versitygw/iamapi/types"
	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
)

// keyValues are what the keys of a generated request can be, by the sort of
// operators that compare them. Those of variables always have one value: a missing
// or double one is text to versitygw, and to AWS a reason not to match.
//
// Variables whose key has a slash, such as ${aws:PrincipalTag/team}, are left out:
// versitygw does not know them as variables. So are defaults and ${*}, ${?}, ${$}.
var keyValues = map[string][][]string{
	"String":  {nil, {"blue"}, {"Blue"}, {"red"}, {"b?ue"}, {"blue", "red"}, {""}},
	"Numeric": {nil, {"1"}, {"5"}, {"5.0"}, {"-3.5"}, {"many"}},
	"Date":    {nil, {"2026-01-01T00:00:00Z"}, {"1767225600"}, {"2026-06-01T12:00:00+02:00"}, {"soon"}},
	"Bool":    {nil, {"true"}, {"false"}, {"True"}},
	"Binary":  {nil, {"QQ=="}, {"QUI="}},
	"Ip":      {nil, {"10.1.2.3"}, {"192.0.2.7"}, {"2001:db8::1"}, {"nowhere"}},
	"Arn":     {nil, {"arn:aws:sns:us-east-1:123456789012:topic"}, {"arn:aws:sns:us-west-2:123456789012:other"}},
}

var policyValues = map[string][]string{
	"String":  {"blue", "red", "b*", "?lue", "*", "BLUE", "${team}", "x${team}", ""},
	"Numeric": {"1", "5", "-3.50", "100"},
	"Date":    {"2026-01-01T00:00:00Z", "1767225600", "2026-06-01T10:00:00Z"},
	"Bool":    {"true", "false"},
	"Binary":  {"QQ==", "QUI="},
	"Ip":      {"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0"},
	"Arn":     {"arn:aws:sns:*:123456789012:topic", "arn:aws:sns:us-east-1:*:*", "arn:aws:s?s:*:*:to*", "arn:aws:sns:us-west-2:123456789012:${other}"},
	"Null":    {"true", "false"},
}

var operators = map[string][]string{
	"String":  {"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"},
	"Numeric": {"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
	"Date":    {"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
	"Bool":    {"Bool"},
	"Binary":  {"BinaryEquals"},
	"Ip":      {"IpAddress", "NotIpAddress"},
	"Arn":     {"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"},
	"Null":    {"Null"},
}

var (
	sorts     = []string{"String", "Numeric", "Date", "Bool", "Binary", "Ip", "Arn", "Null"}
	keySorts  = sorts[:7]
	actions   = []string{"s3:GetObject", "s3:PutObject", "ecs:RunTask"}
	patterns  = []string{"*", "s3:*", "s3:Get*", "S3:getobject", "s3:?etObject", "ecs:RunTask", "s3:P*t*"}
	resources = []string{"arn:aws:s3:::bucket", "arn:aws:s3:::bucket/blue/key", "arn:aws:s3:::bucket/red", "arn:aws:ecs:us-east-1:123456789012:task/c/1"}
	// Wildcards in the middle of a field are left out where they could cross into
	// the next: AWS keeps them in the field, versitygw does not.
	targets = []string{"*", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/?ed", "arn:aws:s3:::b*t/b*y", "arn:aws:s3:::bucket/${team}/*", "arn:aws:ecs:*:*:task/*"}
)

type statement struct {
	Effect                                   string
	Principal                                any                            `json:",omitempty"`
	Action, NotAction, Resource, NotResource []string                       `json:",omitempty"`
	Condition                                map[string]map[string][]string `json:",omitempty"`
}

func pick(t *rapid.T, what string, list []string) string {
	return rapid.SampledFrom(list).Draw(t, what)
}

func some(t *rapid.T, what string, list []string) []string {
	return rapid.SliceOfN(rapid.SampledFrom(list), 1, 3).Draw(t, what)
}

func drawStatement(t *rapid.T) statement {
	s := statement{Effect: pick(t, "effect", []string{"Allow", "Allow", "Deny"})}
	if rapid.IntRange(0, 3).Draw(t, "not action") == 0 {
		s.NotAction = some(t, "action", patterns)
	} else {
		s.Action = some(t, "action", patterns)
	}
	if rapid.IntRange(0, 3).Draw(t, "not resource") == 0 {
		s.NotResource = some(t, "resource", targets)
	} else {
		s.Resource = some(t, "resource", targets)
	}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		s.addCondition(t)
	}
	return s
}

// addCondition leaves out ForAnyValue with a negated operator: for a key that is not
// there AWS documents that it is false, and versitygw has it true.
func (s *statement) addCondition(t *rapid.T) {
	sort := pick(t, "sort", sorts)
	operator, key := pick(t, "operator", operators[sort]), "key:"+sort
	if sort == "Null" {
		key = "key:" + pick(t, "key", keySorts)
	} else {
		if quantifier := pick(t, "quantifier", []string{"", "", "ForAllValues:", "ForAnyValue:"}); quantifier != "ForAnyValue:" || !strings.Contains(operator, "Not") {
			operator = quantifier + operator
		}
		operator += pick(t, "if exists", []string{"", "", "IfExists"})
	}
	if rapid.Bool().Draw(t, "capitals") {
		key = strings.ToUpper(key)
	}
	if s.Condition == nil {
		s.Condition = map[string]map[string][]string{}
	}
	s.Condition[operator] = map[string][]string{key: some(t, "values", policyValues[sort])}
}

// drawContext has keys as they are written, and in lower case as berth asks.
func drawContext(t *rapid.T) (written, lower map[string][]string) {
	written = map[string][]string{"team": {pick(t, "team", []string{"blue", "red"})}, "other": {"other"}}
	for _, sort := range keySorts {
		if v := rapid.SampledFrom(keyValues[sort]).Draw(t, sort); v != nil {
			written["key:"+sort] = v
		}
	}
	lower = map[string][]string{}
	for k, v := range written {
		lower[strings.ToLower(k)] = v
	}
	return written, lower
}

func document(t *rapid.T, statements []statement) string {
	version := pick(t, "version", []string{policy.Version2008, policy.Version2012, policy.Version2012})
	b, err := json.Marshal(map[string]any{"Version": version, "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func keys(m map[string][]string) policy.Keys {
	return func(name string) ([]string, bool) { v, ok := m[name]; return v, ok }
}

func TestIdentityPoliciesDecideAlike(t *testing.T) {
	seen := map[policy.Effect]int{}
	rapid.Check(t, func(t *rapid.T) {
		written, lower := drawContext(t)
		q := &policy.Request{
			Principal: identity.Principal{Kind: identity.User, Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/u"},
			Action:    pick(t, "action", actions), Resource: pick(t, "resource", resources), Keys: keys(lower),
		}
		var entries []types.PolicyEntry
		ours := &policy.Policies{}
		for range rapid.IntRange(1, 2).Draw(t, "documents") {
			text := document(t, rapid.SliceOfN(rapid.Custom(drawStatement), 1, 3).Draw(t, "statements"))
			d, err := policy.Parse(text, policy.Identity)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			entries = append(entries, types.PolicyEntry{PolicyDocument: text})
			ours.Identity = append(ours.Identity, policy.Applied{Document: d})
		}
		theirs := map[versity.Decision]policy.Effect{
			versity.DecisionNoMatch: policy.ImplicitDeny, versity.DecisionAllow: policy.Allow, versity.DecisionDeny: policy.ExplicitDeny,
		}[versity.EvaluateIdentityPolicies(entries, versity.RequestContext{Action: q.Action, Resource: q.Resource, Condition: written})]
		got := policy.Decide(q, ours).Effect
		if got != theirs {
			t.Fatalf("%+v with %v on %s of %s: berth %v, versitygw %v", entries, written, q.Action, q.Resource, got, theirs)
		}
		seen[got]++
	})
	for _, effect := range []policy.Effect{policy.ImplicitDeny, policy.ExplicitDeny, policy.Allow} {
		if seen[effect] == 0 {
			t.Errorf("no decision was %v: the comparison says little (%v)", effect, seen)
		}
	}
}

// Of bucket policies versitygw exports the decision on anonymous requests.
func TestBucketPoliciesDecideAlikeForTheAnonymous(t *testing.T) {
	principals := []any{"*", map[string]any{"AWS": "*"}, map[string]any{"AWS": []string{"arn:aws:iam::123456789012:user/u", "123456789012"}}}
	seen := map[policy.Effect]int{}
	rapid.Check(t, func(t *rapid.T) {
		written, lower := drawContext(t)
		statements := rapid.SliceOfN(rapid.Custom(drawStatement), 1, 3).Draw(t, "statements")
		for i := range statements {
			s := &statements[i]
			s.Principal = rapid.SampledFrom(principals).Draw(t, "principal")
			// Bucket policies of versitygw know neither Not nor other services.
			s.NotAction, s.Action = nil, some(t, "action", []string{"s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject"})
			s.NotResource, s.Resource = nil, some(t, "resource", []string{"arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/blue/k?y"})
		}
		text := document(t, statements)
		d, err := policy.Parse(text, policy.Resource)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		object := pick(t, "object", []string{"", "blue/key", "red"})
		q := &policy.Request{Action: pick(t, "action", []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket"}), Resource: "arn:aws:s3:::bucket", Keys: keys(lower)}
		if object != "" {
			q.Resource += "/" + object
		}
		got := policy.Decide(q, &policy.Policies{Resource: &policy.Applied{Document: d}, Owner: "123456789012"}).Effect
		err = auth.VerifyPublicBucketPolicy([]byte(text), "bucket", object, written, nil, auth.Action(q.Action))
		said := "allowed"
		if err != nil {
			said = err.Error()
		}
		theirs, known := map[string]policy.Effect{"allowed": policy.Allow, "explicit deny": policy.ExplicitDeny, "access denied": policy.ImplicitDeny}[said]
		if got != theirs || !known {
			t.Fatalf("%s with %v on %s of %s: berth %v, versitygw %v (%v)", text, written, q.Action, q.Resource, got, theirs, said)
		}
		seen[got]++
	})
	for _, effect := range []policy.Effect{policy.ImplicitDeny, policy.ExplicitDeny, policy.Allow} {
		if seen[effect] == 0 {
			t.Errorf("no decision was %v: the comparison says little (%v)", effect, seen)
		}
	}
}
