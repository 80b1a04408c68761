package ecr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/image"
)

func imageFailure(id ecr.ImageIdentifier, code ecr.ImageFailureCode, reason string) ecr.ImageFailure {
	return ecr.ImageFailure{ImageId: &id, FailureCode: code, FailureReason: &reason}
}

// resolve finds the image an id names, or the failure that AWS answers.
func resolve(images []image.Stored, id ecr.ImageIdentifier) (*image.Stored, *ecr.ImageFailure) {
	fail := func(code ecr.ImageFailureCode, reason string) (*image.Stored, *ecr.ImageFailure) {
		f := imageFailure(id, code, reason)
		return nil, &f
	}
	switch {
	case id.ImageDigest == nil && id.ImageTag == nil:
		return fail(ecr.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null")
	case id.ImageDigest != nil && !image.ValidDigest(*id.ImageDigest):
		return fail(ecr.ImageFailureCodeInvalidImageDigest, "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	case id.ImageTag != nil && !image.ValidTag(*id.ImageTag):
		return fail(ecr.ImageFailureCodeInvalidImageTag, "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'")
	}
	for i := range images {
		if named(&images[i], []ecr.ImageIdentifier{id}) {
			return &images[i], nil
		}
	}
	if id.ImageDigest != nil && id.ImageTag != nil && slices.ContainsFunc(images, func(i image.Stored) bool { return i.Digest == *id.ImageDigest }) {
		return fail(ecr.ImageFailureCodeImageTagDoesNotMatchDigest, "Requested image tag does not match the requested image digest")
	}
	return fail(ecr.ImageFailureCodeImageNotFound, "Requested image not found")
}

func (a *API) batchGetImage(ctx context.Context, call *gateway.Call, in *ecr.BatchGetImageRequest) (*ecr.BatchGetImageResponse, error) {
	r, images, err := a.stored(ctx, call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchGetImageResponse{Images: []ecr.Image{}, Failures: []ecr.ImageFailure{}}
	for _, id := range in.ImageIds {
		img, failed := resolve(images, id)
		if failed != nil {
			out.Failures = append(out.Failures, *failed)
			continue
		}
		m, err := a.images.Manifest(ctx, place(r), img.Digest)
		if errors.Is(err, image.ErrNotFound) { // deleted this moment
			out.Failures = append(out.Failures, imageFailure(id, ecr.ImageFailureCodeImageNotFound, "Requested image not found"))
			continue
		}
		if err != nil {
			return nil, asFault(err, r)
		}
		out.Images = append(out.Images, showImage(r, m, id.ImageTag))
	}
	return out, nil
}

func showImage(r *image.Repository, m image.Manifest, tag *string) ecr.Image {
	return ecr.Image{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name,
		ImageId:       &ecr.ImageIdentifier{ImageDigest: &m.Digest, ImageTag: tag},
		ImageManifest: new(string(m.Text)), ImageManifestMediaType: &m.MediaType,
	}
}

// batchDeleteImage takes tags off images, and removes an image when it is named by
// its digest or its last tag goes.
func (a *API) batchDeleteImage(ctx context.Context, call *gateway.Call, in *ecr.BatchDeleteImageRequest) (*ecr.BatchDeleteImageResponse, error) {
	r, images, err := a.stored(ctx, call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchDeleteImageResponse{ImageIds: []ecr.ImageIdentifier{}, Failures: []ecr.ImageFailure{}}
	for _, id := range indexesFirst(images, in.ImageIds) {
		img, failed := resolve(images, id)
		if failed != nil {
			out.Failures = append(out.Failures, *failed)
			continue
		}
		deleted, failed, err := a.deleteImage(ctx, r, images, img, id)
		if err != nil {
			return nil, asFault(err, r)
		}
		if failed != nil {
			out.Failures = append(out.Failures, *failed)
			continue
		}
		out.ImageIds = append(out.ImageIds, deleted...)
		images = forget(images, img.Digest, id.ImageTag)
	}
	return out, nil
}

// indexesFirst orders ids so that an index goes before the images it names.
func indexesFirst(images []image.Stored, ids []ecr.ImageIdentifier) []ecr.ImageIdentifier {
	ordered := slices.Clone(ids)
	slices.SortStableFunc(ordered, func(a, b ecr.ImageIdentifier) int {
		return len(children(images, b)) - len(children(images, a))
	})
	return ordered
}

func children(images []image.Stored, id ecr.ImageIdentifier) []string {
	if img, _ := resolve(images, id); img != nil {
		return img.Children
	}
	return nil
}

func (a *API) deleteImage(ctx context.Context, r *image.Repository, images []image.Stored, img *image.Stored, id ecr.ImageIdentifier) ([]ecr.ImageIdentifier, *ecr.ImageFailure, error) {
	if id.ImageTag != nil && len(img.Tags) > 1 {
		err := a.images.Delete(ctx, place(r), *id.ImageTag)
		return []ecr.ImageIdentifier{{ImageDigest: &img.Digest, ImageTag: id.ImageTag}}, nil, ignoreGone(err)
	}
	if parents := namedBy(images, img.Digest); len(parents) > 0 {
		failed := imageFailure(id, ecr.ImageFailureCodeImageReferencedByManifestList, fmt.Sprintf("Requested image referenced by manifest list: [%s]", strings.Join(parents, ", ")))
		return nil, &failed, nil
	}
	ids := identifiers(img)
	return ids, nil, ignoreGone(a.images.Delete(ctx, place(r), img.Digest))
}

func ignoreGone(err error) error {
	if errors.Is(err, image.ErrNotFound) {
		return nil
	}
	return err
}

// namedBy lists the indexes that name the digest.
func namedBy(images []image.Stored, digest string) []string {
	var parents []string
	for _, img := range images {
		if slices.Contains(img.Children, digest) {
			parents = append(parents, img.Digest)
		}
	}
	return parents
}

// forget takes a tag off an image in the list, or the image when it was the last
// or none is given.
func forget(images []image.Stored, digest string, tag *string) []image.Stored {
	var left []image.Stored
	for _, img := range images {
		if img.Digest == digest {
			if tag == nil || len(img.Tags) <= 1 {
				continue
			}
			img.Tags = slices.DeleteFunc(slices.Clone(img.Tags), func(t string) bool { return t == *tag })
		}
		left = append(left, img)
	}
	return left
}
