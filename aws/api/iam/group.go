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

func findGroup(r store.Reader, call *gateway.Call, name string) (*identity.Group, error) {
	g, ok := store.Groups.Get(r, store.NameKey(call.Scope.Account, name))
	if !ok {
		return nil, groupMissing(name)
	}
	return g, nil
}

func showGroup(g **identity.Group) iam.Group {
	return iam.Group{Path: &(*g).Path, GroupName: &(*g).Name, GroupId: &(*g).ID, Arn: &(*g).ARN, CreateDate: at((*g).CreatedAt)}
}

func (a *API) createGroup(ctx context.Context, call *gateway.Call, in *iam.CreateGroupRequest) (*iam.CreateGroupResponse, error) {
	id, err := a.newID(identity.GroupID)
	if err != nil {
		return nil, err
	}
	g := &identity.Group{Account: call.Scope.Account, Name: *in.GroupName, Path: pathOf(in.Path), ID: id, CreatedAt: call.Now}
	g.ARN = arnOf(call, "group", g.Path, g.Name)
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := findGroup(tx, call, g.Name); err == nil {
			return exists("Group with name %s already exists.", g.Name)
		}
		if count(store.Groups.Prefix(tx, store.NameKey(call.Scope.Account, ""))) >= maxGroups {
			return overQuota("GroupsPerAccount", maxGroups)
		}
		store.Groups.Put(tx, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateGroupResponse{Group: new(showGroup(&g))}, nil
}

// membersOf lists the users of a group, in order of name.
func membersOf(r store.Reader, g *identity.Group) []*identity.UserRecord {
	return slices.Collect(store.Users.By(r, store.UsersByGroup, store.NameKey(g.Account, g.Name)))
}

func (a *API) getGroup(_ context.Context, call *gateway.Call, in *iam.GetGroupRequest) (*iam.GetGroupResponse, error) {
	v := a.store.View()
	g, err := findGroup(v, call, *in.GroupName)
	if err != nil {
		return nil, err
	}
	list, more, next, err := listed(in.Marker, in.MaxItems, membersOf(v, g), func(u *identity.UserRecord) string { return u.Name })
	return &iam.GetGroupResponse{
		Group: new(showGroup(&g)), Users: member.Each(list, func(u **identity.UserRecord) iam.User { return listedUser(*u) }), IsTruncated: more, Marker: next,
	}, err
}

func (a *API) listGroups(_ context.Context, call *gateway.Call, in *iam.ListGroupsRequest) (*iam.ListGroupsResponse, error) {
	p, err := readPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	groups := where(store.Groups.Prefix(a.store.View(), store.NameKey(call.Scope.Account, "")), func(g *identity.Group) bool { return under(g.Path, in.PathPrefix) })
	list, more, next := fill(p, groups, func(g *identity.Group) string { return store.NameKey("", g.Name) })
	return &iam.ListGroupsResponse{Groups: member.Each(list, showGroup), IsTruncated: &more, Marker: next}, nil
}

// updateGroup gives a group another name or path. Its members stay.
func (a *API) updateGroup(ctx context.Context, call *gateway.Call, in *iam.UpdateGroupRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findGroup(tx, call, *in.GroupName)
		if err != nil {
			return err
		}
		next := *have
		if in.NewGroupName != nil {
			next.Name = *in.NewGroupName
		}
		if in.NewPath != nil {
			next.Path = *in.NewPath
		}
		next.ARN = arnOf(call, "group", next.Path, next.Name)
		key, was := store.NameKey(next.Account, next.Name), store.NameKey(have.Account, have.Name)
		if other, ok := store.Groups.Get(tx, key); ok && other.ID != have.ID {
			return exists("Group with name %s already exists.", next.Name)
		}
		for _, u := range membersOf(tx, have) {
			member := *u
			member.Groups = slices.Clone(u.Groups)
			member.Groups[slices.Index(member.Groups, have.Name)] = next.Name
			store.Users.Put(tx, &member)
		}
		if key != was {
			store.Groups.Delete(tx, was)
		}
		store.Groups.Put(tx, &next)
		return nil
	})
	return &wire.Empty{}, err
}

func (a *API) deleteGroup(ctx context.Context, call *gateway.Call, in *iam.DeleteGroupRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		g, err := findGroup(tx, call, *in.GroupName)
		if err != nil {
			return err
		}
		if len(membersOf(tx, g)) > 0 {
			return inUse("Cannot delete entity, must remove users from group first.")
		}
		if err := checkBare(&g.Grants); err != nil {
			return err
		}
		store.Groups.Delete(tx, store.NameKey(g.Account, g.Name))
		return nil
	})
	return &wire.Empty{}, err
}
