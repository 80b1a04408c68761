package server

import (
	"context"

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
	return objects.Put(ctx, s.Objects, name, key, l.Text, s.Now())
}
