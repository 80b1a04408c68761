package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/mandate"
)

// source is whose policies are simulated.
type source struct {
	principal identity.Principal // zero for a group
	policies  policy.Policies
}

// sourceOf finds a user, group or role by ARN.
func sourceOf(r store.Reader, call *gateway.Call, sourceARN string) (*source, error) {
	a, err := arn.Parse(sourceARN)
	if err != nil || a.Service != "iam" || a.Account != call.Scope.Account {
		return nil, invalid("Invalid Entity Arn: %s does not clearly define entity type and name.", sourceARN)
	}
	var out source
	switch a.Kind() {
	case "user":
		u, err := findUser(r, call, a.Name())
		if err != nil {
			return nil, err
		}
		out.principal = u.Principal()
		out.policies, err = mandate.Gatherer{View: r}.User(u)
		return &out, err
	case "role":
		role, err := findRole(r, call, a.Name())
		if err != nil {
			return nil, err
		}
		out.principal = identity.SessionOf(role, "simulation")
		out.policies, err = mandate.Gatherer{View: r}.Grants(&role.Grants)
		return &out, err
	case "group":
		g, err := findGroup(r, call, a.Name())
		if err != nil {
			return nil, err
		}
		out.policies, err = mandate.Gatherer{View: r}.Grants(&g.Grants)
		return &out, err
	}
	return nil, invalid("Invalid Entity Arn: %s does not clearly define entity type and name.", sourceARN)
}

// simulation is one request to simulate calls: what both operations have in common.
type simulation struct {
	policies  policy.Policies
	principal identity.Principal
	texts     map[string]string // of policies by their names in policies
	keys      policy.Keys
	actions   []string
	resources []string
}

