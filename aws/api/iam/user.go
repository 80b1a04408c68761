package iam

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

func findUser(r store.Reader, call *gateway.Call, name string) (*identity.UserRecord, error) {
	u, ok := store.Users.Get(r, store.NameKey(call.Scope.Account, name))
	if !ok {
		return nil, userMissing(name)
	}
	return u, nil
}

// userNamed is the user of the name, or the caller when there is none. nil is the
// account's root.
func userNamed(r store.Reader, call *gateway.Call, name *string) (*identity.UserRecord, error) {
	if name != nil {
		return findUser(r, call, *name)
	}
	switch call.Principal.Kind {
	case identity.Root:
		return nil, nil
	case identity.User:
		if u, ok := userByID(r, call.Scope.Account, call.Principal.UserID); ok {
			return u, nil
		}
	}
	return nil, fault.New(fault.Validation, "Must specify userName when calling with non-User credentials")
}

// userByID finds a user of an account by id.
func userByID(r store.Reader, account, id string) (*identity.UserRecord, bool) {
	for u := range store.Users.Prefix(r, store.NameKey(account, "")) {
		if u.ID == id {
			return u, true
		}
	}
	return nil, false
}

// changeUser changes a copy of a user.
func (a *API) changeUser(ctx context.Context, call *gateway.Call, name string, alter func(*store.Tx, *identity.UserRecord) error) (*wire.Empty, error) {
	return change(ctx, a, call, store.Users, findUser, name, alter)
}

func (a *API) createUser(ctx context.Context, call *gateway.Call, in *iam.CreateUserRequest) (*iam.CreateUserResponse, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	id, err := a.newID(identity.UserID)
	if err != nil {
		return nil, err
	}
	u := &identity.UserRecord{
		Account: call.Scope.Account, Name: *in.UserName, Path: pathOf(in.Path), ID: id, Tags: tags, CreatedAt: call.Now,
		Grants: identity.Grants{Boundary: member.Value(in.PermissionsBoundary)},
	}
	u.ARN = arnOf(call, "user", u.Path, u.Name)
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := findUser(tx, call, u.Name); err == nil {
			return exists("User with name %s already exists.", u.Name)
		}
		if err := checkBoundary(tx, call, u.Grants.Boundary); err != nil {
			return err
		}
		if count(store.Users.Prefix(tx, store.NameKey(call.Scope.Account, ""))) >= maxUsers {
			return overQuota("UsersPerAccount", maxUsers)
		}
		store.Users.Put(tx, u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateUserResponse{User: new(showUser(u))}, nil
}

// showUser shows all of a user.
func showUser(u *identity.UserRecord) iam.User {
	out := listedUser(u)
	out.Tags, out.PermissionsBoundary = member.Some(u.Tags, showTag), showBoundary(u.Grants.Boundary)
	return out
}

// listedUser is what lists of users have of one.
func listedUser(u *identity.UserRecord) iam.User {
	return iam.User{Path: &u.Path, UserName: &u.Name, UserId: &u.ID, Arn: &u.ARN, CreateDate: at(u.CreatedAt)}
}

func (a *API) getUser(_ context.Context, call *gateway.Call, in *iam.GetUserRequest) (*iam.GetUserResponse, error) {
	v := a.store.View()
	u, err := userNamed(v, call, in.UserName)
	if err != nil {
		return nil, err
	}
	if u == nil {
		p := call.Principal
		return &iam.GetUserResponse{User: &iam.User{UserId: &p.UserID, Arn: &p.ARN, CreateDate: at(rootSince(v, p.Account))}}, nil
	}
	return &iam.GetUserResponse{User: new(showUser(u))}, nil
}

func (a *API) listUsers(_ context.Context, call *gateway.Call, in *iam.ListUsersRequest) (*iam.ListUsersResponse, error) {
	p, err := readPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	users := where(store.Users.Prefix(a.store.View(), store.NameKey(call.Scope.Account, "")), func(u *identity.UserRecord) bool { return under(u.Path, in.PathPrefix) })
	list, more, next := fill(p, users, func(u *identity.UserRecord) string { return store.NameKey("", u.Name) })
	return &iam.ListUsersResponse{Users: member.Each(list, func(u **identity.UserRecord) iam.User { return listedUser(*u) }), IsTruncated: &more, Marker: next}, nil
}

// updateUser gives a user another name or path. The user's keys stay, under the
// new name.
func (a *API) updateUser(ctx context.Context, call *gateway.Call, in *iam.UpdateUserRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findUser(tx, call, *in.UserName)
		if err != nil {
			return err
		}
		next := *have
		if in.NewUserName != nil {
			next.Name = *in.NewUserName
		}
		if in.NewPath != nil {
			next.Path = *in.NewPath
		}
		next.ARN = arnOf(call, "user", next.Path, next.Name)
		key, was := store.NameKey(next.Account, next.Name), store.NameKey(have.Account, have.Name)
		if other, ok := store.Users.Get(tx, key); ok && other.ID != have.ID {
			return exists("User with name %s already exists.", next.Name)
		}
		if key != was {
			store.Users.Delete(tx, was)
		}
		store.Users.Put(tx, &next)
		rename(tx, &next)
		return nil
	})
	return &wire.Empty{}, err
}

