package image

import (
	"fmt"
	"regexp"
	"strings"
)

// DefaultTag is meant when a reference has neither tag nor digest.
const DefaultTag = "latest"

// DockerHub is the host meant when a reference names none.
const DockerHub = "docker.io"

// Reference is an image as a task definition writes it:
// [HOST[:PORT]/]PATH[:TAG][@DIGEST].
type Reference struct {
	Host   string // as written, port included; empty when none was written
	Path   string // as written, without Docker Hub's "library/"
	Tag    string // empty when only a digest, or nothing, was written
	Digest string // "sha256:..."; empty when none was written
}

// The grammar of https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
// for names and tags; digests are sha256 as everything in a registry here is.
var (
	pathForm   = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagForm    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	hostForm   = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?$`)
)

// ValidTag tells whether s can be a tag.
func ValidTag(s string) bool { return tagForm.MatchString(s) }

// ValidDigest tells whether s is a sha256 digest.
func ValidDigest(s string) bool { return digestForm.MatchString(s) }

// ValidPath tells whether s can name a repository.
func ValidPath(s string) bool { return len(s) <= 255 && pathForm.MatchString(s) }

// ParseReference reads an image reference. Errors quote what is wrong with it.
func ParseReference(s string) (Reference, error) {
	if s == "" {
		return Reference{}, fmt.Errorf("the image name is empty")
	}
	var r Reference
	rest, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest {
		if !ValidDigest(digest) {
			return Reference{}, fmt.Errorf("image %q: %q is not a sha256 digest", s, digest)
		}
		r.Digest = digest
	}
	r.Host, rest = splitHost(rest)
	if r.Host != "" && !hostForm.MatchString(r.Host) {
		return Reference{}, fmt.Errorf("image %q: %q is not a registry host", s, r.Host)
	}
	path, tag, hasTag := strings.Cut(rest, ":")
	if hasTag {
		if !ValidTag(tag) {
			return Reference{}, fmt.Errorf("image %q: %q is not a tag", s, tag)
		}
		r.Tag = tag
	}
	if !ValidPath(path) {
		return Reference{}, fmt.Errorf("image %q: %q is not a repository name (lower case letters, digits, and single . _ - between them)", s, path)
	}
	r.Path = path
	return r, nil
}

// splitHost takes the first component for a host only when it looks like one,
// as Docker does: "localhost", or something with a dot or a port.
func splitHost(s string) (host, rest string) {
	first, after, found := strings.Cut(s, "/")
	if !found || (first != "localhost" && !strings.ContainsAny(first, ".:[")) {
		return "", s
	}
	return first, after
}

// String is the reference as it was written.
func (r Reference) String() string {
	s := r.Path
	if r.Host != "" {
		s = r.Host + "/" + s
	}
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// Version is what to ask a registry for: the digest if there is one, else the
// tag, else the default tag.
func (r Reference) Version() string {
	switch {
	case r.Digest != "":
		return r.Digest
	case r.Tag != "":
		return r.Tag
	default:
		return DefaultTag
	}
}

// fullHost and fullPath fill in what Docker fills in.
func (r Reference) fullHost() string {
	if r.Host == "" || r.Host == "index.docker.io" {
		return DockerHub
	}
	return strings.ToLower(r.Host)
}

func (r Reference) fullPath() string {
	if r.fullHost() == DockerHub && !strings.Contains(r.Path, "/") {
		return "library/" + r.Path
	}
	return r.Path
}
