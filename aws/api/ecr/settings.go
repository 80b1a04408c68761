package ecr

import (
	"context"
	"encoding/json"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/image"
)

func (a *API) putImageTagMutability(ctx context.Context, call *gateway.Call, in *ecr.PutImageTagMutabilityRequest) (*ecr.PutImageTagMutabilityResponse, error) {
	mutability, exclusions, err := readMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	r, err := a.change(ctx, call, in.RegistryId, in.RepositoryName, func(r *image.Repository) error {
		r.Mutability, r.Exclusions = mutability, exclusions
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageTagMutabilityResponse{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name,
		ImageTagMutability: in.ImageTagMutability, ImageTagMutabilityExclusionFilters: showExclusions(r.Exclusions),
	}, nil
}

func (a *API) putImageScanningConfiguration(ctx context.Context, call *gateway.Call, in *ecr.PutImageScanningConfigurationRequest) (*ecr.PutImageScanningConfigurationResponse, error) {
	r, err := a.change(ctx, call, in.RegistryId, in.RepositoryName, func(r *image.Repository) error {
		r.ScanOnPush = member.Value(in.ImageScanningConfiguration.ScanOnPush)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageScanningConfigurationResponse{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name,
		ImageScanningConfiguration: &ecr.ImageScanningConfiguration{ScanOnPush: &r.ScanOnPush},
	}, nil
}

func (a *API) setRepositoryPolicy(ctx context.Context, call *gateway.Call, in *ecr.SetRepositoryPolicyRequest) (*ecr.SetRepositoryPolicyResponse, error) {
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(member.Value(in.PolicyText)), &policy) != nil || len(policy.Statement) == 0 {
		return nil, invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	}
	r, err := a.change(ctx, call, in.RegistryId, in.RepositoryName, func(r *image.Repository) error {
		r.Policy = *in.PolicyText
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.SetRepositoryPolicyResponse{RegistryId: &r.Scope.Account, RepositoryName: &r.Name, PolicyText: &r.Policy}, nil
}

func (a *API) getRepositoryPolicy(_ context.Context, call *gateway.Call, in *ecr.GetRepositoryPolicyRequest) (*ecr.GetRepositoryPolicyResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Policy == "" {
		return nil, noPolicy(r)
	}
	return &ecr.GetRepositoryPolicyResponse{RegistryId: &r.Scope.Account, RepositoryName: &r.Name, PolicyText: &r.Policy}, nil
}

func (a *API) deleteRepositoryPolicy(ctx context.Context, call *gateway.Call, in *ecr.DeleteRepositoryPolicyRequest) (*ecr.DeleteRepositoryPolicyResponse, error) {
	var had string
	r, err := a.change(ctx, call, in.RegistryId, in.RepositoryName, func(r *image.Repository) error {
		if r.Policy == "" {
			return noPolicy(r)
		}
		had, r.Policy = r.Policy, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.DeleteRepositoryPolicyResponse{RegistryId: &r.Scope.Account, RepositoryName: &r.Name, PolicyText: &had}, nil
}

func noPolicy(r *image.Repository) *fault.Fault {
	return fault.New(fault.RepositoryPolicyNotFound, "Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", r.Name, r.Scope.Account)
}
