// Package image keeps the images of a machine: it pulls them from registries and
// archives, unpacks their layers once for all that share them, and removes what
// nobody uses any more.
package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/berthhq/berth/agent/runtime/storage"
)

// ErrNotFound means that the image is not on this machine, or not in the registry
// that was asked.
var ErrNotFound = errors.New("image not found")

// Image is one that is here, complete and unpacked.
type Image struct {
	Name   string // under which it is kept: "host/path:tag" or "host/path@digest"
	Digest string // of its manifest or index, as a registry shows it
	Size   int64  // of its compressed content, bytes
	Pulled time.Time
	Config Config

	// Layers identifies the unpacked file system a container starts from. Empty
	// when the image has no layers at all.
	Layers string
}

// Config is what the image says about how to run it.
type Config struct {
	Entrypoint   []string
	Cmd          []string
	Env          []string // NAME=value
	User         string
	WorkingDir   string
	StopSignal   string
	Volumes      []string // paths
	Labels       map[string]string
	Architecture string
}

// Store keeps images in a storage. It is safe for concurrent use.
type Store struct {
	storage *storage.Storage
	pulls   chan struct{} // a slot for each pull allowed at once
}

// NewStore makes the store. At most pulls images are fetched at the same time.
func NewStore(s *storage.Storage, pulls int) *Store {
	return &Store{storage: s, pulls: make(chan struct{}, max(pulls, 1))}
}

// Get finds an image by the name it is kept under, else ErrNotFound.
func (s *Store) Get(ctx context.Context, name string) (*Image, error) {
	ctx = storage.Context(ctx)
	record, err := s.storage.Images.Get(ctx, name)
	if errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	if err != nil {
		return nil, err
	}
	return s.describe(ctx, record)
}

// List returns all images; one image kept under two names is listed twice.
func (s *Store) List(ctx context.Context) ([]*Image, error) {
	ctx = storage.Context(ctx)
	records, err := s.storage.Images.List(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*Image, 0, len(records))
	for _, r := range records {
		img, err := s.describe(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, img)
	}
	return out, nil
}

func (s *Store) describe(ctx context.Context, record images.Image) (*Image, error) {
	cs, here := s.storage.Content, platforms.Default()
	at, err := record.Config(ctx, cs, here)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", record.Name, err)
	}
	blob, err := content.ReadBlob(ctx, cs, at)
	if err != nil {
		return nil, fmt.Errorf("image %s: read its configuration: %w", record.Name, err)
	}
	var c ocispec.Image
	if err := json.Unmarshal(blob, &c); err != nil {
		return nil, fmt.Errorf("image %s: its configuration is not valid: %w", record.Name, err)
	}
	size, err := record.Size(ctx, cs, here)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", record.Name, err)
	}
	return &Image{
		Name: record.Name, Digest: record.Target.Digest.String(), Size: size, Pulled: record.UpdatedAt,
		Config: config(&c), Layers: chain(c.RootFS.DiffIDs),
	}, nil
}

func config(c *ocispec.Image) Config {
	return Config{
		Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd, Env: c.Config.Env, User: c.Config.User,
		WorkingDir: c.Config.WorkingDir, StopSignal: c.Config.StopSignal,
		Volumes: slices.Sorted(maps.Keys(c.Config.Volumes)), Labels: c.Config.Labels, Architecture: c.Architecture,
	}
}

func chain(diffs []digest.Digest) string {
	if len(diffs) == 0 {
		return ""
	}
	return identity.ChainID(diffs).String()
}

// keep records the image under name, replacing what had the name before.
func (s *Store) keep(ctx context.Context, name string, target ocispec.Descriptor, labels map[string]string) (images.Image, error) {
	record := images.Image{Name: name, Target: target, Labels: labels}
	for {
		made, err := s.storage.Images.Create(ctx, record)
		if !errdefs.IsAlreadyExists(err) {
			return made, err
		}
		made, err = s.storage.Images.Update(ctx, record)
		if !errdefs.IsNotFound(err) {
			return made, err
		}
	}
}