// rename tells the keys of a user the user's new ARN.
func rename(tx *store.Tx, u *identity.UserRecord) {
	for k := range store.AccessKeys.By(tx, store.AccessKeysByOwner, u.ID) {
		next := *k
		if next.Session != nil && next.Session.Federated {
			session := *next.Session
			session.By = u.Principal()
			next.Session = &session
		} else {
			next.Principal.ARN = u.ARN
		}
		store.AccessKeys.Put(tx, &next)
	}
}

func (a *API) deleteUser(ctx context.Context, call *gateway.Call, in *iam.DeleteUserRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		u, err := findUser(tx, call, *in.UserName)
		if err != nil {
			return err
		}
		switch {
		case u.Password != "":
			return inUse("Cannot delete entity, must delete login profile first.")
		case len(longTerm(tx, u.ID)) > 0:
			return inUse("Cannot delete entity, must delete access keys first.")
		case len(u.Groups) > 0:
			return inUse("Cannot delete entity, must remove users from group first.")
		}
		if err := checkBare(&u.Grants); err != nil {
			return err
		}
		for k := range store.AccessKeys.By(tx, store.AccessKeysByOwner, u.ID) {
			store.AccessKeys.Delete(tx, k.ID) // sessions
		}
		store.Users.Delete(tx, store.NameKey(u.Account, u.Name))
		return nil
	})
	return &wire.Empty{}, err
}

func (a *API) addUserToGroup(ctx context.Context, call *gateway.Call, in *iam.AddUserToGroupRequest) (*wire.Empty, error) {
	return a.changeUser(ctx, call, *in.UserName, func(tx *store.Tx, u *identity.UserRecord) error {
		g, err := findGroup(tx, call, *in.GroupName)
		if err != nil {
			return err
		}
		if slices.Contains(u.Groups, g.Name) {
			return nil
		}
		if len(u.Groups) >= maxMemberships {
			return overQuota("GroupsPerUser", maxMemberships)
		}
		u.Groups = append(slices.Clone(u.Groups), g.Name)
		return nil
	})
}

func (a *API) removeUserFromGroup(ctx context.Context, call *gateway.Call, in *iam.RemoveUserFromGroupRequest) (*wire.Empty, error) {
	return a.changeUser(ctx, call, *in.UserName, func(tx *store.Tx, u *identity.UserRecord) error {
		g, err := findGroup(tx, call, *in.GroupName)
		if err != nil {
			return err
		}
		if !slices.Contains(u.Groups, g.Name) {
			return missing("User %s is not in group %s.", u.Name, g.Name)
		}
		u.Groups = slices.DeleteFunc(slices.Clone(u.Groups), func(name string) bool { return name == g.Name })
		return nil
	})
}

func (a *API) listGroupsForUser(_ context.Context, call *gateway.Call, in *iam.ListGroupsForUserRequest) (*iam.ListGroupsForUserResponse, error) {
	v := a.store.View()
	u, err := findUser(v, call, *in.UserName)
	if err != nil {
		return nil, err
	}
	var groups []*identity.Group
	for _, name := range u.Groups {
		if g, err := findGroup(v, call, name); err == nil {
			groups = append(groups, g)
		}
	}
	list, more, next, err := listed(in.Marker, in.MaxItems, groups, func(g *identity.Group) string { return g.Name })
	return &iam.ListGroupsForUserResponse{Groups: member.Each(list, showGroup), IsTruncated: more, Marker: next}, err
}
