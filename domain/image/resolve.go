package image

import (
	"fmt"
	"slices"

	"github.com/berthhq/berth/domain/arn"
)

// Source is one place where an image may be found.
type Source struct {
	// Own is true when the source is berth's registry; Place is then set and Host
	// is empty.
	Own   bool
	Place Place

	Host string // the remote registry: "docker.io", "ghcr.io"
	Path string // repository below /v2/ of the registry, own or remote

	Version string // tag or digest to ask for
	Why     string // one sentence for people
}

// String is the source as a registry client would write it; berth's own registry
// is written as "berth".
func (s Source) String() string {
	host := s.Host
	if s.Own {
		host = "berth"
	}
	separator := ":"
	if ValidDigest(s.Version) {
		separator = "@"
	}
	return host + "/" + s.Path + separator + s.Version
}

// Resolver knows what is needed to tell berth's own images from others'.
type Resolver struct {
	Scope arn.Scope // of the task definition: whose loaded images are meant, and the region of short paths
	Hosts []string  // host:port under which berth's registry is written in image names
}

// Resolve lists where the image may be, in the order to ask: the first source
// that has it wins. It is never empty for a valid reference.
//
// ECR names and names at berth's own endpoint are repositories of berth's
// registry. Any other name is a loaded image first, then what its registry has.
func (r Resolver) Resolve(ref Reference) []Source {
	if place, why, ok := r.repository(ref); ok {
		sources := []Source{own(place, ref, why)}
		return append(sources, r.loaded(ref, "an archive loaded under exactly this name")...)
	}
	remote := Source{Host: ref.fullHost(), Path: ref.fullPath(), Version: ref.Version()}
	remote.Why = fmt.Sprintf("%s is the registry that the name writes out", remote.Host)
	if ref.Host == "" {
		remote.Why = fmt.Sprintf("the name has no host, which means %s", DockerHub)
	}
	return append(r.loaded(ref, "a loaded image of this name comes before its registry"), remote)
}

// repository finds the ECR repository the reference names, if it names one.
func (r Resolver) repository(ref Reference) (Place, string, bool) {
	if scope, ok := ParseECRHost(ref.Host); ok {
		why := fmt.Sprintf("%s is an ECR registry, whose images berth serves itself: repository %s of account %s in %s", ref.Host, ref.Path, scope.Account, scope.Region)
		return RepositoryPlace(scope, ref.Path), why, true
	}
	if !slices.Contains(r.Hosts, ref.Host) {
		return Place{}, "", false
	}
	place, ok := ParsePath(ref.Path, r.Scope.Region)
	return place, fmt.Sprintf("%s is berth's own registry", ref.Host), ok
}

func (r Resolver) loaded(ref Reference, why string) []Source {
	place, ok := LoadedPlace(r.Scope.Account, ref)
	if !ok {
		return nil
	}
	return []Source{own(place, ref, why)}
}

func own(p Place, ref Reference, why string) Source {
	return Source{Own: true, Place: p, Path: p.Path(), Version: ref.Version(), Why: why}
}
