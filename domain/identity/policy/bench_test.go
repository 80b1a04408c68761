package policy

import (
	"strconv"
	"strings"
	"testing"
)

// tenPolicies are ten of five statements each, of the kinds people write.
func tenPolicies(t testing.TB) []Applied {
	list := make([]Applied, 10)
	for i := range list {
		n := strconv.Itoa(i)
		statements := []string{
			`{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchGet*"],"Resource":"*"}`,
			`{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:*:123456789012:log-group:/ecs/` + n + `*:*"}`,
			`{"Effect":"Allow","Action":"ecs:Describe*","Resource":"arn:aws:ecs:us-east-1:123456789012:*/c` + n + `/*","Condition":{"ArnEquals":{"ecs:cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/c` + n + `"}}}`,
			`{"Effect":"Allow","Action":["ecs:RunTask","ecs:StopTask"],"Resource":"arn:aws:ecs:*:*:task-definition/f` + n + `:*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}`,
			`{"Effect":"Deny","NotAction":["iam:GetUser","sts:*"],"Resource":"*","Condition":{"BoolIfExists":{"aws:SecureTransport":"false"},"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]}}}`,
		}
		list[i] = Applied{Name: "p" + n, Document: parsed(t, Identity, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)}
	}
	return list
}

func BenchmarkDecide(b *testing.B) {
	p := &Policies{Identity: tenPolicies(b)}
	have := map[string][]string{
		"aws:securetransport": {"true"}, "aws:sourceip": {"10.1.2.3"}, "aws:resourcetag/team": {"blue"}, "aws:principaltag/team": {"blue"},
		"ecs:cluster": {"arn:aws:ecs:us-east-1:123456789012:cluster/c9"},
	}
	q := &Request{Principal: roleSession(), Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-east-1:123456789012:task-definition/f9:3", Keys: keys(have)}
	if d := Decide(q, p); d.Effect != Allow || d.Policy != "p9" {
		b.Fatalf("got %+v", d)
	}
	b.ReportAllocs()
	for b.Loop() {
		Decide(q, p)
	}
}

func BenchmarkParse(b *testing.B) {
	text := tenPolicies(b)[0].Document.Text()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text, Identity); err != nil {
			b.Fatal(err)
		}
	}
}