func (a *API) simulatePrincipalPolicy(_ context.Context, call *gateway.Call, in *iam.SimulatePrincipalPolicyRequest) (*iam.SimulatePolicyResponse, error) {
	v := a.store.View()
	from, err := sourceOf(v, call, *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	s := simulation{policies: from.policies, principal: from.principal, texts: textsOf(v, call, *in.PolicySourceArn)}
	s.exclude(in.PolicyExclusionList)
	if s.principal.Kind == "" {
		s.principal = anyone(call)
	}
	if err := s.asCaller(call, in.CallerArn, in.ResourcePolicy != nil && from.principal.Kind != identity.User); err != nil {
		return nil, err
	}
	if err := s.add(in.PolicyInputList, in.PermissionsBoundaryPolicyInputList, in.ResourcePolicy, in.ResourceOwner); err != nil {
		return nil, err
	}
	s.ask(in.ActionNames, in.ResourceArns, in.ContextEntries)
	return s.answer(in.Marker, in.MaxItems)
}

func (a *API) simulateCustomPolicy(_ context.Context, call *gateway.Call, in *iam.SimulateCustomPolicyRequest) (*iam.SimulatePolicyResponse, error) {
	s := simulation{principal: anyone(call), texts: map[string]string{}}
	if err := s.asCaller(call, in.CallerArn, in.ResourcePolicy != nil); err != nil {
		return nil, err
	}
	if err := s.add(in.PolicyInputList, in.PermissionsBoundaryPolicyInputList, in.ResourcePolicy, in.ResourceOwner); err != nil {
		return nil, err
	}
	s.ask(in.ActionNames, in.ResourceArns, in.ContextEntries)
	return s.answer(in.Marker, in.MaxItems)
}

// anyone is a user of the account who has no name.
func anyone(call *gateway.Call) identity.Principal {
	return identity.Principal{Kind: identity.User, Account: call.Scope.Account, ARN: arnOf(call, "user", "/", "simulated"), UserID: "AIDASIMULATED"}
}

// asCaller makes the calls those of another principal.
func (s *simulation) asCaller(call *gateway.Call, callerARN *string, needed bool) error {
	if callerARN == nil {
		if needed {
			return invalid("A CallerArn is required when a ResourcePolicy is given.").WithHint("name the user who calls")
		}
		return nil
	}
	a, err := arn.Parse(*callerARN)
	if err != nil || a.Service != "iam" || a.Kind() != "user" {
		return invalid("Invalid CallerArn: %s is not the ARN of a user.", *callerARN)
	}
	s.principal = identity.Principal{Kind: identity.User, Account: a.Account, ARN: *callerARN, UserID: "AIDASIMULATED"}
	return nil
}

// add adds the policies that came with the request.
func (s *simulation) add(inputs, boundaries []string, resource, resourceOwner *string) error {
	for i, text := range inputs {
		d, err := policy.Parse(text, policy.Identity)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("PolicyInputList.%d", i+1)
		s.policies.Identity = append(slices.Clip(s.policies.Identity), policy.Applied{Name: name, Document: d})
		s.texts[name] = text
	}
	switch {
	case len(boundaries) > 1:
		return invalid("Only one permissions boundary policy can be simulated.")
	case len(boundaries) == 1:
		d, err := policy.Parse(boundaries[0], policy.Identity)
		if err != nil {
			return err
		}
		s.policies.Boundary = &policy.Applied{Name: "PermissionsBoundaryPolicyInputList.1", Document: d}
		s.texts[s.policies.Boundary.Name] = boundaries[0]
	}
	if resource == nil {
		return nil
	}
	d, err := policy.Parse(*resource, policy.Resource)
	if err != nil {
		return err
	}
	s.policies.Resource = &policy.Applied{Name: "ResourcePolicy", Document: d}
	s.texts["ResourcePolicy"] = *resource
	s.policies.Owner = accountIn(resourceOwner)
	return nil
}

// accountIn is the account that owns a resource, from an ARN or an account's id.
func accountIn(owner *string) string {
	if a, err := arn.Parse(member.Value(owner)); err == nil {
		return a.Account
	}
	return member.Value(owner)
}

// exclude leaves policies out.
func (s *simulation) exclude(list []iam.PolicyIdentifier) {
	for _, x := range list {
		name := member.Value(x.PolicyArn)
		if x.InlinePolicyIdentifier != nil {
			name = member.Value(x.InlinePolicyIdentifier.PolicyName)
		}
		s.policies.Identity = slices.DeleteFunc(slices.Clone(s.policies.Identity), func(p policy.Applied) bool { return p.Name == name })
		if s.policies.Boundary != nil && s.policies.Boundary.Name == name {
			s.policies.Boundary = nil
		}
	}
}

func (s *simulation) ask(actions, resources []string, entries []iam.ContextEntry) {
	s.actions, s.resources = actions, resources
	if len(resources) == 0 {
		s.resources = []string{"*"}
	}
	values := map[string][]string{}
	for _, e := range entries {
		values[keyName(member.Value(e.ContextKeyName))] = e.ContextKeyValues
	}
	s.keys = func(name string) ([]string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// keyName is a condition key as policies ask for it: in lower case, but for what
// follows the slash, the key of a tag.
func keyName(name string) string {
	name, tag, tagged := strings.Cut(name, "/")
	if tagged {
		return strings.ToLower(name) + "/" + tag
	}
	return strings.ToLower(name)
}

// answer gives a result for each action on each resource.
func (s *simulation) answer(marker *string, size *int32) (*iam.SimulatePolicyResponse, error) {
	var all []simulated
	for i, action := range s.actions {
		for j, resource := range s.resources {
			all = append(all, simulated{fmt.Sprintf("%06d/%06d", i, j), action, resource})
		}
	}
	list, more, next, err := listed(marker, size, all, func(one simulated) string { return one.key })
	if err != nil {
		return nil, err
	}
	return &iam.SimulatePolicyResponse{EvaluationResults: member.Each(list, s.result), IsTruncated: more, Marker: next}, nil
}

type simulated struct{ key, action, resource string }

func (s *simulation) result(one *simulated) iam.EvaluationResult {
	q := &policy.Request{Principal: s.principal, Action: one.action, Resource: one.resource, Keys: s.keys}
	d := policy.Decide(q, &s.policies)
	out := iam.EvaluationResult{
		EvalActionName: &one.action, EvalResourceName: &one.resource, EvalDecision: inWords(d.Effect),
		MatchedStatements: s.matched(&d), MissingContextValues: slices.Concat([]string{}, d.Missing), PermissionsBoundaryDecisionDetail: s.bounded(q),
	}
	if one.resource != "*" {
		out.ResourceSpecificResults = []iam.ResourceSpecificResult{{
			EvalResourceName: &one.resource, EvalResourceDecision: out.EvalDecision, MatchedStatements: out.MatchedStatements,
			MissingContextValues: out.MissingContextValues, PermissionsBoundaryDecisionDetail: out.PermissionsBoundaryDecisionDetail,
		}}
	}
	return out
}

// bounded tells whether the boundary by itself allows; nil without one.
func (s *simulation) bounded(q *policy.Request) *iam.PermissionsBoundaryDecisionDetail {
	if s.policies.Boundary == nil {
		return nil
	}
	d := policy.Decide(q, &policy.Policies{Identity: []policy.Applied{*s.policies.Boundary}})
	return &iam.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: new(d.Effect == policy.Allow)}
}

func inWords(e policy.Effect) iam.PolicyEvaluationDecisionType {
	switch e {
	case policy.Allow:
		return iam.PolicyEvaluationDecisionTypeAllowed
	case policy.ExplicitDeny:
		return iam.PolicyEvaluationDecisionTypeExplicitDeny
	}
	return iam.PolicyEvaluationDecisionTypeImplicitDeny
}

// matched are the statements that decided: those that deny when one does.
func (s *simulation) matched(d *policy.Decision) []iam.Statement {
	out := []iam.Statement{}
	for _, m := range d.Matched {
		if m.Allow == (d.Effect == policy.ExplicitDeny) {
			continue
		}
		kind := iam.PolicySourceType("IAM Policy") // AWS's words, whatever the model lists
		if m.Source == policy.ResourceBased {
			kind = "Resource Policy"
		}
		start, end := position(s.texts[m.Policy], m.Index)
		out = append(out, iam.Statement{SourcePolicyId: &m.Policy, SourcePolicyType: kind, StartPosition: start, EndPosition: end})
	}
	return out
}

// textsOf are the texts of all policies of a user, group or role, by the names they
// have when they are gathered.
func textsOf(r store.Reader, call *gateway.Call, sourceARN string) map[string]string {
	texts := map[string]string{}
	add := func(g *identity.Grants) {
		for _, p := range g.Inline {
			texts[p.Name] = p.Document
		}
		for _, name := range append(slices.Clone(g.Attached), g.Boundary) {
			if p, ok := store.ManagedPolicies.Get(r, name); ok {
				texts[name] = p.Document()
			}
		}
	}
	name := arn.NameOf(sourceARN)
	for _, find := range []finder{userHolder, groupHolder, roleHolder} {
		if h, err := find(r, call, name); err == nil && h.arn == sourceARN {
			add(h.grants)
		}
	}
	if u, err := findUser(r, call, name); err == nil && u.ARN == sourceARN {
		for _, group := range u.Groups {
			if g, err := findGroup(r, call, group); err == nil {
				add(&g.Grants)
			}
		}
	}
	return texts
}
