package registry

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/opencontainers/go-digest"
)

// touch notes that a client was told the blob is there, and may count on it.
func (c *contents) touch(blob string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touched[blob] = time.Now()
}

// touchedSince forgets older touches and returns the rest.
func (c *contents) touchedSince(t time.Time) map[string]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.touched, func(_ string, at time.Time) bool { return at.Before(t) })
	return maps.Clone(c.touched)
}

func (r *Registry) sweepForever(ctx context.Context) {
	tick := time.NewTicker(r.config.SweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n, err := r.Sweep(ctx, time.Now()); err != nil {
			r.config.Log.Error("could not sweep the registry", "error", err)
		} else if n > 0 {
			r.config.Log.Info("removed layers that no image names", "count", n)
		}
	}
}

// Sweep deletes the blobs that no manifest names and returns how many they were.
// It keeps blobs younger than the configured time, and those a client was told
// of within it, because their manifest may still be on its way. Clients may push
// meanwhile: finishing a push waits for the deletion, and the deletion looks
// again at what was pushed while it was reading.
func (r *Registry) Sweep(ctx context.Context, now time.Time) (int, error) {
	limit := now.Add(-r.config.KeepUnreferenced)
	named, err := r.namedBlobs(ctx)
	if err != nil {
		return 0, err
	}
	candidates, err := r.unnamed(ctx, named, limit)
	if err != nil || len(candidates) == 0 {
		return 0, err
	}
	r.sweeping.Lock()
	defer r.sweeping.Unlock()
	if named, err = r.namedBlobs(ctx); err != nil {
		return 0, err
	}
	touched := r.contents.touchedSince(limit)
	vacuum := storage.NewVacuum(ctx, r.backend.driver)
	removed := 0
	for _, blob := range candidates {
		if _, promised := touched[blob]; promised || named[blob] {
			continue
		}
		if err := vacuum.RemoveBlob(blob); err != nil {
			return removed, fmt.Errorf("remove blob %s: %w", blob, err)
		}
		removed++
	}
	return removed, nil
}

// namedBlobs is every digest that a manifest of any repository names, manifests
// included.
func (r *Registry) namedBlobs(ctx context.Context) (map[string]bool, error) {
	named := map[string]bool{}
	repositories := r.backend.namespace.(distribution.RepositoryEnumerator)
	err := repositories.Enumerate(ctx, func(path string) error {
		manifests, err := r.contents.manifests(ctx, path)
		if err != nil {
			return err
		}
		for _, m := range manifests {
			facts, err := r.contents.read(ctx, path, m)
			if isGone(err) {
				continue
			}
			if err != nil {
				return err
			}
			named[m] = true
			for _, blob := range facts.Blobs {
				named[blob] = true
			}
		}
		return nil
	})
	if err != nil && !isGone(err) {
		return nil, fmt.Errorf("mark images: %w", err)
	}
	return named, nil
}

// unnamed lists the blobs that are older than the limit and not named.
func (r *Registry) unnamed(ctx context.Context, named map[string]bool, limit time.Time) ([]string, error) {
	var blobs []string
	err := r.backend.namespace.Blobs().Enumerate(ctx, func(d digest.Digest) error {
		if named[d.String()] {
			return nil
		}
		info, err := r.backend.driver.Stat(ctx, blobFile(d))
		if err != nil || info.ModTime().After(limit) {
			return nil // just being written, or written lately
		}
		blobs = append(blobs, d.String())
		return nil
	})
	if err != nil && !isGone(err) {
		return nil, fmt.Errorf("list blobs: %w", err)
	}
	return blobs, nil
}

func blobFile(d digest.Digest) string {
	return "/docker/registry/v2/blobs/" + d.Algorithm().String() + "/" + d.Encoded()[:2] + "/" + d.Encoded() + "/data"
}
