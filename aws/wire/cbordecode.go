package wire

import (
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

// decodeCBOR reads a whole CBOR body into v, a struct. An empty body is an empty
// map.
func decodeCBOR(data []byte, s *shape, v reflect.Value) error {
	if len(data) == 0 {
		return nil
	}
	r := cborReader{data: data}
	h, err := r.value()
	if err != nil {
		return err
	}
	if err := r.into(h, s, v); err != nil {
		return err
	}
	if r.pos != len(data) {
		return r.bad()
	}
	return nil
}

var cborNames = [...]string{"INTEGER", "INTEGER", "BYTE_STRING", "TEXT_STRING", "ARRAY", "MAP", "TAG", "SIMPLE_VALUE"}

func cborMismatch(h head, want string) error {
	return fault.New(fault.Serialization, "%s can not be converted to %s", cborNames[h.major], want)
}

// into reads the item that h starts into v.
func (r *cborReader) into(h head, s *shape, v reflect.Value) error {
	switch s.kind {
	case kindStruct:
		return r.structure(h, s, v)
	case kindList:
		return r.list(h, s, v)
	case kindMap:
		return r.dictionary(h, s, v)
	case kindString, kindBlob:
		return r.stringInto(h, s, v)
	case kindTime:
		return r.timestamp(h, v)
	}
	return scalarInto(h, s, v)
}

func (r *cborReader) structure(h head, s *shape, v reflect.Value) error {
	if h.major != cborMap {
		return cborMismatch(h, "a Structure")
	}
	return r.items(h, func(key head) error {
		if key.major != cborText {
			return r.bad()
		}
		name, err := r.bytes(key)
		if err != nil {
			return err
		}
		item, err := r.value()
		if err != nil {
			return err
		}
		f := s.byName[string(name)]
		switch {
		case f == nil || f.shape.kind == kindStream:
			return r.skip(item)
		case item.isNull():
			return nil
		}
		v.Field(f.index).SetZero()
		return r.into(item, f.shape, f.target(v))
	})
}

func (r *cborReader) list(h head, s *shape, v reflect.Value) error {
	if h.major != cborArray {
		return cborMismatch(h, "a List")
	}
	out := reflect.MakeSlice(s.typ, 0, 0)
	err := r.items(h, func(item head) error {
		out = grow(out)
		return r.into(item, s.elem, out.Index(out.Len()-1))
	})
	v.Set(out)
	return err
}

func (r *cborReader) dictionary(h head, s *shape, v reflect.Value) error {
	if h.major != cborMap {
		return cborMismatch(h, "a Map")
	}
	out := reflect.MakeMap(s.typ)
	err := r.items(h, func(keyHead head) error {
		if keyHead.major != cborText {
			return r.bad()
		}
		key := reflect.New(s.key.typ).Elem()
		if err := r.stringInto(keyHead, s.key, key); err != nil {
			return err
		}
		h, err := r.value()
		if err != nil || h.isNull() {
			return err
		}
		item := reflect.New(s.elem.typ).Elem()
		if err := r.into(h, s.elem, item); err != nil {
			return err
		}
		out.SetMapIndex(key, item)
		return nil
	})
	v.Set(out)
	return err
}

func (r *cborReader) stringInto(h head, s *shape, v reflect.Value) error {
	if s.kind == kindBlob {
		if h.major != cborBytes {
			return cborMismatch(h, "a Blob")
		}
		b, err := r.bytes(h)
		v.SetBytes(append([]byte{}, b...))
		return err
	}
	if h.major != cborText {
		return cborMismatch(h, "a String")
	}
	b, err := r.bytes(h)
	v.SetString(strings.ToValidUTF8(string(b), "\ufffd"))
	return err
}

func scalarInto(h head, s *shape, v reflect.Value) error {
	f, whole, isWhole, isNumber := number(h)
	switch {
	case s.kind == kindBool && h.major == cborSimple && (h.info == cborTrue || h.info == cborFalse):
		v.SetBool(h.info == cborTrue)
	case s.kind == kindInt && isWhole && !v.OverflowInt(whole):
		v.SetInt(whole)
	case s.kind == kindFloat && isNumber:
		v.SetFloat(f)
	default:
		return cborMismatch(h, map[kind]string{kindBool: "a Boolean", kindInt: integerName(v), kindFloat: "a Double"}[s.kind])
	}
	return nil
}

// timestamp reads seconds since 1970 under tag 1; the tag may be missing.
func (r *cborReader) timestamp(h head, v reflect.Value) error {
	if h.major == cborTag && h.arg == 1 {
		var err error
		if h, err = r.value(); err != nil {
			return err
		}
	}
	f, whole, isWhole, ok := number(h)
	if !ok || math.IsNaN(f) || !inRange(f) {
		return cborMismatch(h, "a Timestamp")
	}
	t := time.Unix(whole, 0)
	if !isWhole {
		t = time.UnixMicro(int64(math.Round(f * 1e6)))
	}
	v.Set(reflect.ValueOf(t.UTC()))
	return nil
}
