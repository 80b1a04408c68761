// Package identity holds who calls: principals, the access keys that prove them,
// and the users, groups, roles and policies that say what they may.
package identity

import (
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// Kind of principal.
type Kind string

// Kinds of principals.
const (
	Root        Kind = "Root"
	User        Kind = "User"
	AssumedRole Kind = "AssumedRole"
	Service     Kind = "Service"
	// Federated is somebody an identity provider vouches for, before a session is
	// made: the principal's ARN is the provider's.
	Federated Kind = "Federated"
)

// Principal is who a request is from.
type Principal struct {
	Kind    Kind
	Account string
	ARN     string // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION for roles
	UserID  string // as GetCallerIdentity shows it
	RoleARN string // the role behind an assumed-role principal; empty otherwise

	// InstanceARN binds an agent's keys to its own container instance; empty
	// for everyone else, and before an agent's first registration.
	InstanceARN string
	// Agent is true for keys a machine got by joining: they may speak the
	// agent protocol.
	Agent bool
	// TaskARN names the task whose credentials these are; empty otherwise.
	TaskARN string
}

// AccessKey is a key pair and whom it proves. Secret is never logged.
type AccessKey struct {
	ID           string // AKIA... or ASIA...; primary key
	Secret       string
	SessionToken string // empty for long-term keys
	Principal    Principal
	Active       bool
	CreatedAt    time.Time
	ExpiresAt    time.Time // zero for long-term keys

	// CredentialsID is under which a task finds these keys at its metadata
	// address, and Use what for: "TaskApplication" or "TaskExecution". Both are
	// empty for all other keys but those with UseInstance, which have no id. The id
	// stays when the keys are renewed.
	CredentialsID string
	Use           string

	// Session is what was laid down for a temporary key; nil for nothing.
	Session *Session
}

// UseInstance is the Use of keys that a machine shows at its metadata address. They
// are its role's, and never speak for the instance as its agent's keys do.
const UseInstance = "Instance"

// Expired tells whether the key has ended at now.
func (k *AccessKey) Expired(now time.Time) bool {
	return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)
}

// RootPrincipal is the account's own.
func RootPrincipal(account string) Principal {
	return Principal{Kind: Root, Account: account, ARN: arn.Scope{Account: account}.Global("iam", "root"), UserID: account}
}

// RoleSession is the principal of a session of a role. roleARN is the role's,
// session the name that ends its ARN: the task id for tasks, the instance id for
// instances.
func RoleSession(roleARN, session string) Principal {
	a, err := arn.Parse(roleARN)
	if err != nil {
		a = arn.ARN{Partition: "aws", Resource: "role/" + roleARN}
	}
	return Principal{
		Kind: AssumedRole, Account: a.Account, RoleARN: roleARN,
		ARN:    arn.ARN{Partition: a.Partition, Service: "sts", Account: a.Account, Resource: "assumed-role/" + a.Name() + "/" + session}.String(),
		UserID: unknownRoleID + a.Name() + ":" + session,
	}
}

// SessionOf is the principal of a session of a role that exists: it ends with the
// role, even if another of the same name is made.
func SessionOf(role *Role, session string) Principal {
	p := RoleSession(role.ARN, session)
	p.UserID = role.ID + ":" + session
	return p
}

// SameRole tells whether a session is of this role, not of one that had its name
// before. A session that was made by the name alone is of any.
func SameRole(role *Role, p *Principal) bool {
	id, _, _ := strings.Cut(p.UserID, ":")
	return id == role.ID || id == unknownRoleID+role.Name
}

// unknownRoleID begins the id of a role that is known by its name alone.
const unknownRoleID = "AROA"

// ServicePrincipal is a service of AWS, "ecs-tasks.amazonaws.com".
func ServicePrincipal(name string) Principal {
	return Principal{Kind: Service, ARN: name, UserID: name}
}

// JoinToken lets one machine join one cluster, once. Only the hash of the
// token's secret is stored.
type JoinToken struct {
	Hash       string // hex sha256 of the secret; primary key
	Scope      arn.Scope
	ClusterARN string
	RoleARN    string
	ExpiresAt  time.Time
	UsedAt     time.Time // zero while unused
}
