package objects

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/berthhq/berth/protocol/sigv4"
)

// mostRead is the largest object that a server reads whole: a bundle of authorities, a
// list of revoked certificates.
const mostRead = 8 << 20

// Get reads an object for the server's own use: whether the caller may is decided
// before. version is empty for the newest. ok is false when there is none such, or it
// is larger than 8 MiB.
func Get(ctx context.Context, socket, bucket, key, version string, now time.Time) (content []byte, ok bool, err error) {
	u := url.URL{Scheme: "http", Host: "objects", Path: "/" + bucket + "/" + key}
	if version != "" {
		u.RawQuery = url.Values{"versionId": {version}}.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, false, nil //nolint:nilerr // nothing can have such a name
	}
	if err := sigv4.Sign(r, nil, Keys(), "s3", Region, now); err != nil {
		return nil, false, err
	}
	transport := Dial(socket)
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return nil, false, fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode >= http.StatusInternalServerError:
		return nil, false, fmt.Errorf("read s3://%s/%s: %s", bucket, key, answer.Status)
	case answer.StatusCode != http.StatusOK || answer.ContentLength > mostRead:
		return nil, false, nil
	}
	content, err = io.ReadAll(io.LimitReader(answer.Body, mostRead))
	return content, err == nil, err
}
