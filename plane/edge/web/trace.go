package web

import (
	"encoding/hex"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"
)

// hostOf is a host without its port, in lower case.
func hostOf(s string) string {
	if strings.IndexByte(s, ':') >= 0 {
		if h, _, err := net.SplitHostPort(s); err == nil {
			s = h
		}
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// traceOf adds our part to a trace header, or begins one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
func traceOf(said string, now time.Time) string {
	mark := make([]byte, 0, 64)
	mark = append(mark, "Root=1-"...)
	mark = strconv.AppendInt(mark, now.Unix(), 16)
	mark = appendID(append(mark, '-'), 12)
	if said == "" {
		return string(mark)
	}
	var kept []string
	root := false
	for field := range strings.SplitSeq(said, ";") {
		name, _, ok := strings.Cut(strings.TrimSpace(field), "=")
		if !ok || name == "Self" {
			continue
		}
		root = root || name == "Root"
		kept = append(kept, strings.TrimSpace(field))
	}
	if root {
		copy(mark, "Self")
	}
	return strings.Join(append([]string{string(mark)}, kept...), ";")
}

// hexID is n bytes that nobody else has, in hexadecimal.
func hexID(n int) string { return string(appendID(nil, n)) }

func appendID(to []byte, n int) []byte {
	var b [16]byte
	for i := 0; i < n; i += 8 {
		r := rand.Uint64()
		for j := range 8 {
			b[i+j] = byte(r >> (8 * j))
		}
	}
	return hex.AppendEncode(to, b[:n])
}
