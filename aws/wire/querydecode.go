package wire

import (
	"encoding/base64"
	"reflect"
	"strconv"
)

// queryReader turns a form into a struct. EC2 writes all lists flat.
type queryReader struct{ ec2 bool }

func (q queryReader) structure(f *form, s *shape, v reflect.Value) error {
	for i := range s.fields {
		fl := &s.fields[i]
		child := f.child(fl.query)
		if child == nil && !(fl.flat && fl.itemName != "member") {
			continue
		}
		if err := q.member(f, child, fl, v); err != nil {
			return err
		}
	}
	return nil
}

func (q queryReader) member(f, child *form, fl *field, parent reflect.Value) error {
	switch fl.shape.kind {
	case kindList:
		return q.list(q.listForm(f, child, fl), fl.shape, fl.target(parent))
	case kindMap:
		return q.dictionary(child, fl, fl.target(parent))
	}
	if child == nil {
		return nil
	}
	return q.value(child, fl.shape, fl.target(parent), fl.query)
}

// listForm is the part of the form whose numbered children are the items. A flat
// list whose items have a name of their own goes by that name.
func (q queryReader) listForm(f, child *form, fl *field) *form {
	switch {
	case child == nil:
		return f.child(fl.itemName)
	case q.ec2 || fl.flat:
		return child
	}
	if inner := child.child(fl.itemName); inner != nil {
		return inner
	}
	return child
}

func (q queryReader) list(f *form, s *shape, v reflect.Value) error {
	if f == nil {
		return nil
	}
	items := f.items()
	out := reflect.MakeSlice(s.typ, len(items), len(items))
	for i, item := range items {
		if err := q.value(item, s.elem, out.Index(i), "item "+strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func (q queryReader) dictionary(f *form, fl *field, v reflect.Value) error {
	if f == nil {
		return nil
	}
	if !fl.flat {
		if entry := f.child("entry"); entry != nil {
			f = entry
		}
	}
	out := reflect.MakeMap(fl.shape.typ)
	for _, entry := range f.items() {
		k, item := entry.child(fl.keyName), entry.child(fl.valueName)
		if k == nil {
			continue
		}
		key := reflect.New(fl.shape.key.typ).Elem()
		key.SetString(k.value)
		value := reflect.New(fl.shape.elem.typ).Elem()
		if item != nil {
			if err := q.value(item, fl.shape.elem, value, k.value); err != nil {
				return err
			}
		}
		out.SetMapIndex(key, value)
	}
	v.Set(out)
	return nil
}

func (q queryReader) value(f *form, s *shape, v reflect.Value, name string) error {
	switch s.kind {
	case kindStruct:
		return q.structure(f, s, v)
	case kindList:
		inner := f
		if m := f.child("member"); m != nil && !q.ec2 {
			inner = m
		}
		return q.list(inner, s, v)
	}
	return named(name, f.value, setText(s, v, f.value))
}

// setText reads a scalar from plain text, as query strings, headers and paths
// hold it.
func setText(s *shape, v reflect.Value, text string) error {
	switch s.kind {
	case kindString:
		v.SetString(text)
	case kindBool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return malformed("It must be true or false")
		}
		v.SetBool(b)
	case kindInt:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v.OverflowInt(n) {
			return malformed("It must be an integer")
		}
		v.SetInt(n)
	case kindFloat:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return malformed("It must be a number")
		}
		v.SetFloat(n)
	case kindTime:
		t, ok := parseTime(text)
		if !ok {
			return malformed("It must be a timestamp")
		}
		v.Set(reflect.ValueOf(t))
	case kindBlob:
		b, err := base64.StdEncoding.AppendDecode([]byte{}, []byte(text))
		if err != nil {
			return malformed("It must be base64")
		}
		v.SetBytes(b)
	default:
		return malformed("It has a form that no text can carry")
	}
	return nil
}
