package objects

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/berthhq/berth/protocol/sigv4"
)

// Put writes an object as the service itself: whoever calls it has made sure that the
// bucket's owner wants it there.
func Put(ctx context.Context, socket, bucket, key string, body []byte, now time.Time) error {
	transport := Dial(socket)
	defer transport.CloseIdleConnections()
	address := url.URL{Scheme: "http", Host: "objects", Path: "/" + bucket + "/" + key}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, address.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Content-Sha256", sigv4.Hash(body))
	if err := sigv4.Sign(r, body, Keys(), "s3", Region, now); err != nil {
		return err
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("put %s into bucket %s: %s", key, bucket, answer.Status)
	}
	return nil
}
