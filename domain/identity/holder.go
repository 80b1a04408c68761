package identity

import (
	"time"

	"github.com/berthhq/berth/domain/workload"
)

// Grants are the identity policies of a user, group or role.
type Grants struct {
	Inline   []InlinePolicy // in order of name
	Attached []string       // ARNs of managed policies, in the order they were attached
	Boundary string         // ARN of a managed policy; empty for none, and for groups
}

// InlinePolicy is a policy that is part of its holder.
type InlinePolicy struct {
	Name     string
	Document string // JSON, as it was given
}

// Role is what a service, a task or a caller may become.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
type Role struct {
	Account     string
	Name        string // unique in its account, whatever the case
	Path        string // "/" or "/a/b/"
	ID          string // AROA...; another one when the role is made again
	ARN         string
	Description string
	Trust       string        // the trust policy, JSON as it was given
	MaxSession  time.Duration // of AssumeRole; an hour unless said
	Grants      Grants
	Tags        []workload.Tag // in the order they were given
	CreatedAt   time.Time
	// Service is the principal whose service-linked role this is,
	// "ecs.amazonaws.com"; empty for all others.
	Service string
}

// UserRecord is an IAM user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html
type UserRecord struct {
	Account   string
	Name      string
	Path      string
	ID        string // AIDA...
	ARN       string
	Groups    []string // names, in the order they were joined
	Grants    Grants
	Tags      []workload.Tag
	CreatedAt time.Time
	// Password is a bcrypt hash for the console; empty without a login profile.
	Password          string
	PasswordChangedAt time.Time
	ResetPassword     bool
}

// Principal is the user as a caller.
func (u *UserRecord) Principal() Principal {
	return Principal{Kind: User, Account: u.Account, ARN: u.ARN, UserID: u.ID}
}

// Group is a set of users with policies in common.
type Group struct {
	Account   string
	Name      string
	Path      string
	ID        string // AGPA...
	ARN       string
	Grants    Grants
	CreatedAt time.Time
}

// ManagedPolicy is a policy that many may hold, with up to five versions.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html
type ManagedPolicy struct {
	Account     string // "aws" for those that AWS manages
	Name        string
	Path        string
	ID          string // ANPA...
	ARN         string
	Description string
	Versions    []PolicyVersion // oldest first
	Default     string          // the version in force, "v1"
	NextVersion int             // ids of versions are never used again
	Tags        []workload.Tag
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// PolicyVersion is one text of a managed policy.
type PolicyVersion struct {
	ID        string // "v1"
	Document  string // JSON, as it was given
	CreatedAt time.Time
}

// Document is the text in force; empty only for a record that is damaged.
func (p *ManagedPolicy) Document() string {
	for i := range p.Versions {
		if p.Versions[i].ID == p.Default {
			return p.Versions[i].Document
		}
	}
	return ""
}

// InstanceProfile hands a role to machines.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_InstanceProfile.html
type InstanceProfile struct {
	Account   string
	Name      string
	Path      string
	ID        string // AIPA...
	ARN       string
	Roles     []string // names; AWS allows one
	Tags      []workload.Tag
	CreatedAt time.Time
}

// AWSAccount owns the policies that AWS manages.
const AWSAccount = "aws"
