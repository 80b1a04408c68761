package iam

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// holder is a user, group or role as one who holds policies: a copy to be changed.
type holder struct {
	noun      string // as quotas and refusals have it: "User"
	name, arn string
	maxInline int // characters of all inline policies together
	grants    *identity.Grants
	linked    bool // a role of a service of AWS
	put       func(*store.Tx)
}

// finder finds a holder by its name.
type finder func(r store.Reader, call *gateway.Call, name string) (*holder, error)

func userHolder(r store.Reader, call *gateway.Call, name string) (*holder, error) {
	have, err := findUser(r, call, name)
	if err != nil {
		return nil, err
	}
	u := *have
	return &holder{noun: "User", name: u.Name, arn: u.ARN, maxInline: 2048, grants: &u.Grants, put: func(tx *store.Tx) { store.Users.Put(tx, &u) }}, nil
}

func groupHolder(r store.Reader, call *gateway.Call, name string) (*holder, error) {
	have, err := findGroup(r, call, name)
	if err != nil {
		return nil, err
	}
	g := *have
	return &holder{noun: "Group", name: g.Name, arn: g.ARN, maxInline: 5120, grants: &g.Grants, put: func(tx *store.Tx) { store.Groups.Put(tx, &g) }}, nil
}

func roleHolder(r store.Reader, call *gateway.Call, name string) (*holder, error) {
	have, err := findRole(r, call, name)
	if err != nil {
		return nil, err
	}
	role := *have
	return &holder{
		noun: "Role", name: role.Name, arn: role.ARN, maxInline: 10240, grants: &role.Grants, linked: role.Service != "",
		put: func(tx *store.Tx) { store.Roles.Put(tx, &role) },
	}, nil
}

// changeHolder changes the policies of a holder that is not AWS's.
func (a *API) changeHolder(ctx context.Context, call *gateway.Call, find finder, name string, change func(*store.Tx, *holder) error) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		h, err := find(tx, call, name)
		if err != nil {
			return err
		}
		if h.linked {
			return protected(&identity.Role{Name: h.name, Service: h.name})
		}
		if err := change(tx, h); err != nil {
			return err
		}
		h.put(tx)
		return nil
	})
	return &wire.Empty{}, err
}

// checkBare refuses to delete a holder that has policies.
func checkBare(g *identity.Grants) error {
	switch {
	case len(g.Attached) > 0:
		return inUse("Cannot delete entity, must detach all policies first.")
	case len(g.Inline) > 0:
		return inUse("Cannot delete entity, must delete policies first.")
	}
	return nil
}
