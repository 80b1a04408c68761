package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/fault"
)

// put is a signed PUT of S3, as it arrives.
func put(t testing.TB, payload string, header map[string]string, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("PUT", "http://berth.test:4566/b/a%20key/%C3%A9", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Content-Sha256", payload)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	if err := SignPayload(r, payload, Keys{long.ID, long.Secret, ""}, "s3", "eu-central-1", noon); err != nil {
		t.Fatal(err)
	}
	r.RequestURI, r.Body, r.ContentLength = r.URL.RequestURI(), io.NopCloser(strings.NewReader(body)), int64(len(body))
	return r
}

// chunked writes a body as SDKs do, with signatures that follow the request's.
func chunked(t testing.TB, r *http.Request, trailer string, signed bool, parts ...string) string {
	t.Helper()
	claim, err := Read(r)
	if err != nil {
		t.Fatal(err)
	}
	key := derive(long.Secret, claim.date, claim.Region, claim.Service)
	last := claim.signature
	sign := func(text string) string {
		mac := hmac.New(sha256.New, key[:])
		mac.Write([]byte(text))
		last = hex.EncodeToString(mac.Sum(nil))
		return last
	}
	scope := claim.stamp + "\n" + claim.date + "/" + claim.Region + "/s3/aws4_request\n"
	var b strings.Builder
	for _, part := range append(parts, "") {
		fmt.Fprintf(&b, "%x", len(part))
		if signed {
			b.WriteString(";chunk-signature=" + sign("AWS4-HMAC-SHA256-PAYLOAD\n"+scope+last+"\n"+Hash(nil)+"\n"+Hash([]byte(part))))
		}
		b.WriteString("\r\n" + part)
		if part != "" {
			b.WriteString("\r\n")
		}
	}
	if trailer != "" {
		b.WriteString(trailer + "\r\n")
		if signed {
			b.WriteString("x-amz-trailer-signature:" + sign("AWS4-HMAC-SHA256-TRAILER\n"+scope+last+"\n"+Hash([]byte(trailer+"\n"))) + "\r\n")
		}
	}
	return b.String() + "\r\n"
}

func flow(r *http.Request) (*Flow, error) {
	claim, err := Read(r)
	if err != nil {
		return nil, err
	}
	return NewVerifier().VerifyFlow(r, claim, &long, noon)
}

const text = "the quick brown fox jumps over the lazy dog"

// chunkedPut is a whole request in one of the forms with chunks.
func chunkedPut(t testing.TB, payload string, change func(string) string) *http.Request {
	header := map[string]string{"X-Amz-Decoded-Content-Length": fmt.Sprint(len(text)), "Content-Encoding": "aws-chunked"}
	trailer := ""
	if payload != signedChunks {
		header["X-Amz-Trailer"], trailer = "x-amz-checksum-crc32", "x-amz-checksum-crc32:AAAAAA=="
	}
	r := put(t, payload, header, "")
	body := change(chunked(t, r, trailer, payload != UnsignedChunksTrailer, text[:10], text[10:11], text[11:]))
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return r
}

func same(s string) string { return s }

func TestBodiesFlowProven(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"hash":                  put(t, Hash([]byte(text)), nil, text),
		"unsigned":              put(t, UnsignedPayload, nil, text),
		signedChunks:            chunkedPut(t, signedChunks, same),
		signedChunksTrailer:     chunkedPut(t, signedChunksTrailer, same),
		UnsignedChunksTrailer:   chunkedPut(t, UnsignedChunksTrailer, same),
		"hash, an empty object": put(t, Hash(nil), nil, ""),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := flow(r)
			if err != nil {
				t.Fatal(err)
			}
			want := text
			if strings.Contains(name, "empty") {
				want = ""
			}
			got, err := io.ReadAll(f)
			if err != nil || string(got) != want || f.Length != int64(len(want)) {
				t.Fatalf("%q (%d), %v", got, f.Length, err)
			}
			if announced := len(f.Announced) == 1; announced != (f.Trailer.Get("X-Amz-Checksum-Crc32") == "AAAAAA==") {
				t.Errorf("trailer %v", f.Trailer)
			}
		})
	}
}

