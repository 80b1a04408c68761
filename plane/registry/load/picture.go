package load

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/berthhq/berth/domain/image"
)

// picture is one image of an archive, or one index of images.
type picture struct {
	names []image.Reference
	image v1.Image      // nil for an index
	index v1.ImageIndex // nil for an image
	parts []*part       // everything below the manifests that will be sent
}

// part is a blob of the archive: a layer or a config.
type part struct {
	archive   *archive
	where     member
	path      string // in the archive
	title     string // for people: "layer 2 of 3"
	hash      v1.Hash
	mediaType types.MediaType
	diffID    v1.Hash // of a layer: the digest of its content unpacked; zero when unknown
}

func (p *picture) digest() string {
	var (
		h   v1.Hash
		err error
	)
	if p.index != nil {
		h, err = p.index.Digest()
	} else {
		h, err = p.image.Digest()
	}
	if err != nil {
		return "?"
	}
	return h.String()
}

func (p *picture) size() (sum int64) {
	for _, part := range p.parts {
		sum += part.where.size
	}
	return sum
}

// check reads every part and compares its digest.
func (p *picture) check(ctx context.Context) error {
	checked := map[v1.Hash]bool{}
	for _, part := range p.parts {
		if checked[part.hash] {
			continue
		}
		checked[part.hash] = true
		if err := part.check(ctx); err != nil {
			return fmt.Errorf("%s (%s): %w", part.title, part.path, err)
		}
	}
	return nil
}

func (p *part) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	got, err := hash(p.archive.section(p.where))
	if err != nil {
		return err
	}
	if got != p.hash {
		return fmt.Errorf("its content has the digest %s, and should have %s", got, p.hash)
	}
	return nil
}

func hash(r io.Reader) (v1.Hash, error) {
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, r, make([]byte, 1<<20)); err != nil {
		return v1.Hash{}, err
	}
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sum.Sum(nil))}, nil
}

// A part is a partial.CompressedLayer: its bytes travel as they are.

func (p *part) Digest() (v1.Hash, error)            { return p.hash, nil }
func (p *part) Size() (int64, error)                { return p.where.size, nil }
func (p *part) MediaType() (types.MediaType, error) { return p.mediaType, nil }
func (p *part) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(p.archive.section(p.where)), nil
}
func (p *part) DiffID() (v1.Hash, error)             { return p.diffID, nil }
func (p *part) Uncompressed() (io.ReadCloser, error) { return nil, errors.New("not needed for a push") }

// sheet is a manifest with its parts: a partial.CompressedImageCore.
type sheet struct {
	manifest  []byte
	config    []byte
	mediaType types.MediaType
	parts     map[v1.Hash]*part
}

func (s *sheet) RawManifest() ([]byte, error)        { return s.manifest, nil }
func (s *sheet) RawConfigFile() ([]byte, error)      { return s.config, nil }
func (s *sheet) MediaType() (types.MediaType, error) { return s.mediaType, nil }
func (s *sheet) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	if p, ok := s.parts[h]; ok {
		return p, nil
	}
	return nil, fmt.Errorf("no part has the digest %s", h)
}

// album is an index with its images.
type album struct {
	raw       []byte
	mediaType types.MediaType
	manifest  *v1.IndexManifest
	images    map[v1.Hash]v1.Image
	albums    map[v1.Hash]v1.ImageIndex
}

func (a *album) MediaType() (types.MediaType, error)         { return a.mediaType, nil }
func (a *album) Digest() (v1.Hash, error)                    { return partial.Digest(a) }
func (a *album) Size() (int64, error)                        { return partial.Size(a) }
func (a *album) RawManifest() ([]byte, error)                { return a.raw, nil }
func (a *album) IndexManifest() (*v1.IndexManifest, error)   { return a.manifest, nil }
func (a *album) Image(h v1.Hash) (v1.Image, error)           { return a.images[h], nil }
func (a *album) ImageIndex(h v1.Hash) (v1.ImageIndex, error) { return a.albums[h], nil }
