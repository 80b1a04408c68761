package sigv4

import (
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/fault"
)

// FuzzFlow feeds what strangers may send: nothing may panic, be proven, or be
// refused with another error than a fault.
func FuzzFlow(f *testing.F) {
	f.Add("PUT", "/b/k", "", goodAuthorization, "20261124T120000Z", UnsignedPayload)
	f.Add("GET", "/b/k", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261124%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261124T120000Z"+
		"&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature="+strings.Repeat("0", 64), "", "", "")
	f.Add("GET", "//../%2e", "a=%zz&a;b", "AWS4-HMAC-SHA256 Credential=,=", "", signedChunks)
	f.Fuzz(func(t *testing.T, method, path, query, authorization, date, payload string) {
		r := &http.Request{
			Method: method, Host: "h", RequestURI: path + "?" + query, URL: &url.URL{Path: path, RawQuery: query},
			Header: http.Header{"X-Amz-Date": {date}, "X-Amz-Content-Sha256": {payload}},
		}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		claim, err := Read(r)
		if err == nil {
			if _, err = NewVerifier().VerifyFlow(r, claim, &long, claim.At); err == nil {
				t.Fatal("proven without the secret")
			}
		}
		if fault.Of(err).Kind.OurFault() {
			t.Fatalf("not a refusal: %v", err)
		}
	})
}

// FuzzChunks feeds bodies of unsigned chunks: what comes out is as long as was
// said, or is refused.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"), int64(5))
	f.Add([]byte("5;chunk-signature=x\r\nhello\r\n0;\r\n\r\n"), int64(5))
	f.Add([]byte("-1\r\n"), int64(1<<40))
	f.Fuzz(func(t *testing.T, body []byte, length int64) {
		for _, sealed := range []bool{false, true} {
			flow := &Flow{Length: length, Announced: []string{"X-Amz-Checksum-Crc32"}}
			c := &chunks{flow: flow, left: length}
			c.lines.reset(strings.NewReader(string(body)))
			if sealed {
				c.seal = &seal{claim: &Claim{}, sum: sha256.New()}
			}
			flow.body = c
			got, err := io.ReadAll(flow)
			switch {
			case err == nil && (sealed || int64(len(got)) != length):
				t.Fatalf("%d bytes of %d, sealed %v", len(got), length, sealed)
			case err != nil && (fault.Of(err).Kind.OurFault() || int64(len(got)) >= max(length, 1)):
				t.Fatalf("%d bytes of %d, %v", len(got), length, err)
			}
		}
	})
}
