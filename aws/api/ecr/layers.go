package ecr

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/image"
)

// partSize is how large AWS wants the parts of a layer, in bytes.
const partSize = 10 << 20

func (a *API) batchCheckLayerAvailability(ctx context.Context, call *gateway.Call, in *ecr.BatchCheckLayerAvailabilityRequest) (*ecr.BatchCheckLayerAvailabilityResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchCheckLayerAvailabilityResponse{Layers: []ecr.Layer{}, Failures: []ecr.LayerFailure{}}
	for _, digest := range in.LayerDigests {
		if !image.ValidDigest(digest) {
			out.Failures = append(out.Failures, ecr.LayerFailure{LayerDigest: &digest, FailureCode: ecr.LayerFailureCodeInvalidLayerDigest, FailureReason: new("Invalid layer digest")})
			continue
		}
		layer := ecr.Layer{LayerDigest: &digest, LayerAvailability: ecr.LayerAvailabilityAvailable}
		size, err := a.images.LayerSize(ctx, place(r), digest)
		switch {
		case errors.Is(err, image.ErrNotFound):
			layer.LayerAvailability = ecr.LayerAvailabilityUnavailable
		case err != nil:
			return nil, asFault(err, r)
		default:
			layer.LayerSize = &size
		}
		out.Layers = append(out.Layers, layer)
	}
	return out, nil
}

// getDownloadURLForLayer gives an address that opens one layer for an hour, to
// whoever has it: the permission is the user part.
func (a *API) getDownloadURLForLayer(ctx context.Context, call *gateway.Call, in *ecr.GetDownloadUrlForLayerRequest) (*ecr.GetDownloadUrlForLayerResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	digest := member.Value(in.LayerDigest)
	_, err = a.images.LayerSize(ctx, place(r), digest)
	if errors.Is(err, image.ErrNotFound) || !image.ValidDigest(digest) {
		return nil, fault.New(fault.LayersNotFound, "The layer with digest '%s' does not exist in the repository with name '%s' in the registry with id '%s'", digest, r.Name, r.Scope.Account)
	}
	if err != nil {
		return nil, asFault(err, r)
	}
	endpoint, err := url.Parse(a.reachedAt(call))
	if err != nil {
		return nil, fmt.Errorf("own endpoint: %w", err)
	}
	endpoint.User = url.UserPassword("AWS", a.tokens.IssueLayer(call.Principal, call.KeyID, place(r), digest, call.Now))
	endpoint.Path = "/v2/" + place(r).Path() + "/blobs/" + digest
	return &ecr.GetDownloadUrlForLayerResponse{DownloadUrl: new(endpoint.String()), LayerDigest: &digest}, nil
}

func (a *API) initiateLayerUpload(ctx context.Context, call *gateway.Call, in *ecr.InitiateLayerUploadRequest) (*ecr.InitiateLayerUploadResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	id, err := a.images.StartUpload(ctx, place(r))
	if err != nil {
		return nil, asFault(err, r)
	}
	return &ecr.InitiateLayerUploadResponse{UploadId: &id, PartSize: new(int64(partSize))}, nil
}

func (a *API) uploadLayerPart(ctx context.Context, call *gateway.Call, in *ecr.UploadLayerPartRequest) (*ecr.UploadLayerPartResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if *in.PartLastByte-*in.PartFirstByte+1 != int64(len(in.LayerPartBlob)) {
		return nil, invalid("Invalid parameter at 'layerPartBlob' failed to satisfy constraint: 'must have the %d bytes from partFirstByte to partLastByte'", *in.PartLastByte-*in.PartFirstByte+1)
	}
	size, err := a.images.AppendUpload(ctx, place(r), *in.UploadId, *in.PartFirstByte, in.LayerPartBlob)
	if errors.Is(err, image.ErrInvalid) {
		return nil, fault.New(fault.InvalidLayer, "The layer part does not begin where the one before ended: %v", err)
	}
	if err != nil {
		return nil, asFault(err, r)
	}
	return &ecr.UploadLayerPartResponse{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name, UploadId: in.UploadId, LastByteReceived: new(size - 1),
	}, nil
}

func (a *API) completeLayerUpload(ctx context.Context, call *gateway.Call, in *ecr.CompleteLayerUploadRequest) (*ecr.CompleteLayerUploadResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	digest := in.LayerDigests[0]
	err = a.images.FinishUpload(ctx, place(r), *in.UploadId, digest)
	if errors.Is(err, image.ErrInvalid) {
		return nil, fault.New(fault.InvalidLayer, "The layer digest '%s' does not match what was uploaded: %v", digest, err)
	}
	if err != nil {
		return nil, asFault(err, r)
	}
	return &ecr.CompleteLayerUploadResponse{RegistryId: &r.Scope.Account, RepositoryName: &r.Name, UploadId: in.UploadId, LayerDigest: &digest}, nil
}
