package iam

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// entity is one who has a policy.
type entity struct {
	kind           iam.EntityType
	name, id, path string
	grants         *identity.Grants
}

// key orders entities by kind, then by name.
func (e *entity) key() string { return string(e.kind) + "/" + e.name }

// entitiesOf lists the groups, roles and users of an account, in order of key.
func entitiesOf(r store.Reader, account string) (list []*entity) {
	prefix := store.NameKey(account, "")
	for g := range store.Groups.Prefix(r, prefix) {
		list = append(list, &entity{iam.EntityTypeGroup, g.Name, g.ID, g.Path, &g.Grants})
	}
	for role := range store.Roles.Prefix(r, prefix) {
		list = append(list, &entity{iam.EntityTypeRole, role.Name, role.ID, role.Path, &role.Grants})
	}
	for u := range store.Users.Prefix(r, prefix) {
		list = append(list, &entity{iam.EntityTypeUser, u.Name, u.ID, u.Path, &u.Grants})
	}
	return list
}

// has tells whether the entity has the policy in the way that was asked for.
func (e *entity) has(policyARN string, usage iam.PolicyUsageType) bool {
	attached, bounds := slices.Contains(e.grants.Attached, policyARN), e.grants.Boundary == policyARN
	switch usage {
	case iam.PolicyUsageTypePermissionsPolicy:
		return attached
	case iam.PolicyUsageTypePermissionsBoundary:
		return bounds
	}
	return attached || bounds
}

func (a *API) listEntitiesForPolicy(_ context.Context, call *gateway.Call, in *iam.ListEntitiesForPolicyRequest) (*iam.ListEntitiesForPolicyResponse, error) {
	v := a.store.View()
	if _, err := findPolicy(v, call, *in.PolicyArn); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(entitiesOf(v, call.Scope.Account), func(e *entity) bool {
		return !e.has(*in.PolicyArn, in.PolicyUsageFilter) || !under(e.path, in.PathPrefix) || in.EntityFilter != "" && in.EntityFilter != e.kind
	})
	list, more, next, err := listed(in.Marker, in.MaxItems, all, (*entity).key)
	if err != nil {
		return nil, err
	}
	out := &iam.ListEntitiesForPolicyResponse{
		PolicyGroups: []iam.PolicyGroup{}, PolicyUsers: []iam.PolicyUser{}, PolicyRoles: []iam.PolicyRole{}, IsTruncated: more, Marker: next,
	}
	for _, e := range list {
		switch e.kind {
		case iam.EntityTypeGroup:
			out.PolicyGroups = append(out.PolicyGroups, iam.PolicyGroup{GroupName: &e.name, GroupId: &e.id})
		case iam.EntityTypeRole:
			out.PolicyRoles = append(out.PolicyRoles, iam.PolicyRole{RoleName: &e.name, RoleId: &e.id})
		default:
			out.PolicyUsers = append(out.PolicyUsers, iam.PolicyUser{UserName: &e.name, UserId: &e.id})
		}
	}
	return out, nil
}
