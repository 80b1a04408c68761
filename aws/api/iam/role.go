package iam

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// sessionDefault is how long sessions of a role last at most, unless it says so.
const sessionDefault = time.Hour

func findRole(r store.Reader, call *gateway.Call, name string) (*identity.Role, error) {
	role, ok := store.Roles.Get(r, store.NameKey(call.Scope.Account, name))
	if !ok {
		return nil, roleMissing(name)
	}
	return role, nil
}

// protected refuses to change what belongs to a service of AWS.
func protected(r *identity.Role) error {
	if r.Service == "" {
		return nil
	}
	return fault.New(fault.UnmodifiableEntity, "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.Name)
}

// changeRole changes a copy of a role that is not AWS's.
func (a *API) changeRole(ctx context.Context, call *gateway.Call, name string, change func(*store.Tx, *identity.Role) error) (*wire.Empty, error) {
	return a.changeAnyRole(ctx, call, name, func(tx *store.Tx, next *identity.Role) error {
		if err := protected(next); err != nil {
			return err
		}
		return change(tx, next)
	})
}

// changeAnyRole is for the description and the tags, which service-linked roles let
// change too.
func (a *API) changeAnyRole(ctx context.Context, call *gateway.Call, name string, alter func(*store.Tx, *identity.Role) error) (*wire.Empty, error) {
	return change(ctx, a, call, store.Roles, findRole, name, alter)
}

func (a *API) createRole(ctx context.Context, call *gateway.Call, in *iam.CreateRoleRequest) (*iam.CreateRoleResponse, error) {
	role, err := a.readRole(call, in)
	if err != nil {
		return nil, err
	}
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := findRole(tx, call, role.Name); err == nil {
			return exists("Role with name %s already exists.", role.Name)
		}
		if err := checkTrust(tx, call.Scope.Account, role.Trust); err != nil {
			return err
		}
		if err := checkBoundary(tx, call, role.Grants.Boundary); err != nil {
			return err
		}
		if count(store.Roles.Prefix(tx, store.NameKey(call.Scope.Account, ""))) >= maxRoles {
			return overQuota("RolesPerAccount", maxRoles)
		}
		store.Roles.Put(tx, role)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shown := a.showRole(v, role)
	shown.RoleLastUsed, shown.Description = nil, in.Description
	return &iam.CreateRoleResponse{Role: &shown}, nil
}

func (a *API) readRole(call *gateway.Call, in *iam.CreateRoleRequest) (*identity.Role, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	id, err := a.newID(identity.RoleID)
	if err != nil {
		return nil, err
	}
	role := &identity.Role{
		Account: call.Scope.Account, Name: *in.RoleName, Path: pathOf(in.Path), ID: id, Description: member.Value(in.Description),
		Trust: *in.AssumeRolePolicyDocument, MaxSession: sessionDefault, Tags: tags, CreatedAt: call.Now,
		Grants: identity.Grants{Boundary: member.Value(in.PermissionsBoundary)},
	}
	if in.MaxSessionDuration != nil {
		role.MaxSession = time.Duration(*in.MaxSessionDuration) * time.Second
	}
	role.ARN = arnOf(call, "role", role.Path, role.Name)
	return role, nil
}

// showRole shows all of a role.
func (a *API) showRole(r store.Reader, role *identity.Role) iam.Role {
	out := listedRole(role)
	out.Tags, out.PermissionsBoundary = member.Some(role.Tags, showTag), showBoundary(role.Grants.Boundary)
	out.RoleLastUsed = a.roleUsed(role)
	return out
}

// listedRole is what lists of roles have of one.
func listedRole(role *identity.Role) iam.Role {
	return iam.Role{
		Path: &role.Path, RoleName: &role.Name, RoleId: &role.ID, Arn: &role.ARN, CreateDate: at(role.CreatedAt),
		AssumeRolePolicyDocument: encoded(role.Trust), Description: member.Present(role.Description), MaxSessionDuration: new(int32(role.MaxSession / time.Second)),
	}
}

func (a *API) roleUsed(role *identity.Role) *iam.RoleLastUsed {
	if a.usage == nil {
		return &iam.RoleLastUsed{}
	}
	used, ok := a.usage.RoleUsed(role.ARN)
	if !ok || used.At.Before(role.CreatedAt) {
		return &iam.RoleLastUsed{}
	}
	return &iam.RoleLastUsed{LastUsedDate: at(used.At), Region: member.Present(used.Region)}
}

func (a *API) getRole(_ context.Context, call *gateway.Call, in *iam.GetRoleRequest) (*iam.GetRoleResponse, error) {
	v := a.store.View()
	role, err := findRole(v, call, *in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleResponse{Role: new(a.showRole(v, role))}, nil
}

func (a *API) listRoles(_ context.Context, call *gateway.Call, in *iam.ListRolesRequest) (*iam.ListRolesResponse, error) {
	p, err := readPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	roles := where(store.Roles.Prefix(a.store.View(), store.NameKey(call.Scope.Account, "")), func(r *identity.Role) bool { return under(r.Path, in.PathPrefix) })
	list, more, next := fill(p, roles, func(r *identity.Role) string { return store.NameKey("", r.Name) })
	return &iam.ListRolesResponse{Roles: member.Each(list, func(r **identity.Role) iam.Role { return listedRole(*r) }), IsTruncated: &more, Marker: next}, nil
}

func (a *API) updateRole(ctx context.Context, call *gateway.Call, in *iam.UpdateRoleRequest) (*iam.UpdateRoleResponse, error) {
	_, err := a.changeRole(ctx, call, *in.RoleName, func(_ *store.Tx, r *identity.Role) error {
		if in.Description != nil {
			r.Description = *in.Description
		}
		r.MaxSession = sessionDefault // as AWS does when it is not said
		if in.MaxSessionDuration != nil {
			r.MaxSession = time.Duration(*in.MaxSessionDuration) * time.Second
		}
		return nil
	})
	return &iam.UpdateRoleResponse{}, err
}

func (a *API) updateRoleDescription(ctx context.Context, call *gateway.Call, in *iam.UpdateRoleDescriptionRequest) (*iam.UpdateRoleDescriptionResponse, error) {
	var shown iam.Role
	_, err := a.changeAnyRole(ctx, call, *in.RoleName, func(tx *store.Tx, r *identity.Role) error {
		r.Description = *in.Description
		shown = a.showRole(tx, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UpdateRoleDescriptionResponse{Role: &shown}, nil
}

func (a *API) updateAssumeRolePolicy(ctx context.Context, call *gateway.Call, in *iam.UpdateAssumeRolePolicyRequest) (*wire.Empty, error) {
	return a.changeRole(ctx, call, *in.RoleName, func(tx *store.Tx, r *identity.Role) error {
		r.Trust = *in.PolicyDocument
		return checkTrust(tx, call.Scope.Account, r.Trust)
	})
}

func (a *API) deleteRole(ctx context.Context, call *gateway.Call, in *iam.DeleteRoleRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		role, err := findRole(tx, call, *in.RoleName)
		if err != nil {
			return err
		}
		if err := protected(role); err != nil {
			return err
		}
		key := store.NameKey(role.Account, role.Name)
		if store.InstanceProfiles.Has(tx, store.InstanceProfilesByRole, key) {
			return inUse("Cannot delete entity, must remove roles from instance profile first.")
		}
		if err := checkBare(&role.Grants); err != nil {
			return err
		}
		store.Roles.Delete(tx, key)
		return nil
	})
	return &wire.Empty{}, err
}
