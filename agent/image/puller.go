package image

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	remotes "github.com/containerd/containerd/v2/core/remotes/errors"

	"github.com/berthhq/berth/domain/arn"
	domain "github.com/berthhq/berth/domain/image"
)

// Login gets a user name and password for a registry.
type Login func(ctx context.Context) (user, password string, err error)

// Logins are those of one pull.
type Logins struct {
	Own    Login // at berth's registry, for repositories of ECR
	Loaded Login // there, for images that were loaded; they stand for public ones. nil for Own
	Others Login // at every other; nil for anonymous pulls
}

// Puller finds images by the names that task definitions use.
type Puller struct {
	Store    *Store
	Registry string // base URL of berth's registry: "http://127.0.0.1:4566"
	// Hosts are the other host:port forms under which image names write it.
	Hosts  []string
	Client *http.Client // for berth's registry; nil for a default one
	// Others makes requests to all other registries; nil for a default client.
	Others *http.Client
	// PreferCached takes an image that is here without asking its registry.
	PreferCached bool
}

// ownHost is berth's registry in the names of kept images: the same wherever its
// address may move.
const ownHost = "berth"

// attempts is how often a registry that does not answer is asked, with pauses
// that double from firstPause to lastPause.
const (
	attempts   = 3
	firstPause = 500 * time.Millisecond
	lastPause  = 4 * time.Second
)

// patience is how long berth's own registry is asked for an image that is not here
// yet: its processes may be starting again.
const patience = time.Minute

// Pull gets the image that a name means for a task of the scope. When its registry
// cannot be reached, an image that was pulled before serves.
func (p *Puller) Pull(ctx context.Context, scope arn.Scope, name string, logins Logins) (*Image, error) {
	ref, err := domain.ParseReference(name)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, source := range (domain.Resolver{Scope: scope, Hosts: p.hosts()}).Resolve(ref) {
		img, err := p.from(ctx, source, logins)
		if err == nil {
			return img, nil
		}
		if source.Own && errors.Is(err, ErrNotFound) { // its path there is our own matter
			err = fmt.Errorf("%w: %s is not in berth's registry: push it, or run berth image load FILE %s", ErrNotFound, name, name)
		}
		errs = append(errs, err)
		if !errors.Is(err, ErrNotFound) {
			break
		}
	}
	return nil, refusals(errs)
}

// refusals is what all places that were asked said, in one line.
type refusals []error

func (r refusals) Error() string {
	said := make([]string, len(r))
	for i, err := range r {
		said[i] = err.Error()
	}
	return strings.Join(said, "; ")
}

func (r refusals) Unwrap() []error { return r }

func (p *Puller) hosts() []string {
	_, host, _ := strings.Cut(p.Registry, "://")
	return append([]string{host}, p.Hosts...)
}

func (p *Puller) from(ctx context.Context, s domain.Source, logins Logins) (*Image, error) {
	from, login := Source{Host: s.Host, Repository: s.Path, Version: s.Version, Client: p.Others}, logins.Others
	if s.Own {
		from.Host, from.Endpoint, from.Client, login = ownHost, p.Registry, p.Client, logins.Own
		if s.Place.Loaded && logins.Loaded != nil {
			login = logins.Loaded
		}
	}
	if p.PreferCached {
		if img, err := p.Store.Get(ctx, from.Name()); err == nil {
			return img, nil
		}
	}
	return p.patiently(ctx, from, s.Own, login)
}

// patiently asks again while the registry cannot be reached. After some attempts an
// image that was pulled before serves; without one, ours is waited for.
func (p *Puller) patiently(ctx context.Context, from Source, own bool, login Login) (*Image, error) {
	begun, pause := time.Now(), firstPause
	for n := 1; ; n++ {
		img, err := p.once(ctx, from, login)
		if err == nil || errors.Is(err, ErrNotFound) || ctx.Err() != nil {
			return img, err
		}
		if n >= attempts || !passing(err) {
			img, err = p.cached(ctx, from, err)
			if err == nil || !own || !passing(err) || time.Since(begun) > patience {
				return img, err
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		pause = min(2*pause, lastPause)
	}
}

func (p *Puller) once(ctx context.Context, from Source, login Login) (*Image, error) {
	if login != nil {
		var err error
		if from.Username, from.Password, err = login(ctx); err != nil {
			return nil, fmt.Errorf("get an authorization token for the registry: %w", err)
		}
	}
	return p.Store.Pull(ctx, from)
}

// passing tells a failure to reach the registry, or of what is behind it, from an
// answer that stays the same.
func passing(err error) bool {
	var network net.Error
	var request *url.Error
	var status remotes.ErrUnexpectedStatus
	return errors.As(err, &network) || errors.As(err, &request) ||
		errors.As(err, &status) && status.StatusCode >= http.StatusInternalServerError
}

// cached serves what was pulled under the name before, else fails with cause.
func (p *Puller) cached(ctx context.Context, from Source, cause error) (*Image, error) {
	if img, err := p.Store.Get(ctx, from.Name()); err == nil {
		return img, nil
	}
	return nil, cause
}
