package ruleset

import (
	"slices"
	"strings"
)

// Contents are sets by name with what they hold.
type Contents map[string]Content

// Content is what a set holds, each element once.
type Content struct {
	Kind     Kind
	Elements []Element
}

// Put adds elements to a set of the kind, which need not be there yet.
func (c Contents) Put(set string, kind Kind, elements ...Element) {
	have := c[set]
	c[set] = Content{kind, append(have.Elements, elements...)}
}

// Make adds the sets of want that have lacks, still empty.
func (d *Draft) Make(have, want Contents) {
	for name, c := range want {
		if _, ok := have[name]; !ok {
			d.Set(name, c.Kind)
		}
	}
}

// Become changes what the sets hold from have to want. Sets that want lacks are
// emptied and stay.
func (d *Draft) Become(have, want Contents) {
	for name, c := range have {
		d.Remove(name, c.Kind, without(c.Elements, want[name].Elements)...)
	}
	for name, c := range want {
		d.Add(name, c.Kind, without(c.Elements, have[name].Elements)...)
	}
}

// without are the elements of a that b lacks.
func without(a, b []Element) []Element {
	known := make(map[string]bool, len(b))
	for _, e := range b {
		known[e.identity()] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(e Element) bool { return known[e.identity()] })
}

// Same tells whether both hold the same, in any order.
func Same(a, b Content) bool {
	return len(without(a.Elements, b.Elements)) == 0 && len(without(b.Elements, a.Elements)) == 0
}

// identity is equal for equal elements only.
func (e Element) identity() string {
	var s strings.Builder
	for _, p := range e.parts {
		s.Write(p.Key)
		s.WriteByte('=')
		s.Write(p.Val)
		if p.VerdictData != nil {
			s.WriteString(p.VerdictData.Chain)
		}
	}
	return s.String()
}
