package wire

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
)

// xmlWriter writes the answers of the query protocols.
type xmlWriter struct {
	b []byte
}

func (x *xmlWriter) open(name string) {
	x.b = append(x.b, '<')
	x.b = append(x.b, name...)
	x.b = append(x.b, '>')
}

func (x *xmlWriter) close(name string) {
	x.b = append(x.b, '<', '/')
	x.b = append(x.b, name...)
	x.b = append(x.b, '>')
}

func (x *xmlWriter) textElement(name, text string) {
	x.open(name)
	x.text(text)
	x.close(name)
}

// members writes the fields of a struct, each as an element.
func (x *xmlWriter) members(s *shape, v reflect.Value) {
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		if f.absent(fv) {
			continue
		}
		switch f.shape.kind {
		case kindList:
			x.list(f, fv)
		case kindMap:
			x.dictionary(f, fv)
		default:
			x.element(f.name, f.shape, f.value(fv), f.time)
		}
	}
}

func (x *xmlWriter) element(name string, s *shape, v reflect.Value, tf timeFormat) {
	x.open(name)
	switch s.kind {
	case kindStruct:
		x.members(s, v)
	case kindList: // a list in a list
		for i := range v.Len() {
			x.element("member", s.elem, v.Index(i), tf)
		}
	default:
		x.scalar(s, v, tf)
	}
	x.close(name)
}

func (x *xmlWriter) list(f *field, v reflect.Value) {
	item := f.itemName
	if f.flat {
		if f.itemName == "member" {
			item = f.name
		}
		for i := range v.Len() {
			x.element(item, f.shape.elem, v.Index(i), f.time)
		}
		return
	}
	x.open(f.name)
	for i := range v.Len() {
		x.element(item, f.shape.elem, v.Index(i), f.time)
	}
	x.close(f.name)
}

func (x *xmlWriter) dictionary(f *field, v reflect.Value) {
	entry := "entry"
	if f.flat {
		entry = f.name
	} else {
		x.open(f.name)
	}
	for _, k := range sortedKeys(v) {
		x.open(entry)
		x.textElement(f.keyName, k.String())
		x.element(f.valueName, f.shape.elem, v.MapIndex(k), timeDefault)
		x.close(entry)
	}
	if !f.flat {
		x.close(f.name)
	}
}

func (x *xmlWriter) scalar(s *shape, v reflect.Value, tf timeFormat) {
	switch s.kind {
	case kindString:
		x.text(v.String())
	case kindBool:
		x.b = strconv.AppendBool(x.b, v.Bool())
	case kindInt:
		x.b = strconv.AppendInt(x.b, v.Int(), 10)
	case kindFloat:
		x.b = appendXMLFloat(x.b, v.Float())
	case kindTime:
		if tf == timeDefault {
			tf = timeISO8601
		}
		x.b = appendTime(x.b, v.Interface().(time.Time), tf)
	case kindBlob:
		x.b = base64.StdEncoding.AppendEncode(x.b, v.Bytes())
	}
}

func appendXMLFloat(b []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	case math.IsNaN(f):
		return append(b, "NaN"...)
	}
	return appendJSONFloat(b, f)
}

// text escapes character data. What XML cannot hold becomes U+FFFD.
func (x *xmlWriter) text(s string) {
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if with := xmlEscape(r, size); with != "" {
			x.b = append(append(x.b, s[start:i]...), with...)
			start = i + size
		}
		i += size
	}
	x.b = append(x.b, s[start:]...)
}

func xmlEscape(r rune, size int) string {
	switch {
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '"':
		return "&quot;"
	case r == '\r':
		return "&#xD;"
	case r == utf8.RuneError && size == 1,
		r < ' ' && r != '\n' && r != '\t', r == 0xFFFE, r == 0xFFFF:
		return "\ufffd"
	}
	return ""
}
