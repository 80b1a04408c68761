// Package load puts image archives into a running berth's registry: what
// `docker save`, `podman save`, `skopeo copy` and `crane pull` write.
//
// An archive is read and checked whole before the first byte is sent, and the
// registry shows an image only once its manifest, which goes last, has come. So a
// corrupt archive, a full disk or an interrupted load leaves no image behind.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/berthhq/berth/domain/image"
)

// Target is the berth that gets the image.
type Target struct {
	Endpoint string // http://127.0.0.1:4566
	Account  string // whose loaded images it joins
	Password string // the token inside GetAuthorizationToken's answer
	Client   http.RoundTripper
}

// Loaded is an image that can now be used under its name in a task definition.
type Loaded struct {
	Name   string // as a task definition writes it, tag included
	Digest string
	Size   int64 // bytes of its layers as stored
}

// Progress is told how many bytes of how many were sent. Layers that the registry
// has already count at once.
type Progress func(sent, total int64)

// File loads the archive in a file. Without a name, its images keep the names the
// archive gives them; with one, the archive must hold a single image.
func File(ctx context.Context, to Target, file, name string, progress Progress) ([]Loaded, error) {
	archive, err := openArchive(file)
	if err != nil {
		return nil, err
	}
	defer archive.close()
	return load(ctx, to, archive, name, progress)
}

// Stream loads the archive that r carries; what names it in errors.
func Stream(ctx context.Context, to Target, r io.Reader, what, name string, progress Progress) ([]Loaded, error) {
	archive, err := spoolArchive(r, what)
	if err != nil {
		return nil, err
	}
	defer archive.close()
	return load(ctx, to, archive, name, progress)
}

func load(ctx context.Context, to Target, archive *archive, name string, progress Progress) ([]Loaded, error) {
	found, err := archive.pictures(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	if err := rename(found, name, archive.what); err != nil {
		return nil, err
	}
	for _, p := range found {
		if err := p.check(ctx); err != nil {
			return nil, fmt.Errorf("%s is corrupt, nothing was loaded: %w", archive.what, err)
		}
	}
	var loaded []Loaded
	for _, p := range found {
		for _, reference := range p.names {
			if err := push(ctx, to, p, reference, progress); err != nil {
				return loaded, fmt.Errorf("load %s: %w", reference, err)
			}
			loaded = append(loaded, Loaded{Name: reference.String(), Digest: p.digest(), Size: p.size()})
		}
	}
	return loaded, nil
}

// rename gives the only picture the wanted name, or checks that all have one.
func rename(found []*picture, wanted, what string) error {
	if wanted != "" {
		reference, err := image.ParseReference(wanted)
		if err != nil {
			return err
		}
		if reference.Digest != "" {
			return fmt.Errorf("%s: give a name with a tag, not a digest: the digest follows from the image", wanted)
		}
		if len(found) != 1 {
			return fmt.Errorf("%s holds %d images (%s), so they cannot all be named %s: leave the name out", what, len(found), strings.Join(allNames(found), ", "), wanted)
		}
		found[0].names = []image.Reference{withTag(reference)}
	}
	for _, p := range found {
		if len(p.names) == 0 {
			return fmt.Errorf("%s does not say how its image %s is named: give a NAME:TAG after the file", what, p.digest())
		}
	}
	return nil
}

func allNames(found []*picture) []string {
	var names []string
	for _, p := range found {
		for _, n := range p.names {
			names = append(names, n.String())
		}
		if len(p.names) == 0 {
			names = append(names, p.digest())
		}
	}
	return names
}

func withTag(r image.Reference) image.Reference {
	if r.Tag == "" {
		r.Tag = image.DefaultTag
	}
	return r
}

func push(ctx context.Context, to Target, p *picture, reference image.Reference, progress Progress) error {
	destination, options, err := to.remote(ctx, reference)
	if err != nil {
		return err
	}
	// A push begins with HEAD requests, whose refusals have no words. Ask in a way
	// that has.
	if _, err := remote.List(destination.Context(), options...); err != nil {
		return explain(err, to)
	}
	if progress != nil {
		updates := make(chan v1.Update, 16)
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			for u := range updates {
				progress(u.Complete, u.Total)
			}
		}()
		defer func() { <-finished }()
		options = append(options, remote.WithProgress(updates)) // which closes it
	}
	if p.index != nil {
		err = remote.WriteIndex(destination, p.index, options...)
	} else {
		err = remote.Write(destination, p.image, options...)
	}
	return explain(err, to)
}

// remote turns a reference into a destination in the registry.
func (t Target) remote(ctx context.Context, reference image.Reference) (name.Tag, []remote.Option, error) {
	place, ok := image.LoadedPlace(t.Account, reference)
	if !ok {
		return name.Tag{}, nil, fmt.Errorf("the registry cannot keep an image under the host %s", reference.Host)
	}
	endpoint, err := url.Parse(t.Endpoint)
	if err != nil || endpoint.Host == "" {
		return name.Tag{}, nil, fmt.Errorf("%q is not the endpoint of a berth", t.Endpoint)
	}
	var strictness []name.Option
	if endpoint.Scheme == "http" {
		strictness = append(strictness, name.Insecure)
	}
	destination, err := name.NewTag(endpoint.Host+"/"+place.Path()+":"+reference.Tag, strictness...)
	if err != nil {
		return name.Tag{}, nil, err
	}
	options := []remote.Option{
		remote.WithContext(ctx), remote.WithAuth(&authn.Basic{Username: "AWS", Password: t.Password}), remote.WithUserAgent("berth"),
	}
	if t.Client != nil {
		options = append(options, remote.WithTransport(t.Client))
	}
	return destination, options, nil
}

// explain says in the user's terms why a push failed.
func explain(err error, to Target) error {
	var refused *transport.Error
	if errors.As(err, &refused) && len(refused.Errors) > 0 {
		return errors.New(refused.Errors[0].Message)
	}
	if unreachable, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("no berth answers at %s (%w): start one with `berth up`, or name another with AWS_ENDPOINT_URL", to.Endpoint, unreachable.Err)
	}
	return err
}
