package ecr

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/image"
)

// order is a sort key: oldest push first.
func order(pushed time.Time, rest string) string {
	return fmt.Sprintf("%020d/%s", pushed.UnixNano(), rest)
}

func hasStatus(img *image.Stored, status ecr.TagStatus) bool {
	switch status {
	case ecr.TagStatusTagged:
		return len(img.Tags) > 0
	case ecr.TagStatusUntagged:
		return len(img.Tags) == 0
	default:
		return true
	}
}

// named tells whether one of the ids means the image.
func named(img *image.Stored, ids []ecr.ImageIdentifier) bool {
	return slices.ContainsFunc(ids, func(id ecr.ImageIdentifier) bool {
		return (id.ImageDigest == nil || *id.ImageDigest == img.Digest) &&
			(id.ImageTag == nil || slices.Contains(img.Tags, *id.ImageTag)) &&
			(id.ImageDigest != nil || id.ImageTag != nil)
	})
}

// stored reads the images of the repository a request names.
func (a *API) stored(ctx context.Context, call *gateway.Call, registryID, name *string) (*image.Repository, []image.Stored, error) {
	r, err := a.find(a.store.View(), call, registryID, name)
	if err != nil {
		return nil, nil, err
	}
	images, err := a.images.Images(ctx, place(r))
	return r, images, asFault(err, r)
}

// listImages lists an image once for each of its tags.
func (a *API) listImages(ctx context.Context, call *gateway.Call, in *ecr.ListImagesRequest) (*ecr.ListImagesResponse, error) {
	_, images, err := a.stored(ctx, call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	type row struct {
		key string
		id  ecr.ImageIdentifier
	}
	var rows []row
	for _, img := range images {
		if in.Filter != nil && !hasStatus(&img, in.Filter.TagStatus) {
			continue
		}
		for _, id := range identifiers(&img) {
			rows = append(rows, row{order(img.PushedAt, img.Digest+":"+member.Value(id.ImageTag)), id})
		}
	}
	shown, next, err := page(rows, func(r *row) string { return r.key }, in.NextToken, in.MaxResults, maxPage)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListImagesResponse{ImageIds: []ecr.ImageIdentifier{}, NextToken: next}
	for _, r := range shown {
		out.ImageIds = append(out.ImageIds, r.id)
	}
	return out, nil
}

// identifiers are the ways to name an image: one for each tag, or its digest.
func identifiers(img *image.Stored) []ecr.ImageIdentifier {
	if len(img.Tags) == 0 {
		return []ecr.ImageIdentifier{{ImageDigest: &img.Digest}}
	}
	var ids []ecr.ImageIdentifier
	for _, tag := range img.Tags {
		ids = append(ids, ecr.ImageIdentifier{ImageDigest: &img.Digest, ImageTag: &tag})
	}
	return ids
}

func (a *API) describeImages(ctx context.Context, call *gateway.Call, in *ecr.DescribeImagesRequest) (*ecr.DescribeImagesResponse, error) {
	r, images, err := a.stored(ctx, call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if in.ImageIds != nil {
		if images, err = pick(r, images, in.ImageIds); err != nil {
			return nil, err
		}
	} else if in.Filter != nil {
		images = slices.DeleteFunc(images, func(img image.Stored) bool { return !hasStatus(&img, in.Filter.TagStatus) })
	}
	shown, next, err := page(images, func(i *image.Stored) string { return order(i.PushedAt, i.Digest) }, in.NextToken, in.MaxResults, maxPage)
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeImagesResponse{ImageDetails: []ecr.ImageDetail{}, NextToken: next}
	for _, img := range shown {
		out.ImageDetails = append(out.ImageDetails, detail(r, &img))
	}
	return out, nil
}

// pick finds the images that ids name, each once; all must be there.
func pick(r *image.Repository, images []image.Stored, ids []ecr.ImageIdentifier) ([]image.Stored, error) {
	var picked []image.Stored
	for _, id := range ids {
		if id.ImageDigest == nil && id.ImageTag == nil {
			return nil, invalid("Invalid request parameters: both tag and digest cannot be null")
		}
		i := slices.IndexFunc(images, func(img image.Stored) bool { return named(&img, []ecr.ImageIdentifier{id}) })
		if i < 0 {
			return nil, noImage(r, describeID(id))
		}
		if !slices.ContainsFunc(picked, func(p image.Stored) bool { return p.Digest == images[i].Digest }) {
			picked = append(picked, images[i])
		}
	}
	return picked, nil
}

// describeID writes an id as AWS's messages do.
func describeID(id ecr.ImageIdentifier) string {
	word := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	return fmt.Sprintf("{imageDigest:'%s', imageTag:'%s'}", word(id.ImageDigest), word(id.ImageTag))
}

func detail(r *image.Repository, img *image.Stored) ecr.ImageDetail {
	return ecr.ImageDetail{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name, ImageDigest: &img.Digest,
		ImageTags: img.Tags, ImageSizeInBytes: &img.Size, ImagePushedAt: &img.PushedAt,
		ImageManifestMediaType: &img.MediaType, ArtifactMediaType: member.Present(img.ArtifactType),
		SubjectManifestDigest: member.Present(img.Subject), ImageStatus: ecr.ImageStatusActive,
	}
}
