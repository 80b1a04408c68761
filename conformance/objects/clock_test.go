package objects_test

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// clock presigns as at another time.
type clock struct{ at time.Time }

// PresignHTTP implements s3.HTTPPresignerV4.
func (c clock) PresignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payload, service, region string, _ time.Time, o ...func(*v4.SignerOptions)) (string, http.Header, error) {
	asS3 := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
	return v4.NewSigner().PresignHTTP(ctx, credentials, r, payload, service, region, c.at, append(o, asS3)...)
}
