package wire

import (
	"strconv"
	"strings"
)

// frame finds how long the body is (RFC 9112, 6.3) and takes the fields that say so out.
func (r *Request) frame() *Fault {
	f, fault := framingOf(&r.Fields)
	switch {
	case fault != nil:
		return fault
	case f.coding != "" && r.Minor == 0:
		return badCoding // RFC 9112, 6.1: its framing is taken for faulty
	case f.codings > 1:
		return severalCodings
	case f.coding != "" && !strings.EqualFold(f.coding, "chunked"):
		return unknown(f.coding)
	case f.coding != "":
		r.Length = -1
	default:
		r.Length = f.length
	}
	r.Last = f.coding != "" && f.lengths > 0
	r.Odd = f.odd(r.Method)
	return nil
}

// unknown tells codings that nobody knows from those that leave no end.
func unknown(coding string) *Fault {
	if named(coding, "chunked") || strings.Contains(coding, ",") || coding == "identity" {
		return badCoding
	}
	return unknownCoding
}

// framing is what fields say of a body's length.
type framing struct {
	length  int64
	lengths int    // how many fields said so
	coding  string // the last
	codings int
}

// framingOf takes Content-Length and Transfer-Encoding out.
func framingOf(fs *Fields) (f framing, fault *Fault) {
	said := ""
	fs.DelFunc(func(one *Field) bool {
		switch {
		case one.Is("Content-Length"):
			if f.lengths++; f.lengths > 1 && one.Value != said {
				fault = severalLengths
			}
			said = one.Value
			return true
		case one.Is("Transfer-Encoding"):
			f.codings++
			f.coding = one.Value
			if one.Value == "" {
				fault = badCoding
			}
			return true
		}
		return false
	})
	if fault == nil && f.lengths > 0 {
		var ok bool
		if f.length, ok = lengthOf(said); !ok {
			fault = badLength
		}
	}
	return f, fault
}

// lengthOf reads a Content-Length: digits, and nothing else.
func lengthOf(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for n := range len(s) {
		if !digit(s[n]) {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// odd names what of it two readers may understand differently.
func (f *framing) odd(method string) string {
	bare := method == "GET" || method == "HEAD"
	switch {
	case f.coding != "" && f.lengths > 0:
		return "BothTeClPresent"
	case f.lengths > 1:
		return "DuplicateContentLength"
	case bare && f.coding != "":
		return "UndefinedTransferEncodingSemantics"
	case bare && f.length > 0:
		return "UndefinedContentLengthSemantics"
	}
	return ""
}
