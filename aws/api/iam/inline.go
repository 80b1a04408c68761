package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
)

// putInline stores an inline policy in place of the one of its name.
func (a *API) putInline(ctx context.Context, call *gateway.Call, find finder, name, policyName, document string) (*wire.Empty, error) {
	if _, err := policy.Parse(document, policy.Identity); err != nil {
		return nil, err
	}
	return a.changeHolder(ctx, call, find, name, func(_ *store.Tx, h *holder) error {
		h.grants.Inline = withInline(h.grants.Inline, identity.InlinePolicy{Name: policyName, Document: document})
		size := 0
		for i := range h.grants.Inline {
			size += sizeOf(h.grants.Inline[i].Document)
		}
		if size > h.maxInline {
			return fault.New(fault.QuotaExceeded, "Maximum policy size of %d bytes exceeded for %s %s", h.maxInline, strings.ToLower(h.noun), h.name)
		}
		return nil
	})
}

// withInline keeps the list in order of name.
func withInline(have []identity.InlinePolicy, p identity.InlinePolicy) []identity.InlinePolicy {
	n, found := slices.BinarySearchFunc(have, p.Name, func(o identity.InlinePolicy, name string) int { return strings.Compare(o.Name, name) })
	list := slices.Clone(have)
	if found {
		list[n] = p
		return list
	}
	return slices.Insert(list, n, p)
}

// inlineOf finds an inline policy of a holder.
func inlineOf(h *holder, policyName string) (int, error) {
	n := slices.IndexFunc(h.grants.Inline, func(p identity.InlinePolicy) bool { return p.Name == policyName })
	if n < 0 {
		return 0, missing("The %s policy with name %s cannot be found.", strings.ToLower(h.noun), policyName)
	}
	return n, nil
}

func (a *API) deleteInline(ctx context.Context, call *gateway.Call, find finder, name, policyName string) (*wire.Empty, error) {
	return a.changeHolder(ctx, call, find, name, func(_ *store.Tx, h *holder) error {
		n, err := inlineOf(h, policyName)
		if err != nil {
			return err
		}
		h.grants.Inline = slices.Delete(slices.Clone(h.grants.Inline), n, n+1)
		return nil
	})
}

// getInline is an inline policy and the name of its holder.
func (a *API) getInline(call *gateway.Call, find finder, name, policyName string) (holderName, document *string, err error) {
	h, err := find(a.store.View(), call, name)
	if err != nil {
		return nil, nil, err
	}
	n, err := inlineOf(h, policyName)
	if err != nil {
		return nil, nil, err
	}
	return &h.name, encoded(h.grants.Inline[n].Document), nil
}

func (a *API) listInline(call *gateway.Call, find finder, name string, marker *string, size *int32) ([]string, *bool, *string, error) {
	h, err := find(a.store.View(), call, name)
	if err != nil {
		return nil, nil, nil, err
	}
	names := member.Each(h.grants.Inline, func(p *identity.InlinePolicy) string { return p.Name })
	list, more, next, err := listed(marker, size, names, func(name string) string { return name })
	return slices.Concat([]string{}, list), more, next, err
}

func (a *API) putUserPolicy(ctx context.Context, call *gateway.Call, in *iam.PutUserPolicyRequest) (*wire.Empty, error) {
	return a.putInline(ctx, call, userHolder, *in.UserName, *in.PolicyName, *in.PolicyDocument)
}

func (a *API) putGroupPolicy(ctx context.Context, call *gateway.Call, in *iam.PutGroupPolicyRequest) (*wire.Empty, error) {
	return a.putInline(ctx, call, groupHolder, *in.GroupName, *in.PolicyName, *in.PolicyDocument)
}

func (a *API) putRolePolicy(ctx context.Context, call *gateway.Call, in *iam.PutRolePolicyRequest) (*wire.Empty, error) {
	return a.putInline(ctx, call, roleHolder, *in.RoleName, *in.PolicyName, *in.PolicyDocument)
}

func (a *API) deleteUserPolicy(ctx context.Context, call *gateway.Call, in *iam.DeleteUserPolicyRequest) (*wire.Empty, error) {
	return a.deleteInline(ctx, call, userHolder, *in.UserName, *in.PolicyName)
}

func (a *API) deleteGroupPolicy(ctx context.Context, call *gateway.Call, in *iam.DeleteGroupPolicyRequest) (*wire.Empty, error) {
	return a.deleteInline(ctx, call, groupHolder, *in.GroupName, *in.PolicyName)
}

func (a *API) deleteRolePolicy(ctx context.Context, call *gateway.Call, in *iam.DeleteRolePolicyRequest) (*wire.Empty, error) {
	return a.deleteInline(ctx, call, roleHolder, *in.RoleName, *in.PolicyName)
}

func (a *API) getUserPolicy(_ context.Context, call *gateway.Call, in *iam.GetUserPolicyRequest) (*iam.GetUserPolicyResponse, error) {
	name, document, err := a.getInline(call, userHolder, *in.UserName, *in.PolicyName)
	return &iam.GetUserPolicyResponse{UserName: name, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

func (a *API) getGroupPolicy(_ context.Context, call *gateway.Call, in *iam.GetGroupPolicyRequest) (*iam.GetGroupPolicyResponse, error) {
	name, document, err := a.getInline(call, groupHolder, *in.GroupName, *in.PolicyName)
	return &iam.GetGroupPolicyResponse{GroupName: name, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

func (a *API) getRolePolicy(_ context.Context, call *gateway.Call, in *iam.GetRolePolicyRequest) (*iam.GetRolePolicyResponse, error) {
	name, document, err := a.getInline(call, roleHolder, *in.RoleName, *in.PolicyName)
	return &iam.GetRolePolicyResponse{RoleName: name, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

func (a *API) listUserPolicies(_ context.Context, call *gateway.Call, in *iam.ListUserPoliciesRequest) (*iam.ListUserPoliciesResponse, error) {
	names, more, next, err := a.listInline(call, userHolder, *in.UserName, in.Marker, in.MaxItems)
	return &iam.ListUserPoliciesResponse{PolicyNames: names, IsTruncated: more, Marker: next}, err
}

func (a *API) listGroupPolicies(_ context.Context, call *gateway.Call, in *iam.ListGroupPoliciesRequest) (*iam.ListGroupPoliciesResponse, error) {
	names, more, next, err := a.listInline(call, groupHolder, *in.GroupName, in.Marker, in.MaxItems)
	return &iam.ListGroupPoliciesResponse{PolicyNames: names, IsTruncated: more, Marker: next}, err
}

func (a *API) listRolePolicies(_ context.Context, call *gateway.Call, in *iam.ListRolePoliciesRequest) (*iam.ListRolePoliciesResponse, error) {
	names, more, next, err := a.listInline(call, roleHolder, *in.RoleName, in.Marker, in.MaxItems)
	return &iam.ListRolePoliciesResponse{PolicyNames: names, IsTruncated: more, Marker: next}, err
}
