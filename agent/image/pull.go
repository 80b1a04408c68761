package image

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/unpack"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/berthhq/berth/agent/runtime/storage"
)

// leaseLife bounds what a pull that was killed leaves behind.
const leaseLife = 24 * time.Hour

// Source is where an image is pulled from.
type Source struct {
	// Host is the registry as image names write it ("docker.io",
	// "127.0.0.1:4566"): it is part of the name the image is kept under.
	Host       string
	Repository string // below /v2/ of the registry
	Version    string // tag or digest

	// Endpoint is the address to ask instead of https://Host:
	// "http://127.0.0.1:4566". Loopback hosts are asked in the clear without it.
	Endpoint string
	Username string // empty for anonymous pulls
	Password string
	Client   *http.Client // nil means a client with Go's defaults
}

// Name is what an image pulled from the source is kept under.
func (s Source) Name() string {
	if digest.Digest(s.Version).Validate() == nil {
		return s.Host + "/" + s.Repository + "@" + s.Version
	}
	return s.Host + "/" + s.Repository + ":" + s.Version
}

// at is the name of exactly the image that the tag stands for now.
func (s Source) at(d digest.Digest) string { return s.Host + "/" + s.Repository + "@" + d.String() }

// Resolve asks the registry which image the source's tag stands for. It fails
// with ErrNotFound when the registry does not have it.
func (s *Store) Resolve(ctx context.Context, from Source) (string, error) {
	_, target, err := from.resolver().Resolve(ctx, from.Name())
	if err != nil {
		return "", refused(from, err)
	}
	return target.Digest.String(), nil
}

// Pull fetches what is missing of an image, unpacks it, and keeps it both under
// the source's name and under the name with its digest. It returns the latter.
func (s *Store) Pull(ctx context.Context, from Source) (*Image, error) {
	ctx = storage.Context(ctx)
	resolver := from.resolver()
	_, target, err := resolver.Resolve(ctx, from.Name())
	if err != nil {
		return nil, refused(from, err)
	}
	if img, err := s.Get(ctx, from.at(target.Digest)); err == nil {
		_, err = s.keep(ctx, from.Name(), target, nil)
		return img, err
	}
	select {
	case s.pulls <- struct{}{}:
		defer func() { <-s.pulls }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	fetcher, err := resolver.Fetcher(ctx, from.Name())
	if err != nil {
		return nil, refused(from, err)
	}
	if err := s.fetch(ctx, target, fetcher, from); err != nil {
		return nil, refused(from, err)
	}
	return s.Get(ctx, from.at(target.Digest))
}

func (s *Store) fetch(ctx context.Context, target ocispec.Descriptor, fetcher remotes.Fetcher, from Source) error {
	ctx, done, err := s.lease(ctx)
	if err != nil {
		return err
	}
	defer done()
	cs := s.storage.Content
	if err := s.unpack(ctx, target, remotes.FetchHandler(cs, fetcher)); err != nil {
		return err
	}
	for _, name := range []string{from.at(target.Digest), from.Name()} {
		if _, err := s.keep(ctx, name, target, nil); err != nil {
			return err
		}
	}
	return nil
}

// unpack brings all blobs of an image for this machine's platform in place, by
// handlers run on each descriptor first, and applies its layers.
func (s *Store) unpack(ctx context.Context, target ocispec.Descriptor, handlers ...images.Handler) error {
	cs, here := s.storage.Content, platforms.Default()
	unpacker, err := unpack.NewUnpacker(ctx, cs, unpack.WithUnpackPlatform(unpack.Platform{
		Platform: platforms.All, SnapshotterKey: s.storage.Snapshotter, Snapshotter: s.storage.Snapshots, Applier: s.storage.Applier,
	}))
	if err != nil {
		return err
	}
	children := images.SetChildrenMappedLabels(cs, images.ChildrenHandler(cs), nil)
	children = images.LimitManifests(images.FilterPlatforms(children, here), here, 1)
	err = images.Dispatch(ctx, unpacker.Unpack(images.Handlers(append(handlers, children)...)), nil, target)
	if _, unpackErr := unpacker.Wait(); err == nil {
		err = unpackErr
	}
	return err
}

// lease protects what is being fetched from being collected before it is kept.
func (s *Store) lease(ctx context.Context) (context.Context, func(), error) {
	l, err := s.storage.Leases.Create(ctx, leases.WithRandomID(), leases.WithExpiration(leaseLife))
	if err != nil {
		return nil, nil, err
	}
	release := func() { _ = s.storage.Leases.Delete(context.WithoutCancel(ctx), l) }
	return leases.WithLease(ctx, l.ID), release, nil
}

func (s Source) resolver() remotes.Resolver {
	client := s.Client
	if client == nil {
		client = &http.Client{Transport: docker.DefaultHTTPTransport(nil)}
	}
	options := []docker.AuthorizerOpt{docker.WithAuthClient(client)}
	if s.Username != "" {
		options = append(options, docker.WithAuthCreds(func(string) (string, string, error) { return s.Username, s.Password, nil }))
	}
	authorizer := docker.NewDockerAuthorizer(options...)
	return docker.NewResolver(docker.ResolverOptions{Hosts: func(host string) ([]docker.RegistryHost, error) {
		scheme, address := s.address()
		return []docker.RegistryHost{{
			Client: client, Authorizer: authorizer, Scheme: scheme, Host: address, Path: "/v2",
			Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve,
		}}, nil
	}})
}

func (s Source) address() (scheme, host string) {
	if scheme, host, ok := strings.Cut(s.Endpoint, "://"); ok {
		return scheme, strings.TrimSuffix(host, "/")
	}
	if s.Host == "docker.io" {
		return "https", "registry-1.docker.io"
	}
	if local, _ := docker.MatchLocalhost(s.Host); local {
		return "http", s.Host
	}
	return "https", s.Host
}

// refused says in one sentence which image failed and why.
func refused(from Source, err error) error {
	if errdefs.IsNotFound(err) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return fmt.Errorf("failed to pull %s: %w", from.Name(), err)
}
