package sts

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/mandate"
)

// chainedSession is the most for a role that was assumed with keys of a role, and
// what a session lasts when the caller does not say.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
const chainedSession = time.Hour

// assumption is a call of AssumeRole on its way.
type assumption struct {
	call       *gateway.Call
	in         *shape.AssumeRoleRequest
	role       *identity.Role
	tags       []workload.Tag
	transitive []string
}

// assumeRole gives keys of a role to whom the role trusts. Both sides are asked here
// and not at the gateway: who is named in the trust policy of a role of the same
// account needs no policy of their own.
func (a *API) assumeRole(ctx context.Context, call *gateway.Call, in *shape.AssumeRoleRequest) (*shape.AssumeRoleResponse, error) {
	if call.Principal.Kind == identity.Root {
		return nil, fault.New(fault.AccessDenied, "Roles may not be assumed by root accounts.").
			WithHint("make a user for it: aws iam create-user, create-access-key")
	}
	if err := checkMFA(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	as := &assumption{call: call, in: in}
	if call.Granted != nil && call.Granted.Federated {
		return nil, as.denied("sts:AssumeRole") // of STS they may call GetCallerIdentity alone
	}
	var err error
	if as.tags, as.transitive, err = sessionTags(call.Granted, in); err != nil {
		return nil, err
	}
	if err := a.permit(as); err != nil {
		return nil, err
	}
	life, err := as.life()
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, as, life)
}

// denied is the same for a role that is not there, so that nobody can find out.
func (as *assumption) denied(action string) error {
	return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s on resource: %s", as.call.Principal.ARN, action, *as.in.RoleArn)
}

// permit asks the role's trust policy and the caller's own policies.
func (a *API) permit(as *assumption) error {
	v := a.store.View()
	role, ok := store.FindRole(v, *as.in.RoleArn)
	if !ok {
		return as.denied("sts:AssumeRole")
	}
	as.role = role
	policies, err := mandate.Gatherer{View: v}.Of(&as.call.Principal, as.call.Granted)
	if errors.Is(err, mandate.ErrGone) {
		return as.denied("sts:AssumeRole")
	}
	if err != nil {
		return err
	}
	trust, err := policy.Parse(role.Trust, policy.Trust)
	if err != nil {
		return fmt.Errorf("the trust policy of %s: %w", role.ARN, err)
	}
	policies.Resource, policies.Owner, policies.Trusting = &policy.Applied{Name: role.ARN, Document: trust}, role.Account, true
	for _, action := range as.actions() {
		q := &policy.Request{Principal: as.call.Principal, Action: action, Resource: role.ARN, Keys: as.keys(a.keys)}
		if policy.Decide(q, &policies).Effect != policy.Allow {
			return as.denied(action)
		}
	}
	return nil
}

// actions are what the caller must be allowed to do to the role.
func (as *assumption) actions() []string {
	list := []string{"sts:AssumeRole"}
	if len(as.tags) > 0 {
		list = append(list, "sts:TagSession")
	}
	if as.sourceIdentity() != "" {
		list = append(list, "sts:SetSourceIdentity")
	}
	return list
}

// sourceIdentity stays what it was when roles are chained.
func (as *assumption) sourceIdentity() string {
	if from := as.call.Granted; from != nil && from.SourceIdentity != "" {
		return from.SourceIdentity
	}
	return deref(as.in.SourceIdentity)
}

// keys are the condition keys of the call: those of its parameters, then common's.
func (as *assumption) keys(common func(*gateway.Call) policy.Keys) policy.Keys {
	own := as.ownKeys()
	rest := policy.Keys(func(string) ([]string, bool) { return nil, false })
	if common != nil {
		rest = common(as.call)
	}
	return func(name string) ([]string, bool) {
		if values, ok := own[name]; ok {
			return values, true
		}
		if tag, ok := strings.CutPrefix(name, "aws:requesttag/"); ok {
			return valueOf(as.tags, tag)
		}
		return rest(name)
	}
}

func valueOf(tags []workload.Tag, key string) ([]string, bool) {
	for _, t := range tags {
		if sameKey(t.Key, key) {
			return []string{t.Value}, true
		}
	}
	return nil, false
}

func (as *assumption) ownKeys() map[string][]string {
	keys := map[string][]string{"sts:rolesessionname": {*as.in.RoleSessionName}}
	if as.in.ExternalId != nil {
		keys["sts:externalid"] = []string{*as.in.ExternalId}
	}
	if id := as.sourceIdentity(); id != "" {
		keys["sts:sourceidentity"] = []string{id}
	}
	if as.in.DurationSeconds != nil {
		keys["sts:durationseconds"] = []string{strconv.Itoa(int(*as.in.DurationSeconds))}
	}
	for _, t := range as.tags {
		keys["aws:tagkeys"] = append(keys["aws:tagkeys"], t.Key)
	}
	if len(as.transitive) > 0 {
		keys["sts:transitivetagkeys"] = as.transitive
	}
	return keys
}

// life is how long the session lasts.
func (as *assumption) life() (time.Duration, error) {
	life := chainedSession
	if as.in.DurationSeconds != nil {
		life = time.Duration(*as.in.DurationSeconds) * time.Second
	}
	switch {
	case life > as.role.MaxSession:
		return 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.").
			WithHint("the role allows %d seconds: aws iam update-role --max-session-duration", int(as.role.MaxSession/time.Second))
	case life > chainedSession && as.call.Principal.Kind == identity.AssumedRole:
		return 0, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	return life, nil
}

// begin makes the session's keys.
func (a *API) begin(ctx context.Context, as *assumption, life time.Duration) (*shape.AssumeRoleResponse, error) {
	if asked := as.in.SourceIdentity; asked != nil && *asked != as.sourceIdentity() {
		return nil, fault.New(fault.AccessDenied, "The source identity of a session cannot be changed when roles are chained.")
	}
	if len(as.in.ProvidedContexts) > 0 {
		return nil, invalid("ProvidedContexts are not supported.").WithHint("berth has no context providers; leave them out")
	}
	given, err := a.readPolicies(as.call.Scope, as.in.Policy, as.in.PolicyArns)
	if err != nil {
		return nil, err
	}
	size, err := packed(given, as.tags)
	if err != nil {
		return nil, err
	}
	s := &identity.Session{
		Policies: given.inline, PolicyARNs: given.arns, Tags: as.tags, Transitive: as.transitive, SourceIdentity: as.sourceIdentity(),
		Chained: as.call.Principal.Kind == identity.AssumedRole,
	}
	p := identity.SessionOf(as.role, *as.in.RoleSessionName)
	credentials, err := a.grant(ctx, p, s, as.call.Now, life)
	if err != nil {
		return nil, err
	}
	out := &shape.AssumeRoleResponse{
		Credentials: credentials, AssumedRoleUser: &shape.AssumedRoleUser{AssumedRoleId: &p.UserID, Arn: &p.ARN}, PackedPolicySize: size,
	}
	if s.SourceIdentity != "" {
		out.SourceIdentity = &s.SourceIdentity
	}
	return out, nil
}
