package main

import (
	"fmt"
	"slices"
	"strings"
)

// maxEnum bounds the enums whose values are listed: the few beyond it (EC2's
// instance types) change weekly and are data, not words of the API.
const maxEnum = 150

func isEnum(s *shape) bool { return s.Type == "string" && len(s.Enum) > 0 }

// goType is a shape's type as an element or value: never a pointer.
func (g *generator) goType(name string) string {
	s := g.model.Shapes[name]
	if s.Document {
		return "wire.Document"
	}
	switch s.Type {
	case "structure":
		return g.goNames[name]
	case "list":
		return "[]" + g.goType(s.Member.Shape)
	case "map":
		return "map[" + g.goType(s.Key.Shape) + "]" + g.goType(s.Value.Shape)
	case "string":
		if isEnum(s) {
			return g.goNames[name]
		}
		return "string"
	case "integer":
		return "int32"
	case "long":
		return "int64"
	case "float", "double":
		return "float64"
	case "boolean":
		return "bool"
	case "timestamp":
		return "time.Time"
	case "blob":
		return "[]byte"
	}
	panic("shape " + name + " has the unknown type " + s.Type)
}

// memberType is a shape's type as a struct field, where absence must show.
func (g *generator) memberType(name string) string {
	s := g.model.Shapes[name]
	t := g.goType(name)
	switch {
	case s.EventStream:
		return "iter.Seq2[*" + t + ", error]"
	case s.Document, s.Type == "list", s.Type == "map", s.Type == "blob", isEnum(s):
		return t
	}
	return "*" + t
}

func (g *generator) structSource(name string, s *shape) string {
	var b strings.Builder
	fmt.Fprintf(&b, "type %s struct {\n", g.goNames[name])
	for _, member := range s.Members.names {
		r := s.Members.refs[member]
		fmt.Fprintf(&b, "%s %s %s\n", exported(member), g.memberType(r.Shape), g.tag(s, member, r))
	}
	b.WriteString("}\n\n")
	return b.String()
}

func (g *generator) enumSource(name string, s *shape) string {
	var b strings.Builder
	goName := g.goNames[name]
	fmt.Fprintf(&b, "type %s string\n\n", goName)
	if len(s.Enum) > maxEnum {
		return b.String()
	}
	var names []string
	b.WriteString("const (\n")
	for i, value := range s.Enum {
		c := constantName(goName, value)
		if g.taken(c, names) {
			c = fmt.Sprintf("%sValue%d", goName, i)
		}
		names = append(names, c)
		fmt.Fprintf(&b, "%s %s = %q\n", c, goName, value)
	}
	b.WriteString(")\n\n")
	fmt.Fprintf(&b, "// Values lists what the model allows.\nfunc (%s) Values() []string {\nreturn []string{", goName)
	for i, c := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "string(%s)", c)
	}
	b.WriteString("}\n}\n\n")
	return b.String()
}

// taken reports whether a constant's name is in use in the package.
func (g *generator) taken(name string, siblings []string) bool {
	if slices.Contains(siblings, name) {
		return true
	}
	for shape := range g.reached {
		if g.goNames[shape] == name {
			return true
		}
	}
	return false
}
