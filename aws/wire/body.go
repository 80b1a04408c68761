package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// DefaultBodyLimit is the largest request body to take, in bytes: above it are
// only ECR's layer parts, which come base64-encoded and 20 MB at most.
const DefaultBodyLimit = 32 << 20

// maxInflated bounds a compressed body after decompression.
const maxInflated = 64 << 20

// ReadBody reads a request's body as it was sent, which is what its signature
// covers. A body above limit bytes is a fault.RequestTooLarge.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	var b bytes.Buffer
	if r.ContentLength > 0 {
		b.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Serialization, "The request body ended early.").Because(err)
	case n > limit:
		return nil, tooLarge(limit)
	}
	return b.Bytes(), nil
}

func tooLarge(limit int64) error {
	return fault.New(fault.RequestTooLarge, "The request body is larger than %d bytes.", limit)
}

// plainBody undoes the content encoding.
func plainBody(header http.Header, body []byte) ([]byte, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(header.Get("Content-Encoding"))); encoding {
	case "", "identity", "amz-1.0":
		return body, nil
	case "gzip":
		return inflate(body)
	default:
		return nil, fault.New(fault.Serialization, "The content encoding %q is not supported.", encoding)
	}
}

func inflate(body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Serialization, "The request body is not gzip.").Because(err)
	}
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(z, maxInflated+1))
	switch {
	case n > maxInflated:
		return nil, tooLarge(maxInflated)
	case err != nil:
		return nil, fault.New(fault.Serialization, "The gzip request body is damaged.").Because(errors.Join(err, z.Close()))
	}
	return b.Bytes(), nil
}
