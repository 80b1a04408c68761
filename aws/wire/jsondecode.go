package wire

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"

	"github.com/berthhq/berth/domain/fault"
)

// decodeJSON reads a whole JSON text into v, a struct. An empty text is an empty
// object, as clients send for operations without input.
func decodeJSON(data []byte, s *shape, v reflect.Value) error {
	r := jsonReader{data: data}
	if r.peek() == 0 && r.pos >= len(data) {
		return nil
	}
	if err := r.value(s, v, timeDefault); err != nil {
		return err
	}
	return r.end()
}

// mismatch is a value of a kind the member cannot take.
func (r *jsonReader) mismatch(want string) error {
	return fault.New(fault.Serialization, "%s can not be converted to %s", r.describe(), want)
}

func (r *jsonReader) value(s *shape, v reflect.Value, tf timeFormat) error {
	c := r.peek()
	switch s.kind {
	case kindStruct:
		if c != '{' {
			return r.mismatch("a Structure")
		}
		return r.structure(s, v)
	case kindList:
		if c != '[' {
			return r.mismatch("a List")
		}
		return r.list(s, v, tf)
	case kindMap:
		if c != '{' {
			return r.mismatch("a Map")
		}
		return r.dictionary(s, v)
	case kindDocument:
		raw, err := r.raw()
		v.SetBytes(append([]byte(nil), raw...))
		return err
	}
	return r.scalar(c, s, v)
}

func (r *jsonReader) scalar(c byte, s *shape, v reflect.Value) error {
	switch s.kind {
	case kindString:
		if c != '"' {
			return r.mismatch("a String")
		}
		text, err := r.text()
		v.SetString(string(text))
		return err
	case kindBlob:
		return r.blob(c, v)
	case kindBool:
		return r.boolean(c, v)
	case kindInt:
		return r.integer(c, v)
	case kindFloat:
		return r.float(c, v)
	case kindTime:
		return r.timestamp(c, v)
	}
	return r.mismatch("a stream")
}

func (r *jsonReader) structure(s *shape, v reflect.Value) error {
	if err := r.open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := r.next('}', first)
		if err != nil || !more {
			return err
		}
		name, err := r.key()
		if err != nil {
			return err
		}
		f := s.byName[string(name)]
		switch {
		case f == nil || f.in != inBody || f.shape.kind == kindStream:
			err = r.skip()
		case r.null():
		default:
			err = r.member(f, v)
		}
		if err != nil {
			return err
		}
	}
}

// member reads a field; of a name that comes twice, the last counts alone.
func (r *jsonReader) member(f *field, parent reflect.Value) error {
	parent.Field(f.index).SetZero()
	return r.value(f.shape, f.target(parent), f.time)
}

func (r *jsonReader) list(s *shape, v reflect.Value, tf timeFormat) error {
	if err := r.open('['); err != nil {
		return err
	}
	out := reflect.MakeSlice(s.typ, 0, 0)
	for first := true; ; first = false {
		more, err := r.next(']', first)
		if err != nil {
			return err
		}
		if !more {
			v.Set(out)
			return nil
		}
		out = grow(out)
		if err := r.value(s.elem, out.Index(out.Len()-1), tf); err != nil {
			return err
		}
	}
}

// grow adds a zero element.
func grow(v reflect.Value) reflect.Value {
	if n := v.Len(); n < v.Cap() {
		v = v.Slice(0, n+1)
		v.Index(n).SetZero()
		return v
	}
	return reflect.Append(v, reflect.Zero(v.Type().Elem()))
}

func (r *jsonReader) dictionary(s *shape, v reflect.Value) error {
	if err := r.open('{'); err != nil {
		return err
	}
	out := reflect.MakeMap(s.typ)
	for first := true; ; first = false {
		more, err := r.next('}', first)
		if err != nil {
			return err
		}
		if !more {
			v.Set(out)
			return nil
		}
		name, err := r.key()
		if err != nil {
			return err
		}
		key := reflect.New(s.key.typ).Elem()
		key.SetString(string(name))
		if r.null() {
			continue
		}
		item := reflect.New(s.elem.typ).Elem()
		if err := r.value(s.elem, item, timeDefault); err != nil {
			return err
		}
		out.SetMapIndex(key, item)
	}
}

func (r *jsonReader) blob(c byte, v reflect.Value) error {
	if c != '"' {
		return r.mismatch("a Blob")
	}
	text, err := r.text()
	if err != nil {
		return err
	}
	out, err := base64.StdEncoding.AppendDecode([]byte{}, text)
	if err != nil {
		return fault.New(fault.Serialization, "STRING_VALUE can not be converted to a Blob: not base64")
	}
	v.SetBytes(out)
	return nil
}

func (r *jsonReader) boolean(c byte, v reflect.Value) error {
	switch c {
	case 't':
		v.SetBool(true)
		return r.word("true")
	case 'f':
		v.SetBool(false)
		return r.word("false")
	}
	return r.mismatch("a Boolean")
}

func isNumber(c byte) bool { return c == '-' || c >= '0' && c <= '9' }

func (r *jsonReader) integer(c byte, v reflect.Value) error {
	if !isNumber(c) {
		return r.mismatch(integerName(v))
	}
	text, err := r.number()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(string(text), 64)
		if ferr != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
			return fault.New(fault.Serialization, "NUMBER_VALUE %s can not be converted to %s", text, integerName(v))
		}
		n = int64(f)
	}
	if v.OverflowInt(n) {
		return fault.New(fault.Serialization, "NUMBER_VALUE %s can not be converted to %s", text, integerName(v))
	}
	v.SetInt(n)
	return nil
}

func integerName(v reflect.Value) string {
	if v.Kind() == reflect.Int64 {
		return "a Long"
	}
	return "an Integer"
}

// float takes numbers, and the words JSON has no numbers for.
func (r *jsonReader) float(c byte, v reflect.Value) error {
	var text []byte
	var err error
	switch {
	case isNumber(c):
		text, err = r.number()
	case c == '"':
		text, err = r.text()
		if s := string(text); err == nil && s != "NaN" && s != "Infinity" && s != "-Infinity" {
			return fault.New(fault.Serialization, "STRING_VALUE can not be converted to a Double")
		}
	default:
		return r.mismatch("a Double")
	}
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return fault.New(fault.Serialization, "NUMBER_VALUE %s can not be converted to a Double", text)
	}
	v.SetFloat(f)
	return nil
}

func (r *jsonReader) timestamp(c byte, v reflect.Value) error {
	var text []byte
	var err error
	switch {
	case isNumber(c):
		text, err = r.number()
	case c == '"':
		text, err = r.text()
	default:
		return r.mismatch("a Timestamp")
	}
	if err != nil {
		return err
	}
	t, ok := parseTime(string(text))
	if !ok {
		return fault.New(fault.Serialization, "%q can not be converted to a Timestamp", text)
	}
	v.Set(reflect.ValueOf(t))
	return nil
}
