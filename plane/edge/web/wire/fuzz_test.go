package wire_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// FuzzRequest reads bytes as we do and as net/http does: what we take for a request it
// takes for the same one, with the same body, and with the same rest behind it.
func FuzzRequest(f *testing.F) {
	const host = " HTTP/1.1\r\nHost: a\r\n"
	for _, text := range []string{
		"GET /a%20b?c=d" + host + "X: y\r\n\r\nGET /", "POST /" + host + "Content-Length: 3\r\n\r\nabcd", "POST /" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabcd",
		"POST /" + host + "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\nGET /", "POST /" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET /",
		"GET http://b:1/c" + host + "\r\n", "OPTIONS *" + host + "\r\n", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.7\r\nHost: [::1]:80\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ours := wire.NewSource(bytes.NewReader(text), &wire.Buffers{})
		var r wire.Request
		if r.Read(ours, never) != nil || r.Method == http.MethodConnect {
			return // refused, or soon
		}
		theirs := bufio.NewReader(bytes.NewReader(text))
		want, err := http.ReadRequest(theirs)
		if err != nil {
			t.Fatalf("%q is none: %v", text, err)
		}
		length := want.ContentLength
		if r.Method != want.Method || r.Target != want.RequestURI || r.Host != want.Host || r.Length != length {
			t.Fatalf("%q is %+v, not %+v", text, r, want)
		}
		var b wire.Body
		b.Of(&r, ours)
		body, err := all(&b)
		if err != nil {
			return // refused
		}
		told, err := io.ReadAll(want.Body)
		if err != nil || body != string(told) {
			t.Fatalf("%q has the body %q, not %q, %v", text, body, told, err)
		}
		rest, _ := io.ReadAll(ours)
		behind, _ := io.ReadAll(theirs)
		if string(rest) != string(behind) {
			t.Fatalf("%q is followed by %q, not %q", text, rest, behind)
		}
		again(t, &r, body)
	})
}

// all reads a body to its end.
func all(b *wire.Body) (string, error) {
	var text strings.Builder
	for {
		part, err := b.Part()
		if err == io.EOF {
			return text.String(), nil
		}
		if err != nil {
			return "", err
		}
		text.Write(part)
	}
}

// again writes a request as a target gets it, and has net/http read that: no field has
// become two, or the body's.
func again(t *testing.T, r *wire.Request, body string) {
	t.Helper()
	text := append([]byte(r.Method+" "+r.Origin()+" HTTP/1.1\r\nHost: "+r.Host+"\r\n"), r.Fields.Append(nil)...)
	text = append(text, "Transfer-Encoding: chunked\r\n\r\n"...)
	if body != "" {
		text = wire.AppendChunk(text, []byte(body))
	}
	text = wire.AppendEnd(text, nil)
	in := bufio.NewReader(bytes.NewReader(text))
	heard, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("%q is none: %v", text, err)
	}
	told, err := io.ReadAll(heard.Body)
	if err != nil || string(told) != body || in.Buffered() > 0 {
		t.Fatalf("%q has the body %q, %v, and %d bytes behind it", text, told, err, in.Buffered())
	}
	fields := 0
	for name, values := range heard.Header {
		fields += len(values)
		if !r.Fields.Has(name) {
			t.Fatalf("%q has a field %q", text, name)
		}
	}
	if fields > len(r.Fields) {
		t.Fatalf("%q has %d fields, not %d", text, fields, len(r.Fields))
	}
}
