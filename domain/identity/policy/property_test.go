package policy

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/identity"
)

// The worlds of the properties are small, so that policies and requests meet often.
var (
	someActions    = []string{"ecs:RunTask", "ecs:StopTask", "s3:GetObject"}
	somePatterns   = []string{"*", "ecs:*", "ecs:RunTask", "s3:Get*", "ECS:runtask"}
	someResources  = []string{"*", "arn:aws:ecs:us-east-1:123456789012:task/c/1", "arn:aws:s3:::b/blue/k"}
	someResPats    = []string{"*", "arn:aws:ecs:*:*:task/*", "arn:aws:s3:::b/${team}/*", "arn:aws:s3:::b"}
	somePrincipals = []string{
		`"*"`, `{"AWS":"123456789012"}`, `{"AWS":"arn:aws:iam::123456789012:user/u"}`, `{"AWS":"arn:aws:iam::123456789012:role/Role"}`,
		`{"AWS":"arn:aws:sts::123456789012:assumed-role/Role/Session"}`, `{"Service":"ecs-tasks.amazonaws.com"}`,
	}
	someConditions = []string{
		"", "", `"StringEquals":{"team":"blue"}`, `"StringNotEquals":{"team":"blue"}`, `"Null":{"team":"true"}`,
		`"ForAllValues:StringLike":{"team":"b*"}`, `"ForAnyValue:StringLike":{"team":"r*"}`, `"NumericLessThanIfExists":{"count":"5"}`,
	}
)

func drawElements(t *rapid.T, use Use) string {
	pick := func(name string, list []string) string { return rapid.SampledFrom(list).Draw(t, name) }
	not := func(name string) string { return rapid.SampledFrom([]string{"", "", "Not"}).Draw(t, name) }
	effect := pick("effect", []string{"Allow", "Allow", "Deny"})
	elements := `"Effect":"` + effect + `","` + not("notAction") + `Action":["` + pick("action", somePatterns) + `","` + pick("action", somePatterns) +
		`"],"` + not("notResource") + `Resource":"` + pick("resource", someResPats) + `","Condition":{` + pick("condition", someConditions) + `}`
	if use == Resource {
		element := "Principal"
		if effect == "Deny" {
			element = not("notPrincipal") + element
		}
		elements = `"` + element + `":` + pick("principal", somePrincipals) + "," + elements
	}
	return elements
}

func drawPolicy(t *rapid.T, use Use) []string {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return drawElements(t, use) }), 1, 4).Draw(t, "statements")
}

func read(t *rapid.T, use Use, statements []string) *Applied {
	text := `{"Version":"2012-10-17","Statement":[{` + strings.Join(statements, "},{") + `}]}`
	d, err := Parse(text, use)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &Applied{Name: "P", Document: d}
}

func drawRequest(t *rapid.T) *Request {
	have := map[string][]string{}
	if team := rapid.SampledFrom([][]string{nil, {"blue"}, {"red"}, {"blue", "red"}}).Draw(t, "team"); team != nil {
		have["team"] = team
	}
	if count := rapid.SampledFrom([]string{"", "4", "6"}).Draw(t, "count"); count != "" {
		have["count"] = []string{count}
	}
	return &Request{
		Principal: rapid.SampledFrom([]identity.Principal{
			user("u"), user("v"), roleSession(), identity.RootPrincipal(account), {Kind: identity.Service, ARN: "ecs-tasks.amazonaws.com"}, {},
		}).Draw(t, "principal"),
		Action:   rapid.SampledFrom(someActions).Draw(t, "action"),
		Resource: rapid.SampledFrom(someResources).Draw(t, "resource"),
		Keys:     keys(have),
	}
}

