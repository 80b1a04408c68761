package ecr

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/image"
)

// putImage stores a manifest whose layers are there already.
func (a *API) putImage(ctx context.Context, call *gateway.Call, in *ecr.PutImageRequest) (*ecr.PutImageResponse, error) {
	r, images, err := a.stored(ctx, call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	m, err := readManifest(in)
	if err != nil {
		return nil, err
	}
	if err := checkNew(r, images, m.Digest, in.ImageTag); err != nil {
		return nil, err
	}
	version := m.Digest
	if in.ImageTag != nil {
		version = *in.ImageTag
	}
	err = a.images.PutManifest(ctx, place(r), version, m, in.ImageTag != nil && r.TagIsImmutable(version))
	if errors.Is(err, image.ErrTagImmutable) {
		return nil, tagStays(r, version)
	}
	if err != nil {
		return nil, asFault(err, r)
	}
	shown := showImage(r, m, in.ImageTag)
	return &ecr.PutImageResponse{Image: &shown}, nil
}

func readManifest(in *ecr.PutImageRequest) (image.Manifest, error) {
	text := []byte(*in.ImageManifest)
	m := image.Manifest{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(text)), MediaType: member.Value(in.ImageManifestMediaType), Text: text}
	if in.ImageTag != nil && !image.ValidTag(*in.ImageTag) {
		return m, invalid("Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}''")
	}
	if in.ImageDigest != nil && *in.ImageDigest != m.Digest {
		return m, fault.New(fault.ImageDigestDoesNotMatch, "The specified image digest does not match the digest computed from the image manifest, which is %s", m.Digest)
	}
	var says struct{ MediaType string }
	if err := json.Unmarshal(text, &says); err != nil {
		return m, invalid("Invalid parameter at 'imageManifest' failed to satisfy constraint: 'Invalid JSON syntax'")
	}
	if m.MediaType == "" {
		m.MediaType = says.MediaType
	}
	if m.MediaType == "" {
		return m, invalid("Invalid parameter at 'imageManifestMediaType' failed to satisfy constraint: 'must be specified when the manifest has no mediaType'")
	}
	return m, nil
}

// checkNew refuses what AWS refuses: an image that is there already under the tag,
// and a tag that must not move.
func checkNew(r *image.Repository, images []image.Stored, digest string, tag *string) error {
	for _, img := range images {
		for _, have := range identifiers(&img) {
			same := img.Digest == digest
			switch {
			case same && (tag == nil || member.Value(have.ImageTag) == *tag):
				return fault.New(fault.ImageAlreadyExists, "Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", digest, member.Value(have.ImageTag), r.Name, r.Scope.Account)
			case !same && tag != nil && member.Value(have.ImageTag) == *tag && r.TagIsImmutable(*tag):
				return tagStays(r, *tag)
			}
		}
	}
	return nil
}

func tagStays(r *image.Repository, tag string) *fault.Fault {
	return fault.New(fault.ImageTagAlreadyExists, "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.", tag, r.Name)
}
