package policy

import (
	"testing"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

func seed(f *testing.F) {
	for _, text := range []string{
		one(`"Effect":"Allow",` + something),
		one(`"Sid":"S","Effect":"Deny","NotAction":["*","iam:*"],"NotResource":["arn:aws:s3:::b/${aws:PrincipalTag/a, 'b'}/*","*"],"Condition":{"ForAllValues:StringLikeIfExists":{"k":["a*","${k}"]},"Null":{"k":"true"}}`),
		one(`"Effect":"Allow","Principal":{"AWS":["*","123456789012"],"Service":"ecs.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"k":"arn:aws:*:*:*:a*b?"},"IpAddress":{"k":"10.0.0.0/8"}}`),
		`{"Statement":[{"Effect":"Deny","NotPrincipal":"*","Action":"*","Condition":{"DateLessThan":{"k":"2020-01-01"},"NumericEquals":{"k":1.5},"Bool":{"k":true}}}]}`,
	} {
		f.Add(text, "ecs:RunTask", "arn:aws:s3:::b/k", "v")
	}
}

// What is taken can be written and read again, and what is not is a fault that says
// so.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text, _, _, _ string) {
		for _, use := range []Use{Identity, Resource, Trust} {
			d, err := Parse(text, use)
			if err != nil {
				if !fault.IsKind(err, fault.MalformedPolicyDocument) {
					t.Fatalf("got %v", err)
				}
				continue
			}
			again, err := Parse(d.Text(), use)
			if err != nil || again.Text() != d.Text() {
				t.Fatalf("%s was written as %s: %v", text, d.Text(), err)
			}
		}
	})
}

// Nothing is allowed that a Deny of everything forbids, nor without an Allow.
func FuzzDecide(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text, action, resource, value string) {
		deny := Applied{Name: "deny", Document: parsed(t, Identity, one(`"Effect":"Deny","Action":"*","Resource":"*"`))}
		q := &Request{Principal: user("u"), Action: action, Resource: resource, Keys: func(name string) ([]string, bool) { return []string{value}, name != "absent" }}
		for _, use := range []Use{Identity, Resource, Trust} {
			d, err := Parse(text, use)
			if err != nil {
				continue
			}
			p := &Policies{Identity: []Applied{{Document: d}}}
			if use != Identity {
				p = &Policies{Resource: &Applied{Document: d}}
			}
			allows := false
			for _, s := range d.Statements() {
				allows = allows || s.Effect == Allow
			}
			if Decide(q, p).Effect == Allow && !allows {
				t.Fatalf("%s allows", text)
			}
			p.Identity = append(p.Identity, deny)
			if got := Decide(q, p).Effect; got != ExplicitDeny {
				t.Fatalf("%s with a Deny: %v", text, got)
			}
			q.Principal = identity.Principal{}
			Decide(q, p)
			q.Principal = roleSession()
		}
	})
}
