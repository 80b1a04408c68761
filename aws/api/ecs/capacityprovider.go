package ecs

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func providerNotFound() *fault.Fault {
	return invalid("The specified capacity provider does not exist. Specify a valid name or ARN and try again.").
		WithHint("`aws ecs describe-capacity-providers` lists those there are")
}

// fargateProvider is one of the providers that every account has.
func fargateProvider(scope arn.Scope, name string) *cluster.CapacityProvider {
	return &cluster.CapacityProvider{Scope: scope, ARN: scope.CapacityProvider(name), Name: name, Kind: cluster.ProviderKind(name), Status: cluster.Active}
}

// findProvider finds a capacity provider by name or ARN, those deleted included.
func findProvider(r store.Reader, scope arn.Scope, ref string) (*cluster.CapacityProvider, bool) {
	name := providerName(ref)
	if arn.IsARN(ref) && ref != scope.CapacityProvider(name) {
		return nil, false
	}
	if cluster.IsFargate(name) {
		return fargateProvider(scope, name), true
	}
	return store.CapacityProviders.Get(r, scope.CapacityProvider(name))
}

// providerName is the short name of a capacity provider.
func providerName(ref string) string {
	if a, err := arn.Parse(ref); err == nil && a.Kind() == "capacity-provider" {
		return a.Name()
	}
	return ref
}

func (a *API) createCapacityProvider(ctx context.Context, call *gateway.Call, in *ecs.CreateCapacityProviderRequest) (*ecs.CreateCapacityProviderResponse, error) {
	next, err := readProvider(call, in)
	if err != nil {
		return nil, err
	}
	next.ScalingID, next.DrainingID = a.uuid(), a.uuid()
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		if have, ok := store.CapacityProviders.Get(tx, next.ARN); ok && have.Status == cluster.Active {
			return client("The specified capacity provider already exists. To change its configuration, update the capacity provider.")
		}
		if err := checkGroupFree(tx, next); err != nil {
			return err
		}
		if next.Kind == cluster.ManagedInstancesProvider {
			if err := joinCluster(tx, call, next, in.Cluster); err != nil {
				return err
			}
		}
		store.CapacityProviders.Put(tx, next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateCapacityProviderResponse{CapacityProvider: new(showProvider(next, true))}, nil
}

// checkGroupFree makes sure that no other provider has the Auto Scaling group.
func checkGroupFree(r store.Reader, p *cluster.CapacityProvider) error {
	if p.AutoScaling == nil {
		return nil
	}
	for other := range store.CapacityProviders.Prefix(r, p.Scope.CapacityProvider("")) {
		if other.Status == cluster.Active && other.AutoScaling != nil && other.AutoScaling.Group == p.AutoScaling.Group {
			return client("The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling group ARN and try again.").
				WithHint("%s uses it", other.Name)
		}
	}
	return nil
}

// joinCluster makes managed instances available in their cluster.
func joinCluster(tx *store.Tx, call *gateway.Call, p *cluster.CapacityProvider, ref *string) error {
	have, err := activeCluster(tx, call.Scope, ref)
	if err != nil {
		return err
	}
	p.ClusterARN = have.ARN
	next := *have
	next.CapacityProviders = append(slices.Clone(have.CapacityProviders), p.Name)
	if err := checkProviderCount(next.CapacityProviders); err != nil {
		return err
	}
	store.Clusters.Put(tx, &next)
	return nil
}

func (a *API) updateCapacityProvider(ctx context.Context, call *gateway.Call, in *ecs.UpdateCapacityProviderRequest) (*ecs.UpdateCapacityProviderResponse, error) {
	var next cluster.CapacityProvider
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := ownProvider(tx, call, member.Value(in.Name), in.Cluster, "updated")
		if err != nil {
			return err
		}
		next = *have
		if err := changeProvider(&next, in); err != nil {
			return err
		}
		next.UpdateStatus, next.UpdateStatusReason = cluster.ProviderUpdated, ""
		store.CapacityProviders.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateCapacityProviderResponse{CapacityProvider: new(showProvider(&next, true))}, nil
}

// ownProvider finds a living provider of the account's own making. done is what
// nobody does to Fargate's.
func ownProvider(r store.Reader, call *gateway.Call, ref string, of *string, done string) (*cluster.CapacityProvider, error) {
	if cluster.IsFargate(providerName(ref)) {
		return nil, client("The specified capacity provider is reserved and cannot be %s.", done)
	}
	p, ok := findProvider(r, call.Scope, ref)
	switch {
	case !ok || p.Status != cluster.Active:
		return nil, providerNotFound()
	case p.ClusterARN != "" && member.Value(of) == "":
		return nil, client("The cluster of a managed instances capacity provider must be specified.")
	case member.Value(of) == "":
		return p, nil
	}
	c, err := findCluster(r, call.Scope, of)
	if err == nil && !slices.Contains(c.CapacityProviders, p.Name) {
		err = providerNotFound()
	}
	return p, err
}

// deleteCapacityProvider answers as AWS does: the deletion of a provider that a
// cluster has is begun, and fails.
func (a *API) deleteCapacityProvider(ctx context.Context, call *gateway.Call, in *ecs.DeleteCapacityProviderRequest) (*ecs.DeleteCapacityProviderResponse, error) {
	var next cluster.CapacityProvider
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := ownProvider(tx, call, member.Value(in.CapacityProvider), in.Cluster, "deleted")
		if err != nil {
			return err
		}
		next = *have
		if next.UpdateStatusReason, err = keptBy(tx, have); err != nil {
			return err
		}
		if next.UpdateStatusReason != "" {
			next.UpdateStatus = cluster.ProviderDeletionFailed
			store.CapacityProviders.Put(tx, &next)
			return nil
		}
		leaveCluster(tx, have)
		gone := next
		gone.Status, gone.UpdateStatus = cluster.Inactive, cluster.ProviderDeleted
		store.CapacityProviders.Put(tx, &gone)
		next.UpdateStatus = cluster.ProviderDeleting
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteCapacityProviderResponse{CapacityProvider: new(showProvider(&next, true))}, nil
}

// keptBy says which cluster keeps a provider from being deleted; managed
// instances leave theirs with the deletion, unless tasks use them.
func keptBy(r store.Reader, p *cluster.CapacityProvider) (string, error) {
	for c := range store.Clusters.Prefix(r, p.Scope.Cluster("")) {
		switch {
		case c.Status != cluster.Active || !slices.Contains(c.CapacityProviders, p.Name):
		case p.ClusterARN == "":
			return "The capacity provider cannot be deleted because it is associated with cluster: " + c.Name + ". Remove the capacity provider from the cluster and try again.", nil
		case providerInUse(r, c, p.Name):
			return "", client("The specified capacity provider is in use and cannot be deleted.")
		}
	}
	return "", nil
}

func leaveCluster(tx *store.Tx, p *cluster.CapacityProvider) {
	c, ok := store.Clusters.Get(tx, p.ClusterARN)
	if !ok {
		return
	}
	next := *c
	next.CapacityProviders = slices.DeleteFunc(slices.Clone(c.CapacityProviders), func(name string) bool { return name == p.Name })
	next.DefaultStrategy = slices.DeleteFunc(slices.Clone(c.DefaultStrategy), func(s cluster.CapacityProviderStrategyItem) bool { return s.Provider == p.Name })
	store.Clusters.Put(tx, &next)
	adopt(tx, &next)
}
