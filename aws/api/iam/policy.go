package iam

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/managed"
	"github.com/berthhq/berth/store"
)

// findPolicy finds a managed policy of the account, or one of AWS's.
func findPolicy(r store.Reader, call *gateway.Call, policyARN string) (*identity.ManagedPolicy, error) {
	p, ok := store.ManagedPolicies.Get(r, policyARN)
	if !ok || p.Account != call.Scope.Account && p.Account != identity.AWSAccount {
		return nil, policyMissing(policyARN)
	}
	return p, nil
}

// changePolicy changes a copy of a policy that is not AWS's.
func (a *API) changePolicy(ctx context.Context, call *gateway.Call, policyARN string, alter func(*store.Tx, *identity.ManagedPolicy) error) (*wire.Empty, error) {
	return change(ctx, a, call, store.ManagedPolicies, ownPolicy, policyARN, alter)
}

func ownPolicy(r store.Reader, call *gateway.Call, policyARN string) (*identity.ManagedPolicy, error) {
	p, err := findPolicy(r, call, policyARN)
	if err != nil {
		return nil, err
	}
	if p.Account == identity.AWSAccount {
		return nil, fault.New(fault.UnmodifiableEntity, "Cannot perform the operation on the AWS managed policy %s - only AWS can modify it", policyARN).
			WithHint("make a policy of your own with its text: aws iam create-policy")
	}
	return p, nil
}

