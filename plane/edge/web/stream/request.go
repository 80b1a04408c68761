package stream

import (
	"strconv"
	"strings"

	"golang.org/x/net/http2"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// read makes a request of a head (RFC 9113, 8.2 and 8.3).
func (s *Stream) read(f *http2.MetaHeadersFrame) error {
	bad := streamError(s.id, http2.ErrCodeProtocol)
	r := &s.Request
	*r = wire.Request{Proto: "HTTP/2.0", Major: 2, Length: -1, Persists: true, Fields: make(wire.Fields, 0, len(f.Fields)+4)}
	if f.Truncated {
		s.Fault = &wire.Fault{Status: 431}
	}
	authority, scheme := f.PseudoValue("authority"), f.PseudoValue("scheme")
	r.Method, r.Target, r.Host = f.PseudoValue("method"), f.PseudoValue("path"), authority
	if !s.readFields(f) || !s.readTarget(scheme) {
		return bad
	}
	s.ended = f.StreamEnded()
	if s.declared = r.Length; s.ended {
		if r.Length > 0 {
			return bad
		}
		r.Length = 0
	}
	s.expects = strings.EqualFold(r.Fields.Get("expect"), "100-continue")
	return nil
}

// readFields takes the fields; ok is false when a request may not have them.
func (s *Stream) readFields(f *http2.MetaHeadersFrame) (ok bool) {
	r := &s.Request
	var cookies []string
	for _, field := range f.RegularFields() {
		switch name, value := field.Name, field.Value; {
		case ofConnections(name), name == "te" && value != "trailers":
			return false
		case name == "host":
			if r.Host != "" && r.Host != value {
				return false
			}
			r.Host = value
		case name == "content-length":
			n, err := strconv.ParseUint(value, 10, 63)
			if err != nil || r.Length >= 0 && r.Length != int64(n) {
				return false
			}
			r.Length = int64(n)
		case name == "cookie":
			cookies = append(cookies, value)
		default:
			r.Fields.Add(name, value)
		}
	}
	if len(cookies) > 0 {
		r.Fields.Add("cookie", strings.Join(cookies, "; "))
	}
	return true
}

// ofConnections tells whether a field says something of a connection of HTTP/1, which
// HTTP/2 has no place for (RFC 9113, 8.2.2).
func ofConnections(name string) bool {
	switch name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

// readTarget cuts the path; ok is false for a request without what it must name.
func (s *Stream) readTarget(scheme string) (ok bool) {
	r := &s.Request
	if r.Method == "CONNECT" {
		r.Target, r.Path = r.Host, r.Host
		return r.Host != "" && scheme == ""
	}
	if r.Method == "" || scheme == "" || r.Target == "" || r.Target[0] != '/' && (r.Target != "*" || r.Method != "OPTIONS") {
		return false
	}
	return r.Cut() == nil
}
