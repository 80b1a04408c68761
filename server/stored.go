package server

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/plane/objects"
)

// stored reads objects of S3 for the server's own use.
type stored struct {
	socket string
	now    func() time.Time
}

// stored is nil where there is no S3.
func (s *Server) stored() elbv2.Objects {
	if s.Objects == "" {
		return nil
	}
	return stored{s.Objects, s.Now}
}

// Object implements elbv2.Objects.
func (s stored) Object(ctx context.Context, bucket, key, version string) ([]byte, bool, error) {
	return objects.Get(ctx, s.socket, bucket, key, version, s.now())
}
