package image

import (
	"context"
	"time"

	"github.com/containerd/errdefs"

	"github.com/berthhq/berth/agent/runtime/storage"
)

// Remove forgets an image. Its content goes with the next Sweep, unless another
// image or a container uses it.
func (s *Store) Remove(ctx context.Context, name string) error {
	err := s.storage.Images.Delete(storage.Context(ctx), name)
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// Sweep forgets all images last pulled or used before the time, except those that a
// container was made from or, by the digests to keep, shall be; and returns their
// names. Their content goes when the storage collects.
func (s *Store) Sweep(ctx context.Context, before time.Time, keep map[string]bool) ([]string, error) {
	ctx = storage.Context(ctx)
	used, err := s.used(ctx)
	if err != nil {
		return nil, err
	}
	records, err := s.storage.Images.List(ctx)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, r := range records {
		if d := r.Target.Digest.String(); used[d] || keep[d] || !r.UpdatedAt.Before(before) {
			continue
		}
		if err := s.Remove(ctx, r.Name); err != nil {
			return gone, err
		}
		gone = append(gone, r.Name)
	}
	return gone, nil
}

// used lists the digests that containers were made from.
func (s *Store) used(ctx context.Context) (map[string]bool, error) {
	containers, err := s.storage.Containers.List(ctx)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, c := range containers {
		if record, err := s.storage.Images.Get(ctx, c.Image); err == nil {
			used[record.Target.Digest.String()] = true
		}
	}
	return used, nil
}

// Touch notes that the image is used now, so that Sweep keeps it.
func (s *Store) Touch(ctx context.Context, name string) error {
	ctx = storage.Context(ctx)
	record, err := s.storage.Images.Get(ctx, name)
	if err != nil {
		return err
	}
	_, err = s.storage.Images.Update(ctx, record, "labels.berth/used")
	return err
}
