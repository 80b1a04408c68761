package arn

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	a, err := Parse("arn:aws:ecs:us-east-1:000000000000:task/default/0123")
	if err != nil {
		t.Fatal(err)
	}
	if a.Kind() != "task" || !slices.Equal(a.Path(), []string{"default", "0123"}) || a.Name() != "0123" {
		t.Errorf("got kind %q path %v name %q", a.Kind(), a.Path(), a.Name())
	}
	if a.String() != a.Scope().Task("default", "0123") {
		t.Errorf("%s does not round-trip", a)
	}
	def, err := Parse(a.Scope().TaskDefinition("web", 7))
	if err != nil || def.Name() != "web:7" || def.Kind() != "task-definition" {
		t.Errorf("definition: %+v %v", def, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "default", "arn:aws:ecs", "arn:aws:ecs:r:a:", "urn:aws:ecs:r:a:b", "arn::ecs:r:a:b"} {
		if _, err := Parse(s); err == nil {
			t.Errorf("%q was taken for an ARN", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("arn:aws:logs:us-east-1:000000000000:log-group:/x:*")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err == nil && a.String() != s {
			t.Errorf("%q came back as %q", s, a)
		}
	})
}
