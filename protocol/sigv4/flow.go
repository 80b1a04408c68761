package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

// What X-Amz-Content-Sha256 says of a body in place of its hash. Only S3 takes these.
const (
	UnsignedPayload       = "UNSIGNED-PAYLOAD"
	UnsignedChunksTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

	signedChunks        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedChunksTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

// Flow is the body of a proven request to S3. Read gives it without its chunks and
// proves it on the way: the last byte comes only after everything was proven, so
// that who forwards it has nothing whole before. Errors of Read are *fault.Fault.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
type Flow struct {
	// Length of what Read gives, in bytes; -1 when the request does not say.
	Length int64
	// Trailer is what followed the chunks, known once Read gave io.EOF. It has
	// only names that the request announced. nil for bodies without.
	Trailer http.Header
	// Announced are the names of the trailer, canonical; nil for none.
	Announced []string

	body  io.Reader
	held  [1]byte // the newest byte is kept back until the rest is proven
	holds bool
	err   error
}

// VerifyFlow is Verify for a request to S3 whose body is still to be read.
func (v *Verifier) VerifyFlow(r *http.Request, c *Claim, key *identity.AccessKey, now time.Time) (*Flow, error) {
	if c.Older {
		if err := proveOlder(r, c, key, now); err != nil {
			return nil, err
		}
		return newFlow(r, c, UnsignedPayload, derivedKey{})
	}
	if err := admit(r, c, key, now); err != nil {
		return nil, err
	}
	payload, err := statedPayload(r, c)
	if err != nil {
		return nil, err
	}
	derived, err := v.prove(r, c, key, payload)
	if err != nil {
		return nil, err
	}
	return newFlow(r, c, payload, derived)
}

// statedPayload is what the request says of its body.
func statedPayload(r *http.Request, c *Claim) (string, error) {
	stated := r.Header.Get("X-Amz-Content-Sha256")
	if stated == "" && c.Presigned {
		stated = r.URL.Query().Get("X-Amz-Content-Sha256")
	}
	switch {
	case stated == "" && c.Presigned:
		return UnsignedPayload, nil
	case stated == "":
		return "", fault.New(fault.InvalidRequest, "Missing required header for this request: x-amz-content-sha256")
	case stated == UnsignedPayload, stated == signedChunks, stated == signedChunksTrailer, stated == UnsignedChunksTrailer, hexadecimal(stated):
		return stated, nil
	}
	return "", fault.New(fault.InvalidArgument, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.")
}

func hexadecimal(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

func newFlow(r *http.Request, c *Claim, payload string, key derivedKey) (*Flow, error) {
	f := &Flow{Length: r.ContentLength}
	var body io.Reader = http.NoBody
	if r.Body != nil {
		body = r.Body
	}
	switch payload {
	case signedChunks, signedChunksTrailer, UnsignedChunksTrailer:
		return f, f.unchunk(r, c, payload, body, key)
	}
	if f.Length < 0 {
		return nil, lengthMissing()
	}
	if payload == UnsignedPayload {
		f.body = body
		return f, nil
	}
	f.body = &hashed{body: body, sum: sha256.New(), want: payload}
	return f, nil
}

func (f *Flow) unchunk(r *http.Request, c *Claim, payload string, body io.Reader, key derivedKey) (err error) {
	f.Length, err = strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || f.Length < 0 {
		return lengthMissing()
	}
	if payload != signedChunks {
		f.Announced = announced(r.Header)
	}
	chunks := &chunks{flow: f, left: f.Length}
	chunks.lines.reset(body)
	if payload != UnsignedChunksTrailer {
		chunks.seal = &seal{key: key, claim: c, last: c.signature, sum: sha256.New()}
	}
	f.body = chunks
	return nil
}

func lengthMissing() error {
	return fault.New(fault.MissingContentLength, "You must provide the Content-Length HTTP header.")
}

// announced are the names in X-Amz-Trailer.
func announced(h http.Header) []string {
	var names []string
	for name := range strings.SplitSeq(h.Get("X-Amz-Trailer"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	return names
}

// Read implements io.Reader.
func (f *Flow) Read(p []byte) (int, error) {
	if f.err != nil || len(p) == 0 {
		return 0, f.err
	}
	n := 0
	if f.holds {
		p[0], n = f.held[0], 1
	}
	more, err := 0, error(nil)
	if n < len(p) {
		more, err = f.body.Read(p[n:])
	} else { // room for one byte: it is given only for another
		var next [1]byte
		if more, err = f.body.Read(next[:]); more == 1 {
			f.held = next
			f.fail(err)
			return 1, nil
		}
	}
	n += more
	switch {
	case err == io.EOF:
		f.holds, f.err = false, io.EOF
		return n, io.EOF
	case err != nil:
		f.fail(err)
		return 0, f.err
	case n == 0:
		return 0, nil
	}
	f.held[0], f.holds = p[n-1], true
	return n - 1, nil
}

// fail remembers an error, as a fault. An end of the body is found by the next Read.
func (f *Flow) fail(err error) {
	if err == nil || err == io.EOF {
		return
	}
	if f.err = err; fault.Of(err).Cause == err {
		f.err = fault.New(fault.IncompleteBody, "The request body terminated unexpectedly").Because(err)
	}
}

// Err is what was wrong with the body so far; nil for nothing.
func (f *Flow) Err() error {
	if f.err == io.EOF {
		return nil
	}
	return f.err
}

// hashed proves a body by its hash.
type hashed struct {
	body io.Reader
	sum  hash.Hash
	want string
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.body.Read(p)
	h.sum.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(h.sum.Sum(nil)) != h.want {
		return 0, fault.New(fault.ContentMismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}

// FlowOf is a body that needs no proof.
func FlowOf(body io.Reader, length int64) *Flow { return &Flow{body: body, Length: length} }
