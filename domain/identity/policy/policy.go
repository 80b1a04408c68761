// Package policy reads IAM's policy documents and decides what they allow.
// Everything in it is pure: the caller brings the request, the policies that apply
// and the condition keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
package policy

import "github.com/berthhq/berth/domain/identity"

// Use is what a document is for: each has rules of its own.
type Use int

// Uses.
const (
	Identity Use = iota // of a user, group or role; a boundary or session policy
	Resource            // of a bucket, secret, key, repository: needs a Principal
	Trust               // of a role: a Principal, no Resource
)

// Request is one action on one resource by somebody.
type Request struct {
	Principal identity.Principal
	Action    string // "ecs:RunTask"
	Resource  string // an ARN, or "*" when the action knows no resource
	Keys      Keys
}

// Keys finds the values of a condition key, whose name is in lower case
// ("aws:sourceip", "aws:requesttag/team" with the tag's own case after the slash).
// ok is false for a key that the request does not have. It is asked only for keys
// that policies name.
type Keys func(name string) (values []string, ok bool)

// Applied is a document and where it is from.
type Applied struct {
	Name     string // ARN of a managed policy, name of an inline one
	Document *Document
}

// Policies are all that bear on a request.
type Policies struct {
	Identity []Applied
	// Boundary bounds Identity; nil for none.
	Boundary *Applied
	// Session bounds all of it when Sessioned is true, even when it is empty.
	Session   []Applied
	Sessioned bool
	// Resource is the policy of the resource; nil for none. Owner is the account
	// of the resource; empty means the principal's.
	Resource *Applied
	Owner    string
	// Trusting is true where the resource's policy alone decides and must allow:
	// roles being assumed, and keys.
	Trusting bool
}

// Effect of a decision.
type Effect int

// Effects.
const (
	ImplicitDeny Effect = iota
	ExplicitDeny
	Allow
)

// Source is the kind of policy that decided.
type Source string

// Sources, in AWS's words.
const (
	IdentityBased Source = "identity-based policy"
	ResourceBased Source = "resource-based policy"
	Boundary      Source = "permissions boundary"
	SessionBased  Source = "session policy"
	TrustBased    Source = "role trust policy"
)

// Decision is what came of a request.
type Decision struct {
	Effect  Effect
	Source  Source // that denied, or that allows
	Policy  string // Applied.Name of the policy that decided; empty when none did
	Sid     string // of the statement that decided; may be empty
	Matched []Match
	// Missing names the condition keys that were asked for and not there, as the
	// policies spell them, each once.
	Missing []string
}

// Match is a statement that spoke about the request.
type Match struct {
	Source Source
	Policy string
	Index  int // of the statement in its document
	Sid    string
	Allow  bool
}
