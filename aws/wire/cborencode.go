package wire

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"time"
)

func appendCBORHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

func appendCBOR(b []byte, s *shape, v reflect.Value) []byte {
	switch s.kind {
	case kindString:
		return appendCBORText(b, v.String())
	case kindBool:
		if v.Bool() {
			return append(b, cborSimple<<5|cborTrue)
		}
		return append(b, cborSimple<<5|cborFalse)
	case kindInt:
		return appendCBORInt(b, v.Int())
	case kindFloat:
		return appendCBORFloat(b, v.Float())
	case kindTime:
		return appendCBORTime(b, v.Interface().(time.Time))
	case kindBlob:
		b = appendCBORHead(b, cborBytes, uint64(v.Len()))
		return append(b, v.Bytes()...)
	case kindList:
		b = appendCBORHead(b, cborArray, uint64(v.Len()))
		for i := range v.Len() {
			b = appendCBOR(b, s.elem, v.Index(i))
		}
		return b
	case kindMap:
		b = appendCBORHead(b, cborMap, uint64(v.Len()))
		for _, k := range sortedKeys(v) {
			b = appendCBORText(b, k.String())
			b = appendCBOR(b, s.elem, v.MapIndex(k))
		}
		return b
	case kindStruct:
		return appendCBORStruct(b, s, v)
	}
	return append(b, cborSimple<<5|cborNull)
}

func appendCBORStruct(b []byte, s *shape, v reflect.Value) []byte {
	present := uint64(0)
	for i := range s.fields {
		if f := &s.fields[i]; f.shape.kind != kindStream && !f.absent(v.Field(f.index)) {
			present++
		}
	}
	b = appendCBORHead(b, cborMap, present)
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		if f.shape.kind == kindStream || f.absent(fv) {
			continue
		}
		b = appendCBORText(b, f.name)
		b = appendCBOR(b, f.shape, f.value(fv))
	}
	return b
}

func appendCBORText(b []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	return append(appendCBORHead(b, cborText, uint64(len(s))), s...)
}

func appendCBORInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendCBORHead(b, cborNegative, uint64(-1-n))
	}
	return appendCBORHead(b, cborUint, uint64(n))
}

func appendCBORFloat(b []byte, f float64) []byte {
	b = append(b, cborSimple<<5|cborDouble)
	return binary.BigEndian.AppendUint64(b, math.Float64bits(f))
}

// appendCBORTime writes tag 1 and seconds, with milliseconds as decimals.
func appendCBORTime(b []byte, t time.Time) []byte {
	b = appendCBORHead(b, cborTag, 1)
	ms := t.UnixMilli()
	if ms%1000 == 0 {
		return appendCBORInt(b, ms/1000)
	}
	return appendCBORFloat(b, float64(ms)/1000)
}
