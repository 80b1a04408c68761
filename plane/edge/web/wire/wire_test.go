package wire_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

func never() error { return nil }

func source(text string) *wire.Source {
	return wire.NewSource(iotest.OneByteReader(strings.NewReader(text)), &wire.Buffers{})
}

func read(text string) (wire.Request, error) {
	var r wire.Request
	err := r.Read(source(text), never)
	return r, err
}

// TestRequestsThatAreNone has each rule of RFC 9112 broken once.
func TestRequestsThatAreNone(t *testing.T) {
	const host = "Host: a\r\n"
	for text, want := range map[string]int{
		// 3: the request line
		" GET / HTTP/1.1\r\n" + host: 400, "GET  / HTTP/1.1\r\n" + host: 400, "GET /  HTTP/1.1\r\n" + host: 400, "GET / a HTTP/1.1\r\n" + host: 400,
		"GET\t/ HTTP/1.1\r\n" + host: 400, "G(T / HTTP/1.1\r\n" + host: 400, "GET / HTTP/1.1 \r\n" + host: 400, "GET /\x7f HTTP/1.1\r\n" + host: 400,
		"GET / http/1.1\r\n" + host: 400, "GET / HTTP/11\r\n" + host: 400, "GET / HTTP/1.1.1\r\n" + host: 400, "GET / HTTP/2.0\r\n" + host: 505, "GET / HTTP/0.9\r\n" + host: 505,
		"GET /\r\n" + host: 400, "GET a HTTP/1.1\r\n" + host: 400, "GET * HTTP/1.1\r\n" + host: 400, "GET ftp://a/ HTTP/1.1\r\n" + host: 400, "GET http:///x HTTP/1.1\r\n" + host: 400,
		"GET http://a@b/ HTTP/1.1\r\n" + host: 400, "GET /%4 HTTP/1.1\r\n" + host: 400, "GET /%zz HTTP/1.1\r\n" + host: 400, "\r\nGET / HTTP/1.1\r\n" + host: 400,
		"\x16\x03\x01": 400,
		// 2.2 and 5: lines and fields
		"GET / HTTP/1.1\n" + host: 400, "GET / HTTP/1.1\r\nHost: a\nX: y\r\n": 400, "GET / HTTP/1.1\r\nHost: a\r\r\n": 400, "GET / HTTP/1.1\r\n" + host + "X : y\r\n": 400,
		"GET / HTTP/1.1\r\n" + host + ": y\r\n": 400, "GET / HTTP/1.1\r\n" + host + "X\r\n": 400, "GET / HTTP/1.1\r\n" + host + " X: y\r\n": 400, "GET / HTTP/1.1\r\n" + host + "X: y\r\n z\r\n": 400,
		"GET / HTTP/1.1\r\n" + host + "X: a\x00b\r\n": 400, "GET / HTTP/1.1\r\n" + host + "X: a\x0bb\r\n": 400, "GET / HTTP/1.1\r\n" + host + "X\xc3\xa4: y\r\n": 400, "GET / HTTP/1.1\r\n" + host + "X(: y\r\n": 400,
		// 3.2: Host
		"GET / HTTP/1.1\r\n": 400, "GET / HTTP/1.1\r\n" + host + host: 400, "GET / HTTP/1.1\r\nHost: a b\r\n": 400, "GET / HTTP/1.1\r\nHost: a/b\r\n": 400, "GET / HTTP/1.1\r\nHost: a@b\r\n": 400,
		// 6: the body's length
		"POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n": 400, "POST / HTTP/1.1\r\n" + host + "Content-Length: +1\r\n": 400, "POST / HTTP/1.1\r\n" + host + "Content-Length: 1, 1\r\n": 400,
		"POST / HTTP/1.1\r\n" + host + "Content-Length: 0x1\r\n": 400, "POST / HTTP/1.1\r\n" + host + "Content-Length: \r\n": 400, "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n": 400,
		"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n": 400, "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n": 501, "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n": 400,
		"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n": 400, "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n": 400,
		"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n": 400, "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n": 400, "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: \"chunked\"\r\n": 501,
		"POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n": 400,
		// limits
		"GET /" + strings.Repeat("a", 16<<10) + " HTTP/1.1\r\n" + host: 414, "GET /" + strings.Repeat("a", 70<<10): 414, "GET / HTTP/1.1\r\nX: " + strings.Repeat("a", 16<<10) + "\r\n" + host: 400,
		"GET / HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", 1001): 431, "GET / HTTP/1.1\r\n" + strings.Repeat("X: "+strings.Repeat("a", 8000)+"\r\n", 9): 431,
	} {
		var fault *wire.Fault
		if _, err := read(text + "\r\n"); !errors.As(err, &fault) || fault.Status != want {
			t.Errorf("%.80q: %v, not %d", text, err, want)
		}
	}
}

