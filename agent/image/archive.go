package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/images/archive"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/berthhq/berth/agent/runtime/storage"
)

// Import reads a docker or OCI archive (a plain tar) and keeps each of its images
// under the name it carries. An image without a name is kept as fallback; with an
// empty fallback it is an error.
func (s *Store) Import(ctx context.Context, r io.Reader, fallback string) ([]*Image, error) {
	ctx, done, err := s.lease(storage.Context(ctx))
	if err != nil {
		return nil, err
	}
	defer done()
	index, err := archive.ImportIndex(ctx, s.storage.Content, r)
	if err != nil {
		return nil, fmt.Errorf("read image archive: %w", err)
	}
	manifests, err := s.manifests(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("read image archive: %w", err)
	}
	var out []*Image
	for _, m := range manifests {
		img, err := s.importOne(ctx, m, fallback)
		if err != nil {
			return nil, fmt.Errorf("read image archive: %w", err)
		}
		out = append(out, img)
	}
	return out, nil
}

func (s *Store) importOne(ctx context.Context, m ocispec.Descriptor, fallback string) (*Image, error) {
	name := m.Annotations[images.AnnotationImageName]
	if name == "" {
		name = m.Annotations[ocispec.AnnotationRefName]
	}
	if name == "" {
		name = fallback
	}
	if name == "" {
		return nil, fmt.Errorf("image %s has no name and none was given", m.Digest)
	}
	if err := s.unpack(ctx, m); err != nil {
		return nil, err
	}
	record, err := s.keep(ctx, name, m, nil)
	if err != nil {
		return nil, err
	}
	return s.describe(ctx, record)
}

func (s *Store) manifests(ctx context.Context, index ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	blob, err := content.ReadBlob(ctx, s.storage.Content, index)
	if err != nil {
		return nil, err
	}
	var list ocispec.Index
	if err := json.Unmarshal(blob, &list); err != nil {
		return nil, err
	}
	if len(list.Manifests) == 0 {
		return nil, fmt.Errorf("it holds no image")
	}
	return list.Manifests, nil
}
