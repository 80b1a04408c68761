package ecs

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/linked"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func (a *API) createCluster(ctx context.Context, call *gateway.Call, in *ecs.CreateClusterRequest) (*ecs.CreateClusterResponse, error) {
	next, err := readCluster(call, in)
	if err != nil {
		return nil, err
	}
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Clusters.Get(tx, next.ARN)
		if ok && have.Status == cluster.Active {
			if !sameCluster(have, in) {
				return invalid("Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
			}
			next = have
			return nil
		}
		if err := associate(tx, next, in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
			return err
		}
		if in.ServiceConnectDefaults != nil {
			if next.ServiceConnectNamespace, err = a.defaultNamespace(tx, call, in.ServiceConnectDefaults); err != nil {
				return err
			}
		}
		if in.Settings == nil {
			next.Settings = []workload.KeyValue{{Name: "containerInsights", Value: setting(tx, call, "containerInsights")}}
		}
		store.Clusters.Put(tx, next)
		return store.EnsureLinkedRole(tx, call.Scope, linked.ECS, call.Now)
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateClusterResponse{Cluster: showCluster(v, next, everything())}, nil
}

func readCluster(call *gateway.Call, in *ecs.CreateClusterRequest) (*cluster.Cluster, error) {
	name := member.Value(in.ClusterName)
	if in.ClusterName == nil {
		name = defaultCluster
	}
	if err := checkClusterName(name); err != nil {
		return nil, err
	}
	c := &cluster.Cluster{
		Scope: call.Scope, ARN: call.Scope.Cluster(name), Name: name, Status: cluster.Active, CreatedAt: call.Now,
	}
	var err error
	if c.Tags, err = readTags(in.Tags); err != nil {
		return nil, err
	}
	if c.Settings, err = readClusterSettings(in.Settings); err != nil {
		return nil, err
	}
	if c.Configuration, err = readClusterConfiguration(in.Configuration); err != nil {
		return nil, err
	}
	return c, nil
}

func checkClusterName(name string) error {
	switch {
	case name == "":
		return invalid("Cluster name should not be null or empty.")
	case len(name) > 255:
		return invalid("Cluster name can have at most 255 characters.")
	case !isName(name):
		return invalid("Cluster name contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.")
	}
	return nil
}

// isName tells whether s consists of letters, digits, hyphens and underscores.
func isName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// sameCluster tells whether a repeated CreateCluster asks for what is there:
// what it does not say is the same.
func sameCluster(have *cluster.Cluster, in *ecs.CreateClusterRequest) bool {
	settings, err := readClusterSettings(in.Settings)
	if err != nil {
		return false
	}
	providers := member.Each(in.CapacityProviders, func(ref *string) string { return providerName(*ref) })
	strategy, err := readStrategy(in.DefaultCapacityProviderStrategy, have.CapacityProviders)
	return err == nil && (in.Settings == nil || slices.Equal(have.Settings, settings)) &&
		(in.CapacityProviders == nil || slices.Equal(have.CapacityProviders, providers)) &&
		(in.DefaultCapacityProviderStrategy == nil || slices.Equal(have.DefaultStrategy, strategy))
}

func (a *API) describeClusters(_ context.Context, call *gateway.Call, in *ecs.DescribeClustersRequest) (*ecs.DescribeClustersResponse, error) {
	v, refs := a.store.View(), in.Clusters
	if len(refs) == 0 {
		refs = []string{defaultCluster}
	}
	if len(refs) > maxBatch {
		return nil, invalid("clusters can have at most %d items.", maxBatch)
	}
	out := &ecs.DescribeClustersResponse{Clusters: []ecs.Cluster{}, Failures: []ecs.Failure{}}
	for _, ref := range refs {
		c, err := findCluster(v, call.Scope, &ref)
		if err != nil {
			out.Failures = append(out.Failures, failure(clusterARN(call.Scope, ref), reasonMissing, ""))
			continue
		}
		out.Clusters = append(out.Clusters, *showCluster(v, c, in.Include))
	}
	return out, nil
}

func (a *API) listClusters(_ context.Context, call *gateway.Call, in *ecs.ListClustersRequest) (*ecs.ListClustersResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	prefix := call.Scope.Cluster("")
	following := filter(store.Clusters.Prefix(a.store.View(), prefix), func(c *cluster.Cluster) bool {
		return c.ARN > page.after.Key && c.Status == cluster.Active
	})
	found, next := fill(page, following, func(c *cluster.Cluster) cursor { return cursor{Key: c.ARN} })
	return &ecs.ListClustersResponse{ClusterArns: member.Each(found, func(c **cluster.Cluster) string { return (*c).ARN }), NextToken: next}, nil
}

