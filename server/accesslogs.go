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

// keepLines writes a part of a log as an object of the balancer's bucket. For balancers
// that keep no such log any more it does nothing.
func (s *Server) keepLines(ctx context.Context, b *balancer.Balancer, l *balancer.Lines) error {
	if l.Log == "" {
		l.Log = balancer.AccessLog
	}
	d, keeps := b.Delivery(l.Log)
	if !keeps {
		return nil
	}
	text := l.Text
	if b.Kind == balancer.Classic { // whose logs are plain text
		var err error
		if text, err = plain(text); err != nil {
			return err
		}
	}
	return s.deliver(ctx, b, d, balancer.LogKey(b, d.Prefix, l), text)
}

// beginLogs makes sure, before attributes are changed, that the logs they ask for can
// be delivered, by an object for each that says so.
func (s *Server) beginLogs(ctx context.Context, b *balancer.Balancer, said []balancer.Value) error {
	next := *b
	var err error
	if next.Attributes, err = b.SetAttributes(said); err != nil {
		return err
	}
	for _, d := range next.Asked(said) {
		key := d.TestKey(b.Scope.Account)
		if err := s.deliver(ctx, b, d, key, []byte("Enable AccessLog for ELB: "+b.Name+" at "+s.Now().UTC().Format("2006-01-02T15:04:05.000Z"))); err != nil {
			return err
		}
	}
	return nil
}

// deliver writes an object into the bucket of a log, if the bucket is in the balancer's
// region and its policy lets log delivery do so.
func (s *Server) deliver(ctx context.Context, b *balancer.Balancer, d balancer.Delivery, key string, content []byte) error {
	to, ok := store.Buckets.Get(s.store.View(), d.Bucket)
	switch {
	case ok && to.Scope.Region != b.Scope.Region:
		return fault.New(fault.InvalidConfigurationRequest, "S3Bucket: %s is not located in %s", d.Bucket, b.Scope.Region)
	case !ok || !balancer.MayDeliver(to, b.Scope, key):
		return fault.New(fault.InvalidConfigurationRequest, "Access Denied for bucket: %s. Please check S3bucket permission", d.Bucket).
			WithHint("let logdelivery.elasticloadbalancing.amazonaws.com put %s by the bucket's policy", key)
	case s.Objects == "":
		return nil
	}
	return objects.Put(ctx, s.Objects, d.Bucket, key, content, s.Now())
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
