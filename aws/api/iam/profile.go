package iam

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

func findProfile(r store.Reader, call *gateway.Call, name string) (*identity.InstanceProfile, error) {
	p, ok := store.InstanceProfiles.Get(r, store.NameKey(call.Scope.Account, name))
	if !ok {
		return nil, missing("Instance Profile %s cannot be found.", name)
	}
	return p, nil
}

// changeProfile changes a copy of an instance profile.
func (a *API) changeProfile(ctx context.Context, call *gateway.Call, name string, alter func(*store.Tx, *identity.InstanceProfile) error) (*wire.Empty, error) {
	return change(ctx, a, call, store.InstanceProfiles, findProfile, name, alter)
}

func (a *API) createInstanceProfile(ctx context.Context, call *gateway.Call, in *iam.CreateInstanceProfileRequest) (*iam.CreateInstanceProfileResponse, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	id, err := a.newID(identity.InstanceProfileID)
	if err != nil {
		return nil, err
	}
	p := &identity.InstanceProfile{Account: call.Scope.Account, Name: *in.InstanceProfileName, Path: pathOf(in.Path), ID: id, Tags: tags, CreatedAt: call.Now}
	p.ARN = arnOf(call, "instance-profile", p.Path, p.Name)
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := findProfile(tx, call, p.Name); err == nil {
			return exists("Instance Profile %s already exists.", p.Name)
		}
		if count(store.InstanceProfiles.Prefix(tx, store.NameKey(call.Scope.Account, ""))) >= maxProfiles {
			return overQuota("InstanceProfilesPerAccount", maxProfiles)
		}
		store.InstanceProfiles.Put(tx, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateInstanceProfileResponse{InstanceProfile: new(showProfile(v, p))}, nil
}

// showProfile shows all of a profile.
func showProfile(r store.Reader, p *identity.InstanceProfile) iam.InstanceProfile {
	out := listedProfile(r, p)
	out.Tags = member.Each(p.Tags, showTag)
	return out
}

// listedProfile is what lists of profiles have of one.
func listedProfile(r store.Reader, p *identity.InstanceProfile) iam.InstanceProfile {
	roles := []iam.Role{}
	for _, name := range p.Roles {
		if role, ok := store.Roles.Get(r, store.NameKey(p.Account, name)); ok {
			shown := listedRole(role)
			shown.Description, shown.MaxSessionDuration = nil, nil
			roles = append(roles, shown)
		}
	}
	return iam.InstanceProfile{
		Path: &p.Path, InstanceProfileName: &p.Name, InstanceProfileId: &p.ID, Arn: &p.ARN, CreateDate: at(p.CreatedAt), Roles: roles,
	}
}

func (a *API) getInstanceProfile(_ context.Context, call *gateway.Call, in *iam.GetInstanceProfileRequest) (*iam.GetInstanceProfileResponse, error) {
	v := a.store.View()
	p, err := findProfile(v, call, *in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	return &iam.GetInstanceProfileResponse{InstanceProfile: new(showProfile(v, p))}, nil
}

func (a *API) listInstanceProfiles(_ context.Context, call *gateway.Call, in *iam.ListInstanceProfilesRequest) (*iam.ListInstanceProfilesResponse, error) {
	p, err := readPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	profiles := where(store.InstanceProfiles.Prefix(v, store.NameKey(call.Scope.Account, "")), func(p *identity.InstanceProfile) bool { return under(p.Path, in.PathPrefix) })
	list, more, next := fill(p, profiles, profileKey)
	return &iam.ListInstanceProfilesResponse{InstanceProfiles: listProfiles(v, list), IsTruncated: &more, Marker: next}, nil
}

func profileKey(p *identity.InstanceProfile) string { return store.NameKey("", p.Name) }

func listProfiles(r store.Reader, list []*identity.InstanceProfile) []iam.InstanceProfile {
	return member.Each(list, func(p **identity.InstanceProfile) iam.InstanceProfile { return listedProfile(r, *p) })
}

func profilesOf(r store.Reader, role *identity.Role) []*identity.InstanceProfile {
	return slices.Collect(store.InstanceProfiles.By(r, store.InstanceProfilesByRole, store.NameKey(role.Account, role.Name)))
}

func (a *API) listInstanceProfilesForRole(_ context.Context, call *gateway.Call, in *iam.ListInstanceProfilesForRoleRequest) (*iam.ListInstanceProfilesForRoleResponse, error) {
	v := a.store.View()
	role, err := findRole(v, call, *in.RoleName)
	if err != nil {
		return nil, err
	}
	list, more, next, err := listed(in.Marker, in.MaxItems, profilesOf(v, role), profileKey)
	return &iam.ListInstanceProfilesForRoleResponse{InstanceProfiles: listProfiles(v, list), IsTruncated: more, Marker: next}, err
}

func (a *API) addRoleToInstanceProfile(ctx context.Context, call *gateway.Call, in *iam.AddRoleToInstanceProfileRequest) (*wire.Empty, error) {
	return a.changeProfile(ctx, call, *in.InstanceProfileName, func(tx *store.Tx, p *identity.InstanceProfile) error {
		role, err := findRole(tx, call, *in.RoleName)
		if err != nil {
			return err
		}
		if err := protected(role); err != nil {
			return err
		}
		if len(p.Roles) >= maxProfileRoles {
			return overQuota("InstanceSessionsPerInstanceProfile", maxProfileRoles)
		}
		p.Roles = append(slices.Clone(p.Roles), role.Name)
		return nil
	})
}

func (a *API) removeRoleFromInstanceProfile(ctx context.Context, call *gateway.Call, in *iam.RemoveRoleFromInstanceProfileRequest) (*wire.Empty, error) {
	return a.changeProfile(ctx, call, *in.InstanceProfileName, func(_ *store.Tx, p *identity.InstanceProfile) error {
		n := slices.IndexFunc(p.Roles, func(name string) bool { return equalName(name, *in.RoleName) })
		if n < 0 {
			return roleMissing(*in.RoleName)
		}
		p.Roles = slices.Delete(slices.Clone(p.Roles), n, n+1)
		return nil
	})
}

func (a *API) deleteInstanceProfile(ctx context.Context, call *gateway.Call, in *iam.DeleteInstanceProfileRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		p, err := findProfile(tx, call, *in.InstanceProfileName)
		if err != nil {
			return err
		}
		if len(p.Roles) > 0 {
			return inUse("Cannot delete entity, must remove roles from instance profile first.")
		}
		store.InstanceProfiles.Delete(tx, store.NameKey(p.Account, p.Name))
		return nil
	})
	return &wire.Empty{}, err
}
