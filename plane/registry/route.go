package registry

import (
	"strings"

	"github.com/berthhq/berth/domain/image"
)

// kind is what a path below /v2/ speaks of.
type kind int

const (
	unknownKind kind = iota
	baseKind
	manifestKind
	blobKind
	uploadKind
	tagsKind
	referrersKind
)

// route is a parsed path below /v2/.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
type route struct {
	kind kind
	name string // repository path as the client wrote it
	ref  string // tag or digest of a manifest, digest of a blob, id of an upload (empty when starting one)
}

// parseRoute reads the path from its end, because a repository may have parts
// named "manifests" or "blobs".
func parseRoute(path string) route {
	rest, ok := strings.CutPrefix(path, "/v2/")
	if path == "/v2" || ok && rest == "" {
		return route{kind: baseKind}
	}
	if !ok {
		return route{}
	}
	parts := strings.Split(rest, "/")
	n := len(parts)
	if n >= 3 && parts[n-2] == "blobs" && parts[n-1] == "uploads" {
		return route{uploadKind, strings.Join(parts[:n-2], "/"), ""}
	}
	if n >= 4 && parts[n-3] == "blobs" && parts[n-2] == "uploads" {
		return route{uploadKind, strings.Join(parts[:n-3], "/"), parts[n-1]}
	}
	if n < 3 {
		return route{}
	}
	r := route{name: strings.Join(parts[:n-2], "/"), ref: parts[n-1]}
	switch parts[n-2] {
	case "manifests":
		r.kind = manifestKind
	case "blobs":
		r.kind = blobKind
	case "referrers":
		r.kind = referrersKind
	case "tags":
		if r.ref == "list" {
			r.kind = tagsKind
		}
	}
	return r
}

// valid tells whether name and reference are made of what they may be made of,
// so that path can be joined again without surprises.
func (r route) valid() bool {
	if r.kind == baseKind {
		return true
	}
	if !image.ValidPath(r.name) {
		return false
	}
	switch r.kind {
	case manifestKind:
		return image.ValidTag(r.ref) || image.ValidDigest(r.ref)
	case blobKind, referrersKind:
		return image.ValidDigest(r.ref)
	case uploadKind:
		return r.ref == "" || image.ValidTag(r.ref)
	default:
		return r.kind == tagsKind
	}
}

// path is the path of the route for a repository of another name.
func (r route) path(name string) string {
	p := "/v2/" + name
	switch r.kind {
	case manifestKind:
		return p + "/manifests/" + r.ref
	case blobKind:
		return p + "/blobs/" + r.ref
	case uploadKind:
		return p + "/blobs/uploads/" + r.ref
	case tagsKind:
		return p + "/tags/list"
	case referrersKind:
		return p + "/referrers/" + r.ref
	default:
		return "/v2/"
	}
}
