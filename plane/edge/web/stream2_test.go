package web_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestBodiesThatComeWithTheirHead has clients of HTTP/2 post bodies of no said length, in
// one write with their head.
func TestBodiesThatComeWithTheirHead(t *testing.T) {
	echo := server(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	s := newStand(t, func(s *stand) {
		s.secure(t, "app.example.com")
		s.pool("echo", echo)
		s.otherwise(to("echo"))
	})
	c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	var said, block bytes.Buffer
	said.WriteString(http2.ClientPreface)
	fr := http2.NewFramer(&said, c)
	fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := fr.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	table := hpack.NewEncoder(&block)
	for id := uint32(1); id < 200; id += 2 {
		block.Reset()
		for _, f := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":path", "/"}, {":authority", "app.example.com"}} {
			if err := table.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
				t.Fatal(err)
			}
		}
		if err := fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true}); err != nil {
			t.Fatal(err)
		}
		if err := fr.WriteData(id, true, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := said.WriteTo(c); err != nil {
			t.Fatal(err)
		}
		if got := answered(t, fr, id); got != "hello" {
			t.Fatalf("request %d: %q", id, got)
		}
	}
}

// answered is the body of an answer.
func answered(t *testing.T, fr *http2.Framer, id uint32) (body string) {
	t.Helper()
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f.Header().StreamID != id {
			continue
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if f.PseudoValue("status") != "200" {
				t.Fatalf("status %s", f.PseudoValue("status"))
			}
		case *http2.DataFrame:
			if body += string(f.Data()); f.StreamEnded() {
				return body
			}
		case *http2.RSTStreamFrame:
			t.Fatalf("reset: %v", f.ErrCode)
		}
	}
}
