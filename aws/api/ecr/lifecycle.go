package ecr

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/image"
)

func (a *API) putLifecyclePolicy(ctx context.Context, call *gateway.Call, in *ecr.PutLifecyclePolicyRequest) (*ecr.PutLifecyclePolicyResponse, error) {
	if err := checkLifecycle(member.Value(in.LifecyclePolicyText)); err != nil {
		return nil, err
	}
	r, err := a.change(ctx, call, in.RegistryId, in.RepositoryName, func(r *image.Repository) error {
		r.Lifecycle = image.Lifecycle{Text: *in.LifecyclePolicyText}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutLifecyclePolicyResponse{RegistryId: &r.Scope.Account, RepositoryName: &r.Name, LifecyclePolicyText: &r.Lifecycle.Text}, nil
}

func checkLifecycle(text string) error {
	if _, err := image.ParsePolicy(text); err != nil {
		return invalid("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: %v'", err)
	}
	return nil
}

func (a *API) getLifecyclePolicy(_ context.Context, call *gateway.Call, in *ecr.GetLifecyclePolicyRequest) (*ecr.GetLifecyclePolicyResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Lifecycle.Text == "" {
		return nil, noLifecycle(r)
	}
	return &ecr.GetLifecyclePolicyResponse{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name,
		LifecyclePolicyText: &r.Lifecycle.Text, LastEvaluatedAt: member.Time(r.Lifecycle.LastEvaluated),
	}, nil
}

func (a *API) deleteLifecyclePolicy(ctx context.Context, call *gateway.Call, in *ecr.DeleteLifecyclePolicyRequest) (*ecr.DeleteLifecyclePolicyResponse, error) {
	var had image.Lifecycle
	r, err := a.change(ctx, call, in.RegistryId, in.RepositoryName, func(r *image.Repository) error {
		if r.Lifecycle.Text == "" {
			return noLifecycle(r)
		}
		had, r.Lifecycle = r.Lifecycle, image.Lifecycle{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.DeleteLifecyclePolicyResponse{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name, LifecyclePolicyText: &had.Text, LastEvaluatedAt: member.Time(had.LastEvaluated),
	}, nil
}

func noLifecycle(r *image.Repository) *fault.Fault {
	return fault.New(fault.LifecyclePolicyNotFound, "Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", r.Name, r.Scope.Account)
}

// startLifecyclePolicyPreview keeps which policy is tried; the images are looked
// at when the result is asked for.
func (a *API) startLifecyclePolicyPreview(ctx context.Context, call *gateway.Call, in *ecr.StartLifecyclePolicyPreviewRequest) (*ecr.StartLifecyclePolicyPreviewResponse, error) {
	if in.LifecyclePolicyText != nil {
		if err := checkLifecycle(*in.LifecyclePolicyText); err != nil {
			return nil, err
		}
	}
	r, err := a.change(ctx, call, in.RegistryId, in.RepositoryName, func(r *image.Repository) error {
		r.Lifecycle.Preview, r.Lifecycle.PreviewAt = member.Value(in.LifecyclePolicyText), call.Now
		if in.LifecyclePolicyText == nil {
			r.Lifecycle.Preview = r.Lifecycle.Text
		}
		if r.Lifecycle.Preview == "" {
			return noLifecycle(r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.StartLifecyclePolicyPreviewResponse{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name,
		LifecyclePolicyText: &r.Lifecycle.Preview, Status: ecr.LifecyclePolicyPreviewStatusInProgress,
	}, nil
}

func (a *API) getLifecyclePolicyPreview(ctx context.Context, call *gateway.Call, in *ecr.GetLifecyclePolicyPreviewRequest) (*ecr.GetLifecyclePolicyPreviewResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Lifecycle.Preview == "" {
		return nil, fault.New(fault.LifecyclePolicyNotFound, "Lifecycle policy preview does not exist for the repository with name '%s' in the registry with id '%s'", r.Name, r.Scope.Account).
			WithHint("start one with `aws ecr start-lifecycle-policy-preview`")
	}
	policy, err := image.ParsePolicy(r.Lifecycle.Preview)
	if err != nil {
		return nil, err
	}
	images, err := a.images.Images(ctx, place(r))
	if err != nil {
		return nil, asFault(err, r)
	}
	results := previewed(policy.Expired(images, r.Lifecycle.PreviewAt), in)
	total := int32(len(results))
	shown, next, err := page(results, func(p *ecr.LifecyclePolicyPreviewResult) string { return order(*p.ImagePushedAt, *p.ImageDigest) }, in.NextToken, in.MaxResults, maxPage)
	if err != nil {
		return nil, err
	}
	return &ecr.GetLifecyclePolicyPreviewResponse{
		RegistryId: &r.Scope.Account, RepositoryName: &r.Name, LifecyclePolicyText: &r.Lifecycle.Preview,
		Status: ecr.LifecyclePolicyPreviewStatusComplete, PreviewResults: shown, NextToken: next,
		Summary: &ecr.LifecyclePolicyPreviewSummary{ExpiringImageTotalCount: &total},
	}, nil
}

func previewed(expired []image.Expiry, in *ecr.GetLifecyclePolicyPreviewRequest) []ecr.LifecyclePolicyPreviewResult {
	var status ecr.TagStatus
	if in.Filter != nil {
		status = in.Filter.TagStatus
	}
	results := []ecr.LifecyclePolicyPreviewResult{}
	for _, e := range expired {
		if !hasStatus(&e.Image, status) || len(in.ImageIds) > 0 && !named(&e.Image, in.ImageIds) {
			continue
		}
		results = append(results, ecr.LifecyclePolicyPreviewResult{
			ImageTags: e.Image.Tags, ImageDigest: &e.Image.Digest, ImagePushedAt: &e.Image.PushedAt,
			Action:              &ecr.LifecyclePolicyRuleAction{Type: ecr.ImageActionTypeExpire},
			AppliedRulePriority: new(int32(e.Priority)),
		})
	}
	return results
}
