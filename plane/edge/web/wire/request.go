package wire

import (
	"errors"
	"net/netip"
	"strings"
)

// Request is the head of a request.
type Request struct {
	Method string
	Target string // as it was sent
	Proto  string // "HTTP/1.1" or "HTTP/1.0"; of other fronts "HTTP/2.0"
	Major  int
	Minor  int
	Host   string // of the target, where it names one; empty for none
	Path   string // of the target, without the query
	Query  string // of the target, without the mark
	Fields Fields // without Host
	Length int64  // of the body; -1 when only its end tells
	// Odd is AWS's name for what two readers may understand differently, although there
	// is one safe reading; empty for none.
	Odd string
	// Last is true when nothing may follow on the connection, whatever the sender says.
	Last bool
	// Persists tells whether the sender goes on with the connection.
	Persists bool
}

// Origin is the target in origin form: its path and query, or "*".
func (r *Request) Origin() string {
	if r.Target != "" && (r.Target[0] == '/' || r.Target == "*") {
		return r.Target
	}
	if r.Query != "" {
		return r.Path + "?" + r.Query
	}
	return r.Path
}

// Read reads the head of a request. more is asked before each read of the connection: its
// error ends the attempt. Errors are a *Fault, or of the connection.
func (r *Request) Read(s *Source, more func() error) error {
	if len(s.Buffered()) == 0 {
		if err := firstOf(more(), s.Fill()); err != nil {
			return err
		}
	}
	if !tokens[s.Buffered()[0]] {
		return badMethod // TLS, most often
	}
	text, err := s.head(maxHead, more)
	if errors.Is(err, errTooLong) {
		return tooLong(s.Buffered())
	}
	if err != nil {
		return err
	}
	if fault := r.parse(text); fault != nil {
		return fault
	}
	return nil
}

// tooLong tells which part of a head is.
func tooLong(b []byte) *Fault {
	if first, _, ok := strings.Cut(string(b[:maxLine]), "\n"); !ok || len(first) > maxLine {
		return longTarget
	}
	return longHead
}

func (r *Request) parse(text string) (fault *Fault) {
	*r = Request{Fields: r.Fields[:0]}
	first, rest, ok := line(text, true)
	if !ok {
		return badHeader
	}
	if fault = r.first(first); fault != nil {
		return fault
	}
	if r.Fields, fault = fields(r.Fields, rest, true); fault != nil {
		return fault
	}
	if fault = r.ofHost(); fault != nil {
		return fault
	}
	if fault = r.frame(); fault != nil {
		return fault
	}
	r.Persists = !r.Last && (r.Minor == 1 && !r.Fields.Names("Connection", "close") || r.Minor == 0 && r.Fields.Names("Connection", "keep-alive"))
	return nil
}

// first reads the request line.
func (r *Request) first(text string) *Fault {
	if len(text) > maxLine {
		return longTarget
	}
	var ok bool
	if r.Method, text, ok = strings.Cut(text, " "); !ok || !token(r.Method) {
		return badMethod
	}
	if r.Target, r.Proto, ok = strings.Cut(text, " "); !ok || r.Target == "" {
		return badURI
	}
	if fault := r.version(); fault != nil {
		return fault
	}
	return r.Cut()
}

func (r *Request) version() *Fault {
	v := r.Proto
	switch {
	case v == "HTTP/1.1":
		r.Major, r.Minor = 1, 1
		return nil
	case v == "HTTP/1.0":
		r.Major, r.Minor = 1, 0
		return nil
	case strings.Contains(v, " "):
		return spaceInTarget
	case len(v) != len("HTTP/1.1") || !strings.HasPrefix(v, "HTTP/") || v[6] != '.' || !digit(v[5]) || !digit(v[7]):
		return badVersion
	case v[5] != '1':
		return unknownVersion
	}
	r.Major, r.Minor = 1, 1 // RFC 9110, 6.2: a higher minor version is read as the highest known
	return nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// Cut cuts the target in its parts (RFC 9112, 3.2).
func (r *Request) Cut() *Fault {
	t := r.Target
	for n := range len(t) {
		if c := t[n]; c <= ' ' || c == 0x7f {
			return badURI
		}
	}
	if r.Method == "CONNECT" {
		r.Path = t
		return nil // nobody connects through us
	}
	if t[0] != '/' {
		switch {
		case t == "*" && r.Method == "OPTIONS":
			r.Path = t
			return nil
		case len(t) > 7 && strings.EqualFold(t[:7], "http://"):
			t = t[7:]
		case len(t) > 8 && strings.EqualFold(t[:8], "https://"):
			t = t[8:]
		default:
			return badURI
		}
		end := strings.IndexAny(t, "/?")
		if end < 0 {
			end = len(t)
		}
		if r.Host = t[:end]; r.Host == "" || !hostly(r.Host) {
			return badURI
		}
		if t = t[end:]; t == "" || t[0] == '?' {
			t = "/" + t
		}
	}
	r.Path, r.Query, _ = strings.Cut(t, "?")
	if !escaped(r.Path) {
		return badURI
	}
	return nil
}

// escaped tells whether each percent sign begins an octet.
func escaped(path string) bool {
	for {
		at := strings.IndexByte(path, '%')
		if at < 0 {
			return true
		}
		if len(path) < at+3 || !hexadecimal(path[at+1]) || !hexadecimal(path[at+2]) {
			return false
		}
		path = path[at+3:]
	}
}

func hexadecimal(c byte) bool { return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// ofHost takes Host out of the fields (RFC 9112, 3.2): there is one, and what the target
// names goes before it.
func (r *Request) ofHost() *Fault {
	count, host := 0, ""
	r.Fields.DelFunc(func(f *Field) bool {
		if !f.Is("Host") {
			return false
		}
		count++
		host = f.Value
		return true
	})
	if count > 1 || count == 0 && r.Minor == 1 || !hostly(host) {
		return badHost
	}
	if r.Host == "" {
		r.Host = host
	}
	return nil
}

// hostly tells whether s may name a host and perhaps a port: RFC 3986, 3.2.2 and 3.2.3,
// without escapes, and with what is not ASCII.
func hostly(s string) bool {
	name, port := s, ""
	if at := strings.LastIndexByte(s, ':'); at >= 0 && at > strings.LastIndexByte(s, ']') {
		name, port = s[:at], s[at+1:]
	}
	for n := range len(port) {
		if !digit(port[n]) {
			return false
		}
	}
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		_, err := netip.ParseAddr(name[1 : len(name)-1])
		return err == nil
	}
	for n := range len(name) {
		if c := name[n]; c <= ' ' || c == 0x7f || strings.IndexByte(`"#%/:<>?@[\]^`+"`{|}", c) >= 0 {
			return false
		}
	}
	return true
}