func (a *API) createPolicy(ctx context.Context, call *gateway.Call, in *iam.CreatePolicyRequest) (*iam.CreatePolicyResponse, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	id, err := a.newID(identity.ManagedPolicyID)
	if err != nil {
		return nil, err
	}
	p := &identity.ManagedPolicy{
		Account: call.Scope.Account, Name: *in.PolicyName, Path: pathOf(in.Path), ID: id, Description: member.Value(in.Description),
		Versions: []identity.PolicyVersion{{ID: "v1", Document: *in.PolicyDocument, CreatedAt: call.Now}}, Default: "v1", NextVersion: 2,
		Tags: tags, CreatedAt: call.Now, UpdatedAt: call.Now,
	}
	p.ARN = arnOf(call, "policy", p.Path, p.Name)
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		own := 0
		for other := range policiesOf(tx, call.Scope.Account) {
			if equalName(other.Name, p.Name) {
				return exists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
			}
			own++
		}
		if own >= maxPolicies {
			return overQuota("PoliciesPerAccount", maxPolicies)
		}
		store.ManagedPolicies.Put(tx, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shown := showPolicy(v, p)
	shown.Description, shown.Tags = nil, member.Some(p.Tags, showTag) // creation does not answer the description
	return &iam.CreatePolicyResponse{Policy: &shown}, nil
}

// policiesOf yields the policies of an account, or of AWS, in order of ARN.
func policiesOf(r store.Reader, account string) iter.Seq[*identity.ManagedPolicy] {
	return where(store.ManagedPolicies.All(r), func(p *identity.ManagedPolicy) bool { return p.Account == account })
}

// holders counts who has a policy attached, and whom it bounds.
func holders(r store.Reader, account, policyARN string) (attached, bounds int) {
	for role := range store.Roles.Prefix(r, store.NameKey(account, "")) {
		attached, bounds = counted(&role.Grants, policyARN, attached, bounds)
	}
	for u := range store.Users.Prefix(r, store.NameKey(account, "")) {
		attached, bounds = counted(&u.Grants, policyARN, attached, bounds)
	}
	for g := range store.Groups.Prefix(r, store.NameKey(account, "")) {
		attached, bounds = counted(&g.Grants, policyARN, attached, bounds)
	}
	return attached, bounds
}

func counted(g *identity.Grants, policyARN string, attached, bounds int) (int, int) {
	if slices.Contains(g.Attached, policyARN) {
		attached++
	}
	if g.Boundary == policyARN {
		bounds++
	}
	return attached, bounds
}

// usage of policies, by ARN, of one account: for lists.
type policyUse struct{ attached, bounds map[string]int }

func usesOf(r store.Reader, account string) policyUse {
	use := policyUse{map[string]int{}, map[string]int{}}
	add := func(g *identity.Grants) {
		for _, policyARN := range g.Attached {
			use.attached[policyARN]++
		}
		if g.Boundary != "" {
			use.bounds[g.Boundary]++
		}
	}
	for role := range store.Roles.Prefix(r, store.NameKey(account, "")) {
		add(&role.Grants)
	}
	for u := range store.Users.Prefix(r, store.NameKey(account, "")) {
		add(&u.Grants)
	}
	for g := range store.Groups.Prefix(r, store.NameKey(account, "")) {
		add(&g.Grants)
	}
	return use
}

func showPolicyUsed(p *identity.ManagedPolicy, attached, bounds int) iam.Policy {
	return iam.Policy{
		PolicyName: &p.Name, PolicyId: &p.ID, Arn: &p.ARN, Path: &p.Path, DefaultVersionId: &p.Default,
		AttachmentCount: new(int32(attached)), PermissionsBoundaryUsageCount: new(int32(bounds)), IsAttachable: new(!managed.Linked(p)),
		CreateDate: at(p.CreatedAt), UpdateDate: at(p.UpdatedAt),
	}
}

// showPolicy shows all of a policy of the account or of AWS.
func showPolicy(r store.Reader, p *identity.ManagedPolicy) iam.Policy {
	attached, bounds := holders(r, p.Account, p.ARN)
	return showPolicyUsed(p, attached, bounds)
}

func (a *API) getPolicy(_ context.Context, call *gateway.Call, in *iam.GetPolicyRequest) (*iam.GetPolicyResponse, error) {
	v := a.store.View()
	p, err := findPolicy(v, call, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	attached, bounds := holders(v, call.Scope.Account, p.ARN)
	shown := showPolicyUsed(p, attached, bounds)
	shown.Description, shown.Tags = member.Present(p.Description), member.Each(p.Tags, showTag)
	return &iam.GetPolicyResponse{Policy: &shown}, nil
}

func (a *API) listPolicies(_ context.Context, call *gateway.Call, in *iam.ListPoliciesRequest) (*iam.ListPoliciesResponse, error) {
	p, err := readPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	use := usesOf(v, call.Scope.Account)
	var all []*identity.ManagedPolicy
	for policy := range store.ManagedPolicies.All(v) {
		own, aws := policy.Account == call.Scope.Account, policy.Account == identity.AWSAccount
		switch {
		case in.Scope == iam.PolicyScopeTypeLocal && !own, in.Scope == iam.PolicyScopeTypeAws && !aws, !own && !aws,
			!under(policy.Path, in.PathPrefix), !use.passes(policy.ARN, in.PolicyUsageFilter, member.Value(in.OnlyAttached)):
		default:
			all = append(all, policy)
		}
	}
	slices.SortFunc(all, byName)
	list, more, next := fill(p, slices.Values(all), policyKey)
	return &iam.ListPoliciesResponse{Policies: member.Each(list, func(p **identity.ManagedPolicy) iam.Policy {
		return showPolicyUsed(*p, use.attached[(*p).ARN], use.bounds[(*p).ARN])
	}),

		IsTruncated: &more, Marker: next}, nil
}

// passes tells whether a policy is used in the way that was asked for.
func (u policyUse) passes(policyARN string, filter iam.PolicyUsageType, only bool) bool {
	switch {
	case filter == iam.PolicyUsageTypePermissionsBoundary:
		return u.bounds[policyARN] > 0
	case filter == iam.PolicyUsageTypePermissionsPolicy, only:
		return u.attached[policyARN] > 0
	}
	return true
}

func (a *API) deletePolicy(ctx context.Context, call *gateway.Call, in *iam.DeletePolicyRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		p, err := ownPolicy(tx, call, *in.PolicyArn)
		if err != nil {
			return err
		}
		if attached, bounds := holders(tx, p.Account, p.ARN); attached+bounds > 0 {
			return inUse("Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return inUse("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		store.ManagedPolicies.Delete(tx, p.ARN)
		return nil
	})
	return &wire.Empty{}, err
}

func versionOf(p *identity.ManagedPolicy, id string) (int, error) {
	n := slices.IndexFunc(p.Versions, func(v identity.PolicyVersion) bool { return v.ID == id })
	if n < 0 {
		return 0, missing("Policy %s version %s does not exist or is not attachable.", p.ARN, id)
	}
	return n, nil
}

func (a *API) createPolicyVersion(ctx context.Context, call *gateway.Call, in *iam.CreatePolicyVersionRequest) (*iam.CreatePolicyVersionResponse, error) {
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	made := iam.PolicyVersion{IsDefaultVersion: new(member.Value(in.SetAsDefault)), CreateDate: at(call.Now)}
	_, err := a.changePolicy(ctx, call, *in.PolicyArn, func(_ *store.Tx, p *identity.ManagedPolicy) error {
		if len(p.Versions) >= maxVersions {
			return fault.New(fault.QuotaExceeded, "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")
		}
		id := fmt.Sprintf("v%d", p.NextVersion)
		p.Versions = append(slices.Clone(p.Versions), identity.PolicyVersion{ID: id, Document: *in.PolicyDocument, CreatedAt: call.Now})
		p.NextVersion++
		if *made.IsDefaultVersion {
			p.Default = id
		}
		p.UpdatedAt, made.VersionId = call.Now, &id
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreatePolicyVersionResponse{PolicyVersion: &made}, nil
}

func (a *API) getPolicyVersion(_ context.Context, call *gateway.Call, in *iam.GetPolicyVersionRequest) (*iam.GetPolicyVersionResponse, error) {
	p, err := findPolicy(a.store.View(), call, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	n, err := versionOf(p, *in.VersionId)
	if err != nil {
		return nil, err
	}
	shown := showVersion(p, n)
	shown.Document = encoded(p.Versions[n].Document)
	return &iam.GetPolicyVersionResponse{PolicyVersion: &shown}, nil
}

func showVersion(p *identity.ManagedPolicy, n int) iam.PolicyVersion {
	v := &p.Versions[n]
	return iam.PolicyVersion{VersionId: &v.ID, IsDefaultVersion: new(v.ID == p.Default), CreateDate: at(v.CreatedAt)}
}

// listPolicyVersions shows the newest version first.
func (a *API) listPolicyVersions(_ context.Context, call *gateway.Call, in *iam.ListPolicyVersionsRequest) (*iam.ListPolicyVersionsResponse, error) {
	p, err := findPolicy(a.store.View(), call, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	places := make([]int, len(p.Versions))
	for i := range places {
		places[i] = len(places) - 1 - i
	}
	list, more, next, err := listed(in.Marker, in.MaxItems, places, func(n int) string { return fmt.Sprintf("%d", len(places)-n) })
	return &iam.ListPolicyVersionsResponse{Versions: member.Each(list, func(n *int) iam.PolicyVersion { return showVersion(p, *n) }), IsTruncated: more, Marker: next}, err
}

func (a *API) setDefaultPolicyVersion(ctx context.Context, call *gateway.Call, in *iam.SetDefaultPolicyVersionRequest) (*wire.Empty, error) {
	return a.changePolicy(ctx, call, *in.PolicyArn, func(_ *store.Tx, p *identity.ManagedPolicy) error {
		if _, err := versionOf(p, *in.VersionId); err != nil {
			return err
		}
		p.Default, p.UpdatedAt = *in.VersionId, call.Now
		return nil
	})
}

func (a *API) deletePolicyVersion(ctx context.Context, call *gateway.Call, in *iam.DeletePolicyVersionRequest) (*wire.Empty, error) {
	return a.changePolicy(ctx, call, *in.PolicyArn, func(_ *store.Tx, p *identity.ManagedPolicy) error {
		n, err := versionOf(p, *in.VersionId)
		if err != nil {
			return err
		}
		if p.Versions[n].ID == p.Default {
			return inUse("Cannot delete the default version of a policy.")
		}
		p.Versions, p.UpdatedAt = slices.Delete(slices.Clone(p.Versions), n, n+1), call.Now
		return nil
	})
}

// policyKey orders policies by name; one of AWS may have the name of one's own.
func policyKey(p *identity.ManagedPolicy) string { return strings.ToLower(p.Name) + " " + p.ARN }

func byName(a, b *identity.ManagedPolicy) int { return strings.Compare(policyKey(a), policyKey(b)) }
