package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/plane/objects"
	"github.com/berthhq/berth/store"
)

// keepLines writes a part of an access log as an object of the balancer's bucket, if
// the bucket's policy still lets log delivery do so. For balancers that keep no log any
// more it does nothing.
func (s *Server) keepLines(ctx context.Context, b *balancer.Balancer, l *balancer.Lines) error {
	name := b.Attribute(balancer.AccessLogsBucket)
	if !b.Enabled(balancer.AccessLogs) || s.Objects == "" {
		return nil
	}
	key := balancer.LogKey(b, b.Attribute(balancer.AccessLogsPrefix), l)
	to, ok := store.Buckets.Get(s.store.View(), name)
	if !ok || to.Scope.Region != b.Scope.Region || !balancer.MayDeliver(to, b.Scope, key) {
		return fault.New(fault.AccessDenied, "Access Denied for bucket: %s. Please check S3bucket permission", name)
	}
	text := l.Text
	if b.Kind == balancer.Classic { // whose logs are plain text
		var err error
		if text, err = plain(text); err != nil {
			return err
		}
	}
	return objects.Put(ctx, s.Objects, name, key, text, s.Now())
}

func plain(compressed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxPart))
}

// maxPart is more than an edge puts into a part of a log.
const maxPart = 64 << 20
