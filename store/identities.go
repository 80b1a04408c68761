package store

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
)

// NameKey is the key of the tables of users, groups, roles and instance profiles:
// their names are unique in an account whatever the case.
func NameKey(account, name string) string { return account + "/" + strings.ToLower(name) }

// Roles by NameKey.
var Roles = &Table[identity.Role]{
	ID: roles, Noun: "role", Schema: 1,
	Primary: func(r *identity.Role) string { return NameKey(r.Account, r.Name) },
	Indexes: []*Index[identity.Role]{RolesByPolicy},
}

// RolesByPolicy finds the roles that a managed policy is attached to, by its ARN.
var RolesByPolicy = &Index[identity.Role]{
	Keys: func(r *identity.Role) []string { return r.Grants.Attached },
}

// Users by NameKey.
var Users = &Table[identity.UserRecord]{
	ID: users, Noun: "user", Schema: 1,
	Primary: func(u *identity.UserRecord) string { return NameKey(u.Account, u.Name) },
	Indexes: []*Index[identity.UserRecord]{UsersByPolicy, UsersByGroup},
}

// UsersByPolicy finds the users that a managed policy is attached to, by its ARN.
var UsersByPolicy = &Index[identity.UserRecord]{
	Keys: func(u *identity.UserRecord) []string { return u.Grants.Attached },
}

// UsersByGroup finds the members of a group, by its NameKey.
var UsersByGroup = &Index[identity.UserRecord]{
	Keys: func(u *identity.UserRecord) []string {
		keys := make([]string, len(u.Groups))
		for i, name := range u.Groups {
			keys[i] = NameKey(u.Account, name)
		}
		return keys
	},
}

// Groups by NameKey.
var Groups = &Table[identity.Group]{
	ID: groups, Noun: "group", Schema: 1,
	Primary: func(g *identity.Group) string { return NameKey(g.Account, g.Name) },
	Indexes: []*Index[identity.Group]{GroupsByPolicy},
}

// GroupsByPolicy finds the groups that a managed policy is attached to, by its ARN.
var GroupsByPolicy = &Index[identity.Group]{
	Keys: func(g *identity.Group) []string { return g.Grants.Attached },
}

// ManagedPolicies by ARN.
var ManagedPolicies = &Table[identity.ManagedPolicy]{
	ID: managedPolicies, Noun: "policy", Schema: 1,
	Primary: func(p *identity.ManagedPolicy) string { return p.ARN },
}

// InstanceProfiles by NameKey.
var InstanceProfiles = &Table[identity.InstanceProfile]{
	ID: instanceProfiles, Noun: "instance-profile", Schema: 1,
	Primary: func(p *identity.InstanceProfile) string { return NameKey(p.Account, p.Name) },
	Indexes: []*Index[identity.InstanceProfile]{InstanceProfilesByRole},
}

// InstanceProfilesByRole finds the profiles with a role, by the role's NameKey.
var InstanceProfilesByRole = &Index[identity.InstanceProfile]{
	Keys: func(p *identity.InstanceProfile) []string {
		keys := make([]string, len(p.Roles))
		for i, name := range p.Roles {
			keys[i] = NameKey(p.Account, name)
		}
		return keys
	},
}

// FindRole finds a role by its ARN. A role that was made again under another path
// is another role.
func FindRole(r Reader, roleARN string) (*identity.Role, bool) {
	a, err := arn.Parse(roleARN)
	if err != nil || a.Service != "iam" || a.Kind() != "role" {
		return nil, false
	}
	role, ok := Roles.Get(r, NameKey(a.Account, a.Name()))
	if !ok || role.ARN != roleARN {
		return nil, false
	}
	return role, true
}

// RoleSession is the principal of a session of the role with the ARN, with the
// role's id when the role is known.
func RoleSession(r Reader, roleARN, session string) identity.Principal {
	if role, ok := FindRole(r, roleARN); ok {
		return identity.SessionOf(role, session)
	}
	return identity.RoleSession(roleARN, session)
}
