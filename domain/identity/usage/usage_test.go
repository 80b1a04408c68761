package usage

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/identity/policy"
)

func TestPatternsForgetWhatIsDrawn(t *testing.T) {
	for resource, want := range map[string]string{
		"arn:aws:ecs:us-east-1:000000000000:task/default/0123456789abcdef0123456789abcdef":               "arn:aws:ecs:us-east-1:000000000000:task/default/*",
		"arn:aws:ecs:us-east-1:000000000000:task-definition/train:12":                                    "arn:aws:ecs:us-east-1:000000000000:task-definition/train:*",
		"arn:aws:logs:us-east-1:000000000000:log-group:/train:log-stream:a/b/" + strings.Repeat("a", 32): "arn:aws:logs:us-east-1:000000000000:log-group:/train:log-stream:a/b/*",
		"arn:aws:ec2:us-east-1:000000000000:instance/i-0123456789abcdef0":                                "arn:aws:ec2:us-east-1:000000000000:instance/*",
		"arn:aws:kms:us-east-1:000000000000:key/01234567-89ab-cdef-0123-456789abcdef":                    "arn:aws:kms:us-east-1:000000000000:key/*",
		"arn:aws:s3:::models/0123456789abcdef0123456789abcdef":                                           "arn:aws:s3:::models/0123456789abcdef0123456789abcdef",
		"arn:aws:ecr:us-east-1:000000000000:repository/train":                                            "arn:aws:ecr:us-east-1:000000000000:repository/train",
		"*": "*",
		"":  "",
	} {
		if got := Pattern(resource); got != want {
			t.Errorf("%s: %s, want %s", resource, got, want)
		}
	}
}

func TestSuggestionsShareStatementsAndRoofs(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	seen := func(action, resource string, allowed bool) Use {
		u := Use{Action: action, Resource: resource}
		u.Add(allowed, "us-east-1", at)
		return u
	}
	uses := []Use{
		seen("s3:GetObject", "arn:aws:s3:::models/one", true),
		seen("s3:GetObjectTagging", "arn:aws:s3:::models/one", true),
		seen("sts:GetCallerIdentity", "*", true),
		seen("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:000000000000:table/t", false),
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		uses = append(uses, seen("s3:PutObject", "arn:aws:s3:::models/out/"+name, true))
	}
	got := Suggest(uses)
	want := []Statement{
		{"Allow", []string{"s3:GetObject", "s3:GetObjectTagging"}, []string{"arn:aws:s3:::models/one"}},
		{"Allow", []string{"s3:PutObject"}, []string{"arn:aws:s3:::models/out/*"}},
		{"Allow", []string{"sts:GetCallerIdentity"}, []string{"*"}},
	}
	if !slices.EqualFunc(got.Statement, want, func(a, b Statement) bool {
		return a.Effect == b.Effect && slices.Equal(a.Action, b.Action) && slices.Equal(a.Resource, b.Resource)
	}) {
		t.Errorf("%+v", got.Statement)
	}
}

// A suggestion allows all that was allowed, whatever it was.
func TestSuggestionsAreWideEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-c]{1,2}`)
		var uses []Use
		for range rapid.IntRange(1, 30).Draw(t, "uses") {
			u := Use{Action: "s3:" + word.Draw(t, "action"), Resource: "arn:aws:s3:::" + word.Draw(t, "bucket") + "/" + word.Draw(t, "key")}
			u.Add(true, "", time.Unix(1, 0))
			uses = append(uses, u)
		}
		d := Suggest(uses)
		for _, u := range uses {
			if !slices.ContainsFunc(d.Statement, func(s Statement) bool {
				return slices.Contains(s.Action, u.Action) &&
					slices.ContainsFunc(s.Resource, func(r string) bool { return policy.Names(r, u.Resource) })
			}) {
				t.Fatalf("%s on %s is not allowed by %+v", u.Action, u.Resource, d.Statement)
			}
		}
	})
}

func TestUnusedIsWhatNobodyAskedFor(t *testing.T) {
	used := Use{Action: "logs:PutLogEvents"}
	used.Add(true, "", time.Unix(1, 0))
	denied := Use{Action: "logs:CreateLogGroup"}
	denied.Add(false, "", time.Unix(1, 0))
	got := Unused([]Grant{{"p", []string{"logs:*", "logs:PutLogEvents", "magic:Wand"}}}, []Use{used, denied},
		[]string{"logs:PutLogEvents", "logs:CreateLogGroup", "ecs:RunTask"})
	if len(got) != 2 || !slices.Equal(got[0].Unused, []string{"logs:CreateLogGroup"}) || !slices.Equal(got[0].Used, []string{"logs:PutLogEvents"}) ||
		!slices.Equal(got[1].Unused, []string{"magic:Wand"}) {
		t.Errorf("%+v", got)
	}
}