func TestRequests(t *testing.T) {
	for text, want := range map[string]wire.Request{
		"GET /a?b=c HTTP/1.1\r\nHost: A:80\r\n":                                            {Method: "GET", Host: "A:80", Path: "/a", Query: "b=c", Minor: 1, Persists: true},
		"GET http://b:1/c?d HTTP/1.1\r\nHost: a\r\n":                                       {Method: "GET", Host: "b:1", Path: "/c", Query: "d", Minor: 1, Persists: true},
		"GET HTTPS://b?d HTTP/1.1\r\nHost: a\r\n":                                          {Method: "GET", Host: "b", Path: "/", Query: "d", Minor: 1, Persists: true},
		"OPTIONS * HTTP/1.1\r\nHost:\r\n":                                                  {Method: "OPTIONS", Path: "*", Minor: 1, Persists: true},
		"GET / HTTP/1.7\r\nHost: a\r\n":                                                    {Method: "GET", Host: "a", Path: "/", Minor: 1, Persists: true},
		"GET / HTTP/1.0\r\n":                                                               {Method: "GET", Path: "/"},
		"GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n":                                  {Method: "GET", Path: "/", Persists: true},
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n":                               {Method: "GET", Host: "a", Path: "/", Minor: 1},
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n":                             {Method: "PUT", Host: "a", Path: "/", Minor: 1, Persists: true, Length: 7},
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tChunked \r\n":                    {Method: "PUT", Host: "a", Path: "/", Minor: 1, Persists: true, Length: -1},
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n": {Method: "PUT", Host: "a", Path: "/", Minor: 1, Length: -1, Last: true, Odd: "BothTeClPresent"},
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n":          {Method: "PUT", Host: "a", Path: "/", Minor: 1, Persists: true, Length: 3, Odd: "DuplicateContentLength"},
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n":                               {Method: "GET", Host: "a", Path: "/", Minor: 1, Persists: true, Length: 3, Odd: "UndefinedContentLengthSemantics"},
		"HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n":                     {Method: "HEAD", Host: "a", Path: "/", Minor: 1, Persists: true, Length: -1, Odd: "UndefinedTransferEncodingSemantics"},
	} {
		r, err := read(text + "\r\n")
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got := wire.Request{Method: r.Method, Host: r.Host, Path: r.Path, Query: r.Query, Minor: r.Minor, Persists: r.Persists, Length: r.Length, Last: r.Last, Odd: r.Odd}
		if !same(got, want) {
			t.Errorf("%q:\n%+v\n%+v", text, got, want)
		}
		if r.Fields.Has("Host") || r.Fields.Has("Content-Length") || r.Fields.Has("Transfer-Encoding") {
			t.Errorf("%q: what frames and routes is among %q", text, r.Fields)
		}
	}
}

func same(a, b wire.Request) bool {
	return a.Method == b.Method && a.Host == b.Host && a.Path == b.Path && a.Query == b.Query && a.Minor == b.Minor &&
		a.Persists == b.Persists && a.Length == b.Length && a.Last == b.Last && a.Odd == b.Odd
}