func TestNothingWholeComesOutOfABadBody(t *testing.T) {
	swap := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	lastSignature := func(s string) string {
		i := strings.LastIndex(s, "signature")
		return s[:i+10] + strings.Repeat("0", 64) + s[i+74:]
	}
	for name, c := range map[string]struct {
		r    *http.Request
		kind fault.Kind
	}{
		"another body":               {put(t, Hash([]byte(text)), nil, strings.ToUpper(text)), fault.ContentMismatch},
		"cut":                        {chunkedPut(t, signedChunks, func(s string) string { return s[:60] }), fault.IncompleteBody},
		"cut before the last chunk":  {chunkedPut(t, signedChunks, func(s string) string { return s[:strings.LastIndex(s, "0;chunk")] }), fault.IncompleteBody},
		"another byte":               {chunkedPut(t, signedChunks, swap("quick", "quack")), fault.SignatureMismatch},
		"another last signature":     {chunkedPut(t, signedChunks, lastSignature), fault.SignatureMismatch},
		"another trailer signature":  {chunkedPut(t, signedChunksTrailer, lastSignature), fault.SignatureMismatch},
		"another checksum":           {chunkedPut(t, signedChunksTrailer, swap("AAAAAA==", "BAAAAA==")), fault.SignatureMismatch},
		"no trailer":                 {chunkedPut(t, UnsignedChunksTrailer, swap("x-amz-checksum-crc32:AAAAAA==\r\n", "")), fault.IncompleteBody},
		"another trailer":            {chunkedPut(t, UnsignedChunksTrailer, swap("x-amz-checksum-crc32:", "x-amz-meta-owner:")), fault.IncompleteBody},
		"longer than said":           {chunkedPut(t, UnsignedChunksTrailer, swap("0\r\n", "1\r\nx\r\n0\r\n")), fault.IncompleteBody},
		"a size that is none":        {chunkedPut(t, UnsignedChunksTrailer, swap("a\r\n", "+a\r\n")), fault.IncompleteBody},
		"a chunk without its end":    {chunkedPut(t, UnsignedChunksTrailer, swap("fox", "foxes")), fault.IncompleteBody},
		"a line that never ends":     {chunkedPut(t, UnsignedChunksTrailer, func(string) string { return strings.Repeat("1", 1<<20) }), fault.IncompleteBody},
		"unsigned chunks for signed": {chunkedPut(t, signedChunks, swap(";chunk-signature=", ";")), fault.SignatureMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := flow(c.r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(f)
			if !fault.IsKind(err, c.kind) || !fault.IsKind(f.Err(), c.kind) || len(got) >= len(text) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

// TestReadsOfAnySize proves that how a body is read does not change it.
func TestReadsOfAnySize(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		payload := rapid.SampledFrom([]string{signedChunks, signedChunksTrailer, UnsignedChunksTrailer}).Draw(rt, "payload")
		r := chunkedPut(t, payload, same)
		if rapid.Bool().Draw(rt, "slow") {
			r.Body = io.NopCloser(iotest.OneByteReader(r.Body))
		}
		f, err := flow(r)
		if err != nil {
			rt.Fatal(err)
		}
		var got []byte
		for err == nil {
			p := make([]byte, rapid.IntRange(1, 50).Draw(rt, "size"))
			var n int
			n, err = f.Read(p)
			got = append(got, p[:n]...)
		}
		if err != io.EOF || string(got) != text {
			rt.Fatalf("%q, %v", got, err)
		}
	})
}

func TestRefusalsBeforeTheBody(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*http.Request)
		kind   fault.Kind
	}{
		"no word of the body": {func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }, fault.SignatureMismatch},
		"another word": {func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")
		}, fault.InvalidArgument},
		"another hash": {func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", Hash([]byte("x"))) }, fault.SignatureMismatch},
		"another key":  {func(r *http.Request) { r.RequestURI = "/b/another" }, fault.SignatureMismatch},
	} {
		r := put(t, Hash([]byte(text)), nil, text)
		c.change(r)
		if _, err := flow(r); !fault.IsKind(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
