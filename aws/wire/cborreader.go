package wire

import (
	"encoding/binary"
	"math"
)

// CBOR major types (RFC 8949, section 3.1).
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag
	cborSimple
)

// Simple values and the marks of items without a length.
const (
	cborFalse     = 20
	cborTrue      = 21
	cborNull      = 22
	cborUndefined = 23
	cborHalf      = 25
	cborSingle    = 26
	cborDouble    = 27
	cborOpenEnded = 31
)

// cborReader walks CBOR once.
type cborReader struct {
	data  []byte
	pos   int
	depth int
}

// head is the start of an item.
type head struct {
	major byte
	info  byte   // the low five bits
	arg   uint64 // value, length or bits
}

func (h head) openEnded() bool { return h.info == cborOpenEnded }
func (h head) isBreak() bool   { return h.major == cborSimple && h.openEnded() }
func (h head) isNull() bool {
	return h.major == cborSimple && (h.info == cborNull || h.info == cborUndefined)
}

func (r *cborReader) bad() error {
	return malformed("The CBOR body is malformed at byte %d", r.pos)
}

func (r *cborReader) head() (head, error) {
	if r.pos >= len(r.data) {
		return head{}, r.bad()
	}
	b := r.data[r.pos]
	r.pos++
	h := head{major: b >> 5, info: b & 31}
	switch {
	case h.info < 24:
		h.arg = uint64(h.info)
	case h.info < 28:
		size := 1 << (h.info - 24)
		if len(r.data)-r.pos < size {
			return head{}, r.bad()
		}
		var wide [8]byte
		copy(wide[8-size:], r.data[r.pos:])
		h.arg = binary.BigEndian.Uint64(wide[:])
		r.pos += size
	case h.info < cborOpenEnded, h.major < cborBytes || h.major == cborTag:
		return head{}, r.bad()
	}
	return h, nil
}

// value reads the head of an item that must not be a break.
func (r *cborReader) value() (head, error) {
	h, err := r.head()
	if err == nil && h.isBreak() {
		return head{}, r.bad()
	}
	return h, err
}

// items calls item for every item of an array, or every key of a map whose value
// item must read too. item gets the item's head.
func (r *cborReader) items(h head, item func(head) error) error {
	if r.depth++; r.depth > maxDepth {
		return malformed("The CBOR body is nested too deeply")
	}
	defer func() { r.depth-- }()
	for n := uint64(0); h.openEnded() || n < h.arg; n++ {
		next, err := r.head()
		if err != nil {
			return err
		}
		if next.isBreak() {
			if h.openEnded() {
				return nil
			}
			return r.bad()
		}
		if err := item(next); err != nil {
			return err
		}
	}
	return nil
}

// bytes reads the content of a byte or text string.
func (r *cborReader) bytes(h head) ([]byte, error) {
	if !h.openEnded() {
		if uint64(len(r.data)-r.pos) < h.arg {
			return nil, r.bad()
		}
		out := r.data[r.pos : r.pos+int(h.arg)]
		r.pos += int(h.arg)
		return out, nil
	}
	var out []byte
	err := r.items(h, func(chunk head) error {
		if chunk.major != h.major || chunk.openEnded() {
			return r.bad()
		}
		part, err := r.bytes(chunk)
		out = append(out, part...)
		return err
	})
	return out, err
}

// number is an item's value when it is a number of any kind.
func number(h head) (n float64, whole int64, isWhole, ok bool) {
	switch h.major {
	case cborUint:
		return float64(h.arg), int64(h.arg), h.arg <= math.MaxInt64, true
	case cborNegative:
		return -1 - float64(h.arg), -1 - int64(h.arg), h.arg <= math.MaxInt64, true
	case cborSimple:
		f, ok := float(h)
		w := int64(0)
		isWhole := ok && f == math.Trunc(f) && math.Abs(f) < 1<<63
		if isWhole {
			w = int64(f)
		}
		return f, w, isWhole, ok
	}
	return 0, 0, false, false
}

func float(h head) (float64, bool) {
	switch h.info {
	case cborHalf:
		return halfFloat(uint16(h.arg)), true
	case cborSingle:
		return float64(math.Float32frombits(uint32(h.arg))), true
	case cborDouble:
		return math.Float64frombits(h.arg), true
	}
	return 0, false
}

// halfFloat is RFC 8949, appendix D.
func halfFloat(bits uint16) float64 {
	exponent, mantissa := int(bits>>10&31), float64(bits&1023)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(mantissa, -24)
	case 31:
		f = math.Inf(1)
		if mantissa != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(mantissa+1024, exponent-25)
	}
	if bits&0x8000 != 0 {
		return -f
	}
	return f
}

// skip passes over the item that h starts.
func (r *cborReader) skip(h head) error {
	switch h.major {
	case cborBytes, cborText:
		_, err := r.bytes(h)
		return err
	case cborArray:
		return r.items(h, r.skip)
	case cborMap:
		return r.items(h, func(key head) error {
			if err := r.skip(key); err != nil {
				return err
			}
			return r.skipNext()
		})
	case cborTag:
		if r.depth++; r.depth > maxDepth {
			return malformed("The CBOR body is nested too deeply")
		}
		defer func() { r.depth-- }()
		return r.skipNext()
	}
	return nil
}

func (r *cborReader) skipNext() error {
	h, err := r.value()
	if err != nil {
		return err
	}
	return r.skip(h)
}