// TestFieldsStayAsTheyCame shows order, case and values.
func TestFieldsStayAsTheyCame(t *testing.T) {
	r, err := read("GET / HTTP/1.1\r\nb: 1\r\nHost: a\r\nA:  2 \t\r\nB:\r\nC: \xff\r\n\r\n")
	if got := string(r.Fields.Append(nil)); err != nil || got != "b: 1\r\nA: 2\r\nB: \r\nC: \xff\r\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// bodyOf reads a request's body and what is left behind it.
func bodyOf(head, rest string) (body, trailer, left string, err error) {
	s := source("POST / HTTP/1.1\r\nHost: a\r\n" + head + "\r\n\r\n" + rest)
	var r wire.Request
	if err := r.Read(s, never); err != nil {
		return "", "", "", err
	}
	var b wire.Body
	b.Of(&r, s)
	for {
		part, err := b.Part()
		body += string(part)
		if err == io.EOF {
			break
		}
		if err != nil {
			return body, "", "", err
		}
	}
	all, err := io.ReadAll(s)
	return body, string(b.Trailer.Append(nil)), string(all), err
}

func TestBodies(t *testing.T) {
	for _, c := range []struct{ head, rest, body, trailer, left string }{
		{"Content-Length: 3", "abcdef", "abc", "", "def"},
		{"Content-Length: 0", "abc", "", "", "abc"},
		{"Transfer-Encoding: chunked", "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\nrest", "abc0123456789", "", "rest"},
		{"Transfer-Encoding: chunked", "3 ; x\r\nabc\r\n000\r\nSum: 1\r\nContent-Length: 9\r\n\r\n", "abc", "Sum: 1\r\n", ""},
	} {
		body, trailer, left, err := bodyOf(c.head, c.rest)
		if err != nil || body != c.body || trailer != c.trailer || left != c.left {
			t.Errorf("%q: %q, %q, %q, %v", c.rest, body, trailer, left, err)
		}
	}
	for _, rest := range []string{
		"", "3", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "0\r\n", // it ends in between
		"\r\n", "g\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "1\na\r\n", "1\r\na\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n",
		"1;\x00\r\na\r\n", "1;a\rb\r\na\r\n", "1000000000000000\r\n", "0\r\nX : y\r\n\r\n", "0\r\n X: y\r\n\r\n",
		strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 40), "1;" + strings.Repeat("x", 17<<10) + "\r\na\r\n", "0\r\n" + strings.Repeat("X: yyyyyyyyyyyyyyyy\r\n", 1000) + "\r\n",
	} {
		if body, _, _, err := bodyOf("Transfer-Encoding: chunked", rest); err == nil {
			t.Errorf("%.40q is taken for %.40q", rest, body)
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		method, text, body string
		persists           bool
	}{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "ab", true},
		{"GET", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nabc", "ab", true},
		{"GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nabc", "ab", true},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nab\r\n0\r\n\r\n", "ab", true},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nab\r\n0\r\n\r\n", "ab", false},
		{"GET", "HTTP/1.1 200 OK\r\n\r\nabc", "abc", false},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nabc", "ab", false},
		{"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", "ab", false},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "", true},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n", "", true},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "", true},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", true},
	} {
		var a wire.Answer
		s := source(c.text)
		if err := a.Read(s, c.method); err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var b wire.Body
		b.OfAnswer(&a, c.method, s)
		got := ""
		for {
			part, err := b.Part()
			if got += string(part); err != nil {
				break
			}
		}
		if got != c.body || a.Persists != c.persists || !b.Ended() {
			t.Errorf("%q: %q, persists %v, ended %v", c.text, got, a.Persists, b.Ended())
		}
	}
	for _, text := range []string{
		"", "HTTP/1.1", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 a\rb\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 40<<10) + "\r\n\r\n",
	} {
		var a wire.Answer
		if err := a.Read(source(text), "GET"); err == nil {
			t.Errorf("%.60q is taken for %+v", text, a)
		}
	}
}