func (a *API) updateCluster(ctx context.Context, call *gateway.Call, in *ecs.UpdateClusterRequest) (*ecs.UpdateClusterResponse, error) {
	settings, err := readClusterSettings(in.Settings)
	if err != nil {
		return nil, err
	}
	configuration, err := readClusterConfiguration(in.Configuration)
	if err != nil {
		return nil, err
	}
	shown, err := a.changeCluster(ctx, call, in.Cluster, func(tx *store.Tx, c *cluster.Cluster) (err error) {
		c.Settings = mergeSettings(c.Settings, settings)
		if configuration != nil {
			c.Configuration = configuration
		}
		if in.ServiceConnectDefaults != nil {
			c.ServiceConnectNamespace, err = a.defaultNamespace(tx, call, in.ServiceConnectDefaults)
		}
		return err
	})
	return &ecs.UpdateClusterResponse{Cluster: shown}, err
}

func (a *API) updateClusterSettings(ctx context.Context, call *gateway.Call, in *ecs.UpdateClusterSettingsRequest) (*ecs.UpdateClusterSettingsResponse, error) {
	if len(in.Settings) == 0 {
		return nil, invalid("Settings can not be empty.")
	}
	settings, err := readClusterSettings(in.Settings)
	if err != nil {
		return nil, err
	}
	shown, err := a.changeCluster(ctx, call, in.Cluster, func(_ *store.Tx, c *cluster.Cluster) error {
		c.Settings = mergeSettings(c.Settings, settings)
		return nil
	})
	return &ecs.UpdateClusterSettingsResponse{Cluster: shown}, err
}

func (a *API) putClusterCapacityProviders(ctx context.Context, call *gateway.Call, in *ecs.PutClusterCapacityProvidersRequest) (*ecs.PutClusterCapacityProvidersResponse, error) {
	shown, err := a.changeCluster(ctx, call, in.Cluster, func(tx *store.Tx, c *cluster.Cluster) error {
		return associate(tx, c, in.CapacityProviders, in.DefaultCapacityProviderStrategy)
	})
	return &ecs.PutClusterCapacityProvidersResponse{Cluster: shown}, err
}

// changeCluster changes a copy of an active cluster and shows it whole.
func (a *API) changeCluster(ctx context.Context, call *gateway.Call, ref *string, change func(*store.Tx, *cluster.Cluster) error) (*ecs.Cluster, error) {
	var next cluster.Cluster
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := activeCluster(tx, call.Scope, ref)
		if err != nil {
			return err
		}
		next = *have
		if err := change(tx, &next); err != nil {
			return err
		}
		store.Clusters.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return showCluster(v, &next, everything()), nil
}

func (a *API) deleteCluster(ctx context.Context, call *gateway.Call, in *ecs.DeleteClusterRequest) (*ecs.DeleteClusterResponse, error) {
	var next cluster.Cluster
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findCluster(tx, call.Scope, in.Cluster)
		if err != nil {
			return err
		}
		next = *have
		if err := checkEmpty(tx, have); err != nil {
			return err
		}
		next.Status = cluster.Inactive
		store.Clusters.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteClusterResponse{Cluster: showCluster(v, &next, everything())}, nil
}

func checkEmpty(r store.Reader, c *cluster.Cluster) error {
	for i := range store.Instances.By(r, store.InstancesByCluster, c.ARN) {
		if i.OffersEC2 && i.DeregisteredAt.IsZero() {
			return fault.New(fault.ClusterContainsContainerInstances, "The Cluster cannot be deleted while Container Instances are active or draining.")
		}
	}
	for _, name := range c.CapacityProviders {
		if p, ok := findProvider(r, c.Scope, name); ok && p.ClusterARN == c.ARN {
			return fault.New(fault.ClusterContainsCapacityProvider, "The Cluster cannot be deleted while Cluster Scoped Capacity Providers are attached to the cluster.")
		}
	}
	for s := range store.Services.By(r, store.ServicesByCluster, c.ARN) {
		if s.Status != service.Inactive {
			return fault.New(fault.ClusterContainsServices, "The Cluster cannot be deleted while Services are active.")
		}
	}
	if store.Tasks.Has(r, store.TasksByCluster, store.ClusterTasks(c.ARN, task.Running)) {
		return fault.New(fault.ClusterContainsTasks, "The Cluster cannot be deleted while Tasks are active.")
	}
	for t := range store.Tasks.By(r, store.TasksByCluster, store.ClusterTasks(c.ARN, task.Stopped)) {
		if t.LastStatus() != task.Stopped {
			return fault.New(fault.ClusterContainsTasks, "The Cluster cannot be deleted while Tasks are active.")
		}
	}
	return nil
}
