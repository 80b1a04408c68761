package identity

import "github.com/berthhq/berth/domain/workload"

// Session is what was laid down when a temporary key was made. Nothing of it
// changes afterwards.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
type Session struct {
	// Policies are session policies, JSON; a call needs one of them to allow it
	// as well. Without any, inline or managed, the session is as wide as its role.
	Policies       []string
	PolicyARNs     []string       // managed policies used as session policies
	Tags           []workload.Tag // session tags, seen as aws:PrincipalTag
	Transitive     []string       // keys of the tags that go on when roles are chained
	SourceIdentity string         // kept through chained roles
	MFA            bool
	Chained        bool // made by keys of a role: an hour at most
	Federated      bool // GetFederationToken: only what its policies allow, too
	// By is the user whose keys made a federated session, or the account's root: it
	// may at most what they may. Zero for all other sessions.
	By Principal
	// Issuer is the provider of a web identity; empty otherwise.
	Issuer string
}

// Restricted tells whether session policies bound the session.
func (s *Session) Restricted() bool {
	return s != nil && (len(s.Policies) > 0 || len(s.PolicyARNs) > 0)
}
