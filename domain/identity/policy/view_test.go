package policy

import (
	"slices"
	"testing"
)

func TestStatementsShowWhatIsWritten(t *testing.T) {
	d := parsed(t, Resource, `{"Version":"2012-10-17","Id":"I","Statement":[
		{"Sid":"A","Effect":"Allow","Principal":{"AWS":["123456789012"],"Service":"ecs.amazonaws.com"},"Action":"S3:Get*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'x'}",
		 "Condition":{"StringLike":{"s3:prefix":["a","${aws:username}"]},"Bool":{"aws:SecureTransport":true}}},
		{"Effect":"Deny","NotPrincipal":"*","NotAction":["s3:*"],"NotResource":["arn:aws:s3:::b"],"Condition":{"StringLike":{"s3:prefix":"c"}}}]}`)
	list := d.Statements()
	if len(list) != 2 || d.Version() != Version2012 {
		t.Fatalf("got %+v", list)
	}
	a, b := list[0], list[1]
	if a.Sid != "A" || a.Effect != Allow || !slices.Equal(a.Principals, []PrincipalName{{"AWS", "123456789012"}, {"Service", "ecs.amazonaws.com"}}) ||
		!slices.Equal(a.Actions, []string{"S3:Get*"}) || len(a.Conditions) != 2 || a.Conditions[0].Operator != "StringLike" ||
		a.Conditions[0].Key != "s3:prefix" || !slices.Equal(a.Conditions[1].Values, []string{"true"}) {
		t.Errorf("got %+v", a)
	}
	if b.Effect != ExplicitDeny || b.NotPrincipals[0] != (PrincipalName{"*", "*"}) || !slices.Equal(b.NotActions, []string{"s3:*"}) || !slices.Equal(b.NotResources, []string{"arn:aws:s3:::b"}) {
		t.Errorf("got %+v", b)
	}
	if got := d.Keys(); !slices.Equal(got, []string{"aws:PrincipalTag/team", "aws:SecureTransport", "aws:username", "s3:prefix"}) {
		t.Errorf("keys %q", got)
	}
}

func TestPrint(t *testing.T) {
	got := Print([]Statement{
		{Effect: Allow, Actions: []string{"ecs:RunTask"}, Resources: []string{"*"}, Conditions: []Condition{{"StringEquals", "ecs:cluster", []string{"a"}}}},
		{Sid: "D", Effect: ExplicitDeny, Actions: []string{"iam:*"}, Resources: []string{"*"}},
	})
	const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:RunTask"],"Resource":["*"],"Condition":{"StringEquals":{"ecs:cluster":["a"]}}},` +
		`{"Sid":"D","Effect":"Deny","Action":["iam:*"],"Resource":["*"]}]}`
	if got != want {
		t.Errorf("got %s", got)
	}
	if _, err := Parse(got, Identity); err != nil {
		t.Error(err)
	}
}
