package image

import (
	"errors"
	"time"
)

// Errors of whatever keeps images. Wrapped, with details for people.
var (
	ErrNotFound       = errors.New("not in the registry")
	ErrUploadNotFound = errors.New("no such upload")
	ErrTagImmutable   = errors.New("the tag is immutable")
	ErrInvalid        = errors.New("refused by the registry")
	ErrPartsMissing   = errors.New("the manifest names what is not in the repository")
	ErrFull           = errors.New("the registry's disk is full")
)

// Stored is one image of a repository as the registry has it.
type Stored struct {
	Digest    string
	Tags      []string // sorted; empty for an untagged image
	MediaType string   // of the manifest

	// ArtifactType is the media type of the config, or the manifest's own
	// artifactType when it has one. Empty for indexes without one.
	ArtifactType string
	Subject      string // digest of the manifest this one describes; empty when none

	// Size is the sum of the compressed layers and the config in bytes; for an
	// index, the length of the index itself.
	Size     int64
	PushedAt time.Time
	Children []string // digests of the manifests of an index; nil for an image
}

// Manifest is the text of a manifest as it was pushed.
type Manifest struct {
	Digest    string
	MediaType string
	Text      []byte
}
