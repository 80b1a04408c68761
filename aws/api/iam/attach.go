package iam

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/managed"
	"github.com/berthhq/berth/store"
)

// attach attaches a managed policy; once more changes nothing.
func (a *API) attach(ctx context.Context, call *gateway.Call, find finder, name, policyARN string) (*wire.Empty, error) {
	return a.changeHolder(ctx, call, find, name, func(tx *store.Tx, h *holder) error {
		p, err := findPolicy(tx, call, policyARN)
		switch {
		case err != nil:
			return missing("Policy %s does not exist or is not attachable.", policyARN)
		case managed.Linked(p):
			return fault.New(fault.PolicyNotAttachable, "Cannot attach a Service Role Policy to a Customer Role.")
		case slices.Contains(h.grants.Attached, policyARN):
			return nil
		case len(h.grants.Attached) >= maxAttached:
			return overQuota("PoliciesPer"+h.noun, maxAttached)
		}
		h.grants.Attached = append(slices.Clone(h.grants.Attached), policyARN)
		return nil
	})
}

func (a *API) detach(ctx context.Context, call *gateway.Call, find finder, name, policyARN string) (*wire.Empty, error) {
	return a.changeHolder(ctx, call, find, name, func(_ *store.Tx, h *holder) error {
		if !slices.Contains(h.grants.Attached, policyARN) {
			return policyMissing(policyARN)
		}
		h.grants.Attached = slices.DeleteFunc(slices.Clone(h.grants.Attached), func(have string) bool { return have == policyARN })
		return nil
	})
}

// attachedTo is a page of what is attached to a holder, in order of name.
func (a *API) attachedTo(call *gateway.Call, find finder, name string, prefix, marker *string, size *int32) ([]iam.AttachedPolicy, *bool, *string, error) {
	v := a.store.View()
	h, err := find(v, call, name)
	if err != nil {
		return nil, nil, nil, err
	}
	var list []*identity.ManagedPolicy
	for _, policyARN := range h.grants.Attached {
		if p, ok := store.ManagedPolicies.Get(v, policyARN); ok && under(p.Path, prefix) {
			list = append(list, p)
		}
	}
	list, more, next, err := listed(marker, size, list, func(p *identity.ManagedPolicy) string { return p.Name })
	return member.Each(list, func(p **identity.ManagedPolicy) iam.AttachedPolicy { return showAttached(&(*p).ARN) }), more, next, err
}

func showAttached(policyARN *string) iam.AttachedPolicy {
	return iam.AttachedPolicy{PolicyName: new(arn.NameOf(*policyARN)), PolicyArn: policyARN}
}

func (a *API) attachUserPolicy(ctx context.Context, call *gateway.Call, in *iam.AttachUserPolicyRequest) (*wire.Empty, error) {
	return a.attach(ctx, call, userHolder, *in.UserName, *in.PolicyArn)
}

func (a *API) attachGroupPolicy(ctx context.Context, call *gateway.Call, in *iam.AttachGroupPolicyRequest) (*wire.Empty, error) {
	return a.attach(ctx, call, groupHolder, *in.GroupName, *in.PolicyArn)
}

func (a *API) attachRolePolicy(ctx context.Context, call *gateway.Call, in *iam.AttachRolePolicyRequest) (*wire.Empty, error) {
	return a.attach(ctx, call, roleHolder, *in.RoleName, *in.PolicyArn)
}

func (a *API) detachUserPolicy(ctx context.Context, call *gateway.Call, in *iam.DetachUserPolicyRequest) (*wire.Empty, error) {
	return a.detach(ctx, call, userHolder, *in.UserName, *in.PolicyArn)
}

func (a *API) detachGroupPolicy(ctx context.Context, call *gateway.Call, in *iam.DetachGroupPolicyRequest) (*wire.Empty, error) {
	return a.detach(ctx, call, groupHolder, *in.GroupName, *in.PolicyArn)
}

func (a *API) detachRolePolicy(ctx context.Context, call *gateway.Call, in *iam.DetachRolePolicyRequest) (*wire.Empty, error) {
	return a.detach(ctx, call, roleHolder, *in.RoleName, *in.PolicyArn)
}

func (a *API) listAttachedUserPolicies(_ context.Context, call *gateway.Call, in *iam.ListAttachedUserPoliciesRequest) (*iam.ListAttachedUserPoliciesResponse, error) {
	list, more, next, err := a.attachedTo(call, userHolder, *in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iam.ListAttachedUserPoliciesResponse{AttachedPolicies: list, IsTruncated: more, Marker: next}, err
}

func (a *API) listAttachedGroupPolicies(_ context.Context, call *gateway.Call, in *iam.ListAttachedGroupPoliciesRequest) (*iam.ListAttachedGroupPoliciesResponse, error) {
	list, more, next, err := a.attachedTo(call, groupHolder, *in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iam.ListAttachedGroupPoliciesResponse{AttachedPolicies: list, IsTruncated: more, Marker: next}, err
}

func (a *API) listAttachedRolePolicies(_ context.Context, call *gateway.Call, in *iam.ListAttachedRolePoliciesRequest) (*iam.ListAttachedRolePoliciesResponse, error) {
	list, more, next, err := a.attachedTo(call, roleHolder, *in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iam.ListAttachedRolePoliciesResponse{AttachedPolicies: list, IsTruncated: more, Marker: next}, err
}
