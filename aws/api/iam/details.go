package iam

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// detail is one entry of an account's details: it adds itself to an answer.
type detail struct {
	kind iam.EntityType
	key  string // orders all of them
	add  func(*iam.GetAccountAuthorizationDetailsResponse)
}

func (a *API) getAccountAuthorizationDetails(_ context.Context, call *gateway.Call, in *iam.GetAccountAuthorizationDetailsRequest) (*iam.GetAccountAuthorizationDetailsResponse, error) {
	v := a.store.View()
	all := slices.Concat(userDetails(v, call), groupDetails(v, call), a.roleDetails(v, call), policyDetails(v, call))
	all = slices.DeleteFunc(all, func(d detail) bool { return len(in.Filter) > 0 && !slices.Contains(in.Filter, d.kind) })
	list, more, next, err := listed(in.Marker, in.MaxItems, all, func(d detail) string { return d.key })
	if err != nil {
		return nil, err
	}
	out := &iam.GetAccountAuthorizationDetailsResponse{
		UserDetailList: []iam.UserDetail{}, GroupDetailList: []iam.GroupDetail{}, RoleDetailList: []iam.RoleDetail{}, Policies: []iam.ManagedPolicyDetail{},
		IsTruncated: more, Marker: next,
	}
	for _, d := range list {
		d.add(out)
	}
	return out, nil
}

func showInline(p *identity.InlinePolicy) iam.PolicyDetail {
	return iam.PolicyDetail{PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}
}

func userDetails(r store.Reader, call *gateway.Call) (list []detail) {
	for u := range store.Users.Prefix(r, store.NameKey(call.Scope.Account, "")) {
		shown := iam.UserDetail{
			Path: &u.Path, UserName: &u.Name, UserId: &u.ID, Arn: &u.ARN, CreateDate: at(u.CreatedAt), UserPolicyList: member.Some(u.Grants.Inline, showInline),
			GroupList: slices.Concat([]string{}, u.Groups), AttachedManagedPolicies: member.Each(u.Grants.Attached, showAttached),
			PermissionsBoundary: showBoundary(u.Grants.Boundary), Tags: member.Each(u.Tags, showTag),
		}
		list = append(list, detail{iam.EntityTypeUser, "1/" + u.Name, func(out *iam.GetAccountAuthorizationDetailsResponse) {
			out.UserDetailList = append(out.UserDetailList, shown)
		}})
	}
	return list
}

func groupDetails(r store.Reader, call *gateway.Call) (list []detail) {
	for g := range store.Groups.Prefix(r, store.NameKey(call.Scope.Account, "")) {
		shown := iam.GroupDetail{
			Path: &g.Path, GroupName: &g.Name, GroupId: &g.ID, Arn: &g.ARN, CreateDate: at(g.CreatedAt), GroupPolicyList: member.Each(g.Grants.Inline, showInline),
			AttachedManagedPolicies: member.Each(g.Grants.Attached, showAttached),
		}
		list = append(list, detail{iam.EntityTypeGroup, "2/" + g.Name, func(out *iam.GetAccountAuthorizationDetailsResponse) {
			out.GroupDetailList = append(out.GroupDetailList, shown)
		}})
	}
	return list
}

func (a *API) roleDetails(r store.Reader, call *gateway.Call) (list []detail) {
	for role := range store.Roles.Prefix(r, store.NameKey(call.Scope.Account, "")) {
		shown := iam.RoleDetail{
			Path: &role.Path, RoleName: &role.Name, RoleId: &role.ID, Arn: &role.ARN, CreateDate: at(role.CreatedAt),
			AssumeRolePolicyDocument: encoded(role.Trust), InstanceProfileList: listProfiles(r, profilesOf(r, role)),
			RolePolicyList: member.Each(role.Grants.Inline, showInline), AttachedManagedPolicies: member.Each(role.Grants.Attached, showAttached),
			PermissionsBoundary: showBoundary(role.Grants.Boundary), Tags: member.Each(role.Tags, showTag), RoleLastUsed: a.roleUsed(role),
		}
		list = append(list, detail{iam.EntityTypeRole, "3/" + role.Name, func(out *iam.GetAccountAuthorizationDetailsResponse) {
			out.RoleDetailList = append(out.RoleDetailList, shown)
		}})
	}
	return list
}

// policyDetails are the account's own policies, and those of AWS that are in use.
func policyDetails(r store.Reader, call *gateway.Call) (list []detail) {
	use := usesOf(r, call.Scope.Account)
	for p := range store.ManagedPolicies.All(r) {
		kind := iam.EntityTypeLocalManagedPolicy
		attached, bounds := use.attached[p.ARN], use.bounds[p.ARN]
		switch {
		case p.Account == identity.AWSAccount && attached+bounds > 0:
			kind = iam.EntityTypeAWSManagedPolicy
		case p.Account != call.Scope.Account:
			continue
		}
		shown := showPolicyDetail(p, attached, bounds)
		list = append(list, detail{kind, "4/" + policyKey(p), func(out *iam.GetAccountAuthorizationDetailsResponse) {
			out.Policies = append(out.Policies, shown)
		}})
	}
	return list
}

func showPolicyDetail(p *identity.ManagedPolicy, attached, bounds int) iam.ManagedPolicyDetail {
	base := showPolicyUsed(p, attached, bounds)
	out := iam.ManagedPolicyDetail{
		PolicyName: base.PolicyName, PolicyId: base.PolicyId, Arn: base.Arn, Path: base.Path, DefaultVersionId: base.DefaultVersionId,
		AttachmentCount: base.AttachmentCount, PermissionsBoundaryUsageCount: base.PermissionsBoundaryUsageCount, IsAttachable: base.IsAttachable,
		Description: member.Present(p.Description), CreateDate: base.CreateDate, UpdateDate: base.UpdateDate,
	}
	for n := len(p.Versions) - 1; n >= 0; n-- {
		v := showVersion(p, n)
		v.Document = encoded(p.Versions[n].Document)
		out.PolicyVersionList = append(out.PolicyVersionList, v)
	}
	return out
}
