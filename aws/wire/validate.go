package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/berthhq/berth/domain/fault"
)

// maxViolations bounds the list in a message, as AWS does.
const maxViolations = 10

// Validate checks a decoded input against the model's constraints, and answers
// broken ones as the service does.
func (q *Request) Validate(in any) error {
	c := checker{style: q.Service.Violations}
	v := reflect.ValueOf(in).Elem()
	c.structure(q.Service.shapes.of(v.Type()), v, "")
	return c.verdict()
}

// violation is one broken constraint.
type violation struct {
	path, value, constraint string
	missing                 bool
}

type checker struct {
	style Violations
	found []violation
}

func (c *checker) structure(s *shape, v reflect.Value, path string) {
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		at := path + lowerFirst(f.name)
		if f.absent(fv) {
			if f.required && c.style != AsECS {
				c.add(violation{at, "null", "Member must not be null", true})
			}
			continue
		}
		before := len(c.found)
		c.value(f.shape, f.value(fv), at, &f.limits, f)
		if f.secret {
			hide(c.found[before:])
		}
	}
}

// hide keeps a secret out of the answer, and so out of logs.
func hide(found []violation) {
	for i := range found {
		found[i].value = "'***'"
	}
}

// value checks one value and all in it. f is the field it belongs to.
func (c *checker) value(s *shape, v reflect.Value, path string, l *limits, f *field) {
	switch s.kind {
	case kindStruct:
		c.structure(s, v, path+".")
	case kindString:
		c.text(s, v.String(), path, l)
	case kindInt:
		c.bounds(float64(v.Int()), strconv.FormatInt(v.Int(), 10), "value", path, l)
	case kindFloat:
		c.bounds(v.Float(), strconv.FormatFloat(v.Float(), 'g', -1, 64), "value", path, l)
	case kindBlob:
		c.bounds(float64(v.Len()), "java.nio.HeapByteBuffer", "length", path, l)
	case kindList:
		c.list(s, v, path, l, f)
	case kindMap:
		c.dictionary(s, v, path, l, f)
	}
}

func (c *checker) text(s *shape, text, path string, l *limits) {
	if s.values != nil && c.style != AsECS && !slices.Contains(s.values, text) {
		c.add(violation{path, "'" + text + "'", "Member must satisfy enum value set: [" + strings.Join(s.values, ", ") + "]", false})
	}
	if !l.any() {
		return
	}
	c.bounds(float64(utf8.RuneCountInString(text)), text, "length", path, l)
	if l.match != nil && !l.match.MatchString(text) {
		c.add(violation{path, "'" + text + "'", "Member must satisfy regular expression pattern: " + l.pattern, false})
	}
}

func (c *checker) bounds(n float64, shown, what, path string, l *limits) {
	if l.hasMin && n < l.min {
		c.add(violation{path, "'" + shown + "'", fmt.Sprintf("Member must have %s greater than or equal to %v", what, int64(l.min)), false})
	}
	if l.hasMax && n > l.max {
		c.add(violation{path, "'" + shown + "'", fmt.Sprintf("Member must have %s less than or equal to %v", what, int64(l.max)), false})
	}
}

func (c *checker) list(s *shape, v reflect.Value, path string, l *limits, f *field) {
	if l.any() {
		c.bounds(float64(v.Len()), showList(v), "length", path, l)
	}
	for i := range v.Len() {
		c.value(s.elem, v.Index(i), path+"."+strconv.Itoa(i+1)+".member", &f.each, f)
	}
}

func (c *checker) dictionary(s *shape, v reflect.Value, path string, l *limits, f *field) {
	if l.any() {
		c.bounds(float64(v.Len()), showMap(v), "length", path, l)
	}
	for _, k := range sortedKeys(v) {
		c.text(s.key, k.String(), path+".key", &f.keys)
		c.value(s.elem, v.MapIndex(k), path+"."+k.String()+".member", &f.each, f)
	}
}

func (c *checker) add(v violation) {
	if len(c.found) < maxViolations {
		c.found = append(c.found, v)
	}
}

// verdict is the fault all violations make together; nil when there are none.
func (c *checker) verdict() error {
	if len(c.found) == 0 {
		return nil
	}
	switch c.style {
	case AsECR:
		return c.ecrVerdict()
	case AsEC2:
		return c.ec2Verdict()
	case AsValidation:
		return fault.New(fault.Validation, "%s", c.words())
	case AsInvalidInput:
		return fault.New(fault.InvalidMapInput, "%s", c.words())
	}
	return fault.New(fault.InvalidParameter, "%s", c.words())
}

func (c *checker) words() string {
	parts := make([]string, len(c.found))
	for i, v := range c.found {
		parts[i] = fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", v.value, v.path, v.constraint)
	}
	noun := "error"
	if len(parts) > 1 {
		noun = "errors"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(parts), noun, strings.Join(parts, "; "))
}

func (c *checker) ecrVerdict() error {
	v := c.found[0]
	constraint := lowerFirst(strings.TrimPrefix(v.constraint, "Member "))
	if pattern, ok := strings.CutPrefix(constraint, "must satisfy regular expression pattern: "); ok {
		constraint = "must satisfy regular expression '" + pattern + "'"
	}
	return fault.New(fault.InvalidParameter, "Invalid parameter at '%s' failed to satisfy constraint: '%s'", v.path, constraint)
}

func (c *checker) ec2Verdict() error {
	v := c.found[0]
	name := strings.ToUpper(v.path[:1]) + v.path[1:]
	if v.missing {
		return fault.New(fault.MissingParameter, "The request must contain the parameter %s", name)
	}
	return fault.New(fault.InvalidParameterValue, "Value (%s) for parameter %s is invalid. %s", strings.Trim(v.value, "'"), name, strings.TrimPrefix(v.constraint, "Member "))
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// showList and showMap write values as AWS's messages do.
func showList(v reflect.Value) string {
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = showItem(v.Index(i))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func showMap(v reflect.Value) string {
	var parts []string
	for _, k := range sortedKeys(v) {
		parts = append(parts, k.String()+"="+showItem(v.MapIndex(k)))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func showItem(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String, reflect.Int32, reflect.Int64, reflect.Float64, reflect.Bool:
		return fmt.Sprint(v.Interface())
	}
	return v.Type().Name()
}
