package ecs

import (
	"context"
	"maps"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/store"
)

// maxProviderPage is the greatest page of capacity providers, and what one holds
// when the caller did not say.
const maxProviderPage = 10

func (a *API) describeCapacityProviders(_ context.Context, call *gateway.Call, in *ecs.DescribeCapacityProvidersRequest) (*ecs.DescribeCapacityProvidersResponse, error) {
	if len(in.CapacityProviders) > maxBatch {
		return nil, invalid("capacityProviders can have at most %d items.", maxBatch)
	}
	page, err := readPageUpTo(maxProviderPage, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	refs, err := providerRefs(v, call.Scope, in)
	if err != nil {
		return nil, err
	}
	found, next := fill(page, filter(slices.Values(refs), func(ref string) bool { return ref > page.after.Key }), func(ref string) cursor { return cursor{Key: ref} })
	out := &ecs.DescribeCapacityProvidersResponse{CapacityProviders: []ecs.CapacityProvider{}, Failures: []ecs.Failure{}, NextToken: next}
	known, err := providersOf(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	for _, ref := range found {
		p, ok := findProvider(v, call.Scope, ref)
		if !ok || !known(p) {
			out.Failures = append(out.Failures, failure(providerARN(call.Scope, ref), reasonMissing, ""))
			continue
		}
		out.CapacityProviders = append(out.CapacityProviders, showProvider(p, contains(in.Include, ecs.CapacityProviderFieldTags)))
	}
	return out, nil
}

// providerRefs are the providers to describe, sorted: those named, else all there
// are and, with a cluster, the cluster's.
func providerRefs(r store.Reader, scope arn.Scope, in *ecs.DescribeCapacityProvidersRequest) ([]string, error) {
	if len(in.CapacityProviders) > 0 {
		return slices.Compact(slices.Sorted(slices.Values(in.CapacityProviders))), nil
	}
	known, err := providersOf(r, scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, name := range []string{cluster.FargateProvider, cluster.FargateSpotProvider} {
		names[name] = known(fargateProvider(scope, name))
	}
	for p := range store.CapacityProviders.Prefix(r, scope.CapacityProvider("")) {
		names[p.Name] = p.Status == cluster.Active && known(p)
	}
	maps.DeleteFunc(names, func(_ string, shown bool) bool { return !shown })
	return slices.Sorted(maps.Keys(names)), nil
}

// providersOf tells which providers a cluster has; without one, all are meant.
func providersOf(r store.Reader, scope arn.Scope, ref *string) (func(*cluster.CapacityProvider) bool, error) {
	if member.Value(ref) == "" {
		return func(*cluster.CapacityProvider) bool { return true }, nil
	}
	c, err := findCluster(r, scope, ref)
	if err != nil {
		return nil, err
	}
	return func(p *cluster.CapacityProvider) bool { return slices.Contains(c.CapacityProviders, p.Name) }, nil
}

// providerARN is the ARN that a name means.
func providerARN(scope arn.Scope, ref string) string {
	if arn.IsARN(ref) {
		return ref
	}
	return scope.CapacityProvider(ref)
}
