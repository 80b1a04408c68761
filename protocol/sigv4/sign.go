package sigv4

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Keys is what a client signs with.
type Keys struct {
	ID     string
	Secret string
	Token  string // session token; empty for long-term keys
}

// Sign adds the Authorization header to r. body is what r will send; nil for
// none. The headers that are set now are signed, so set all of them first. For S3
// the hash of the body goes along, and the path is signed as it is sent.
func Sign(r *http.Request, body []byte, keys Keys, service, region string, now time.Time) error {
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", Hash(body))
	}
	return SignPayload(r, Hash(body), keys, service, region, now)
}

// SignPayload is Sign for a body that is not at hand: payload is its Hash, or for
// S3 one of the words that stand in place of one. S3 wants it as the header
// X-Amz-Content-Sha256 too.
func SignPayload(r *http.Request, payload string, keys Keys, service, region string, now time.Time) error {
	credentials := aws.Credentials{AccessKeyID: keys.ID, SecretAccessKey: keys.Secret, SessionToken: keys.Token}
	asSent := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" }
	if err := v4.NewSigner().SignHTTP(r.Context(), credentials, r, payload, service, region, now.UTC(), asSent); err != nil {
		return fmt.Errorf("signing a request to %s: %w", r.URL.Host, err)
	}
	return nil
}
