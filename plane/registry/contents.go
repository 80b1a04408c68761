package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"github.com/berthhq/berth/domain/image"
)

// contents reads what the registry protocol cannot tell: all images of a
// repository, untagged ones included, and when they were pushed.
type contents struct {
	backend *backend

	mu      sync.Mutex
	facts   map[string]facts     // by manifest digest; manifests never change
	touched map[string]time.Time // blobs a client was told are there, by digest
}

// maxFacts bounds the memory of contents; beyond it, all is forgotten and read
// again. A fact is about 1 KiB.
const maxFacts = 20_000

func newContents(b *backend) *contents {
	return &contents{backend: b, facts: map[string]facts{}, touched: map[string]time.Time{}}
}

// facts is what a manifest says.
type facts struct {
	MediaType    string
	ArtifactType string
	Subject      string
	Size         int64
	Blobs        []string // config and layers
	Children     []string
}

// images lists the images of a repository by push time, oldest first. A
// repository nothing was pushed to has none.
func (c *contents) images(ctx context.Context, path string) ([]image.Stored, error) {
	digests, err := c.manifests(ctx, path)
	if err != nil {
		return nil, err
	}
	tags, err := c.tags(ctx, path)
	if err != nil {
		return nil, err
	}
	byDigest := map[string][]string{}
	for tag, to := range tags {
		byDigest[to] = append(byDigest[to], tag)
	}
	images := make([]image.Stored, 0, len(digests))
	for _, d := range digests {
		stored, err := c.image(ctx, path, d)
		if isGone(err) {
			continue // deleted since we listed it
		}
		if err != nil {
			return nil, err
		}
		stored.Tags = byDigest[d]
		slices.Sort(stored.Tags)
		images = append(images, stored)
	}
	slices.SortFunc(images, func(a, b image.Stored) int { return a.PushedAt.Compare(b.PushedAt) })
	return images, nil
}

func (c *contents) image(ctx context.Context, path, manifest string) (image.Stored, error) {
	f, err := c.read(ctx, path, manifest)
	if err != nil {
		return image.Stored{}, err
	}
	info, err := c.backend.driver.Stat(ctx, revisionLink(path, manifest))
	if err != nil {
		return image.Stored{}, err
	}
	return image.Stored{
		Digest: manifest, MediaType: f.MediaType, ArtifactType: f.ArtifactType, Subject: f.Subject,
		Size: f.Size, Children: f.Children, PushedAt: info.ModTime().UTC(),
	}, nil
}

// manifests lists the digests of all manifests of a repository.
func (c *contents) manifests(ctx context.Context, path string) ([]string, error) {
	repository, err := c.backend.repository(ctx, path)
	if err != nil {
		return nil, err
	}
	service, err := repository.Manifests(ctx)
	if err != nil {
		return nil, err
	}
	var digests []string
	err = service.(distribution.ManifestEnumerator).Enumerate(ctx, func(d digest.Digest) error {
		digests = append(digests, d.String())
		return nil
	})
	if err != nil && !isGone(err) {
		return nil, fmt.Errorf("list images of %s: %w", path, err)
	}
	return digests, nil
}

// tags maps the tags of a repository to digests. Tags that point nowhere are left
// out: a push or a delete is about to finish them.
func (c *contents) tags(ctx context.Context, path string) (map[string]string, error) {
	repository, err := c.backend.repository(ctx, path)
	if err != nil {
		return nil, err
	}
	service := repository.Tags(ctx)
	names, err := service.All(ctx)
	if err != nil && !isGone(err) {
		return nil, fmt.Errorf("list tags of %s: %w", path, err)
	}
	tags := make(map[string]string, len(names))
	for _, name := range names {
		to, err := service.Get(ctx, name)
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read tag %s of %s: %w", name, path, err)
		}
		tags[name] = to.Digest.String()
	}
	return tags, nil
}

// tag is the digest a tag points to; empty when there is no such tag.
func (c *contents) tag(ctx context.Context, path, tag string) (string, error) {
	repository, err := c.backend.repository(ctx, path)
	if err != nil {
		return "", err
	}
	to, err := repository.Tags(ctx).Get(ctx, tag)
	if isGone(err) {
		return "", nil
	}
	return to.Digest.String(), err
}

// read tells what a manifest says.
func (c *contents) read(ctx context.Context, path, manifest string) (facts, error) {
	c.mu.Lock()
	f, known := c.facts[manifest]
	c.mu.Unlock()
	if known {
		return f, nil
	}
	repository, err := c.backend.repository(ctx, path)
	if err != nil {
		return facts{}, err
	}
	service, err := repository.Manifests(ctx)
	if err != nil {
		return facts{}, err
	}
	m, err := service.Get(ctx, digest.Digest(manifest))
	if err != nil {
		return facts{}, err
	}
	mediaType, payload, err := m.Payload()
	if err != nil {
		return facts{}, err
	}
	f, err = readFacts(mediaType, payload)
	if err != nil {
		return facts{}, fmt.Errorf("manifest %s of %s: %w", manifest, path, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.facts) >= maxFacts {
		clear(c.facts)
	}
	c.facts[manifest] = f
	return f, nil
}

func readFacts(mediaType string, payload []byte) (facts, error) {
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
	}
	var m struct {
		ArtifactType string       `json:"artifactType"`
		Config       descriptor   `json:"config"`
		Layers       []descriptor `json:"layers"`
		Manifests    []descriptor `json:"manifests"`
		Subject      *descriptor  `json:"subject"`
	}
	if err := json.Unmarshal(payload, &m); err != nil {
		return facts{}, err
	}
	f := facts{MediaType: mediaType, ArtifactType: m.ArtifactType, Size: m.Config.Size}
	if f.ArtifactType == "" {
		f.ArtifactType = m.Config.MediaType
	}
	if m.Subject != nil {
		f.Subject = m.Subject.Digest
	}
	if m.Config.Digest != "" {
		f.Blobs = append(f.Blobs, m.Config.Digest)
	}
	for _, layer := range m.Layers {
		f.Blobs = append(f.Blobs, layer.Digest)
		f.Size += layer.Size
	}
	for _, child := range m.Manifests {
		f.Children = append(f.Children, child.Digest)
	}
	if f.Children != nil {
		f.Size = int64(len(payload))
	}
	return f, nil
}

// purge removes everything in a repository. What other repositories share stays.
func (c *contents) purge(ctx context.Context, path string) error {
	// One at a time, manifests first: whoever looks meanwhile sees fewer images,
	// never one with parts missing. Repositories nested below stay.
	for _, part := range []string{"/_manifests", "/_layers", "/_uploads"} {
		if err := c.backend.driver.Delete(ctx, repositoryFolder(path)+part); err != nil && !isGone(err) {
			return fmt.Errorf("remove %s: %w", path, err)
		}
	}
	return nil
}

func revisionLink(path, manifest string) string {
	d := digest.Digest(manifest)
	return repositoryFolder(path) + "/_manifests/revisions/" + d.Algorithm().String() + "/" + d.Encoded() + "/link"
}

// isGone tells whether the error says that a repository, tag, manifest or file is
// not there.
func isGone(err error) bool {
	var (
		path     driver.PathNotFoundError
		name     distribution.ErrRepositoryUnknown
		tag      distribution.ErrTagUnknown
		manifest distribution.ErrManifestUnknown
		revision distribution.ErrManifestUnknownRevision
	)
	return errors.As(err, &path) || errors.As(err, &name) || errors.As(err, &tag) ||
		errors.As(err, &manifest) || errors.As(err, &revision) || errors.Is(err, distribution.ErrBlobUnknown)
}