func drawPolicies(t *rapid.T) *Policies {
	p := &Policies{
		Owner:    rapid.SampledFrom([]string{"", account, "999999999999"}).Draw(t, "owner"),
		Trusting: rapid.Bool().Draw(t, "trusting"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "identity policies") {
		p.Identity = append(p.Identity, *read(t, Identity, drawPolicy(t, Identity)))
	}
	if rapid.Bool().Draw(t, "bounded") {
		p.Boundary = read(t, Identity, drawPolicy(t, Identity))
	}
	if p.Sessioned = rapid.Bool().Draw(t, "sessioned"); p.Sessioned && rapid.Bool().Draw(t, "session policy") {
		p.Session = []Applied{*read(t, Identity, drawPolicy(t, Identity))}
	}
	if rapid.Bool().Draw(t, "resource policy") {
		p.Resource = read(t, Resource, drawPolicy(t, Resource))
	}
	return p
}

// places are where a document can stand.
func places(p *Policies) map[string]func(*Applied) {
	m := map[string]func(*Applied){
		"identity": func(a *Applied) { p.Identity = append(slices.Clone(p.Identity), *a) },
		"session":  func(a *Applied) { p.Session, p.Sessioned = append(slices.Clone(p.Session), *a), true },
	}
	if p.Boundary == nil {
		m["boundary"] = func(a *Applied) { p.Boundary = a }
	}
	return m
}

func TestADenyAnywhereWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, p := drawRequest(t), drawPolicies(t)
		deny := `"Effect":"Deny","Action":"` + q.Action + `","Resource":"` + q.Resource + `"`
		if rapid.Bool().Draw(t, "by the resource") {
			p.Resource = read(t, Resource, append(drawPolicy(t, Resource), `"Principal":"*",`+deny))
		} else {
			m := places(p)
			place := rapid.SampledFrom(slices.Sorted(mapKeys(m))).Draw(t, "place")
			m[place](read(t, Identity, append(drawPolicy(t, Identity), deny)))
		}
		if d := Decide(q, p); d.Effect != ExplicitDeny {
			t.Fatalf("got %+v", d)
		}
	})
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// More rules of one sort move a decision one way only.
func TestAllowsWidenAndDeniesNarrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, p := drawRequest(t), drawPolicies(t)
		before := Decide(q, p)
		more := drawElements(t, Identity)
		p.Identity = append(p.Identity, *read(t, Identity, []string{more}))
		after := Decide(q, p)
		switch allow := strings.HasPrefix(more, `"Effect":"Allow"`); {
		case allow && before.Effect == Allow && after.Effect != Allow, allow && after.Effect == ExplicitDeny && before.Effect != ExplicitDeny:
			t.Fatalf("with %s it fell from %+v to %+v", more, before, after)
		case !allow && after.Effect == Allow && before.Effect != Allow, before.Effect == ExplicitDeny && after.Effect != ExplicitDeny:
			t.Fatalf("with %s it rose from %+v to %+v", more, before, after)
		}
	})
}

// Under a boundary, and in a session, the principal's own policies allow what they
// allow without it and what the boundary's statements, as policies, allow.
func TestBoundsAreIntersections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, p := drawRequest(t), drawPolicies(t)
		q.Principal = user("u")
		p.Owner, p.Trusting, p.Resource = "", false, nil
		alone := func(list ...Applied) bool { return Decide(q, &Policies{Identity: list}).Effect == Allow }
		want := alone(p.Identity...)
		if p.Boundary != nil {
			want = want && alone(*p.Boundary)
		}
		if p.Sessioned {
			want = want && alone(p.Session...)
		}
		if got := Decide(q, p).Effect == Allow; got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestOrderAndCaseDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, p := drawRequest(t), drawPolicies(t)
		statements := drawPolicy(t, Identity)
		other := rapid.Permutation(statements).Draw(t, "order")
		for i := range other {
			for _, a := range somePatterns {
				other[i] = strings.ReplaceAll(other[i], `"`+a+`"`, `"`+rapid.SampledFrom([]string{a, strings.ToUpper(a), strings.ToLower(a)}).Draw(t, "case")+`"`)
			}
		}
		list := p.Identity
		p.Identity = append(slices.Clone(list), *read(t, Identity, statements))
		before := Decide(q, p)
		p.Identity = append([]Applied{*read(t, Identity, other)}, list...)
		r := *q
		r.Action = rapid.SampledFrom([]string{strings.ToUpper(q.Action), strings.ToLower(q.Action)}).Draw(t, "case")
		after := Decide(&r, p)
		if before.Effect != after.Effect || before.Source != after.Source || len(before.Matched) != len(after.Matched) {
			t.Fatalf("got %+v and %+v", before, after)
		}
	})
}

// A policy and its text decide alike.
func TestTextMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, use := drawRequest(t), rapid.SampledFrom([]Use{Identity, Resource}).Draw(t, "use")
		a := read(t, use, drawPolicy(t, use))
		again, err := Parse(a.Document.Text(), use)
		if err != nil {
			t.Fatalf("%s: %v", a.Document.Text(), err)
		}
		b := &Applied{Name: "P", Document: again}
		one, two := &Policies{Identity: []Applied{*a}}, &Policies{Identity: []Applied{*b}}
		if use == Resource {
			one, two = &Policies{Resource: a}, &Policies{Resource: b}
		}
		if d, e := Decide(q, one), Decide(q, two); d.Effect != e.Effect || d.Sid != e.Sid || !slices.Equal(d.Matched, e.Matched) {
			t.Fatalf("%s: %+v, then %+v", a.Document.Text(), d, e)
		}
	})
}

// The statements that matched explain the decision.
func TestMatchesExplainTheDecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, p := drawRequest(t), drawPolicies(t)
		d := Decide(q, p)
		denied := slices.ContainsFunc(d.Matched, func(m Match) bool { return !m.Allow })
		allowed := slices.ContainsFunc(d.Matched, func(m Match) bool { return m.Allow && m.Source == d.Source && m.Policy == d.Policy })
		switch root := q.Principal.Kind == identity.Root && d.Source == ""; {
		case denied != (d.Effect == ExplicitDeny), d.Effect == Allow && !allowed && !root:
			t.Fatalf("got %+v", d)
		case d.Effect == ImplicitDeny && allowed && d.Policy != "":
			t.Fatalf("an implicit deny names a policy: %+v", d)
		}
	})
}
