package ecs

import (
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// Limits of a strategy.
const (
	maxProviders     = 20
	maxStrategyItems = 20
	maxWeight        = 1000
	maxBase          = 100000
)

// associate gives a cluster the capacity providers and the default strategy of a
// call. Managed instances stay: they belong to their cluster as long as they are.
func associate(tx *store.Tx, c *cluster.Cluster, refs []string, strategy []ecs.CapacityProviderStrategyItem) error {
	providers, err := readProviders(tx, c, refs)
	if err != nil {
		return err
	}
	for _, name := range c.CapacityProviders {
		p, ok := findProvider(tx, c.Scope, name)
		switch {
		case slices.Contains(providers, name):
		case ok && p.ClusterARN == c.ARN:
			providers = append(providers, name)
		case providerInUse(tx, c, name):
			return fault.New(fault.ResourceInUse, "The specified capacity provider is in use and cannot be removed.").
				WithHint("tasks or services of cluster %s still use %s", c.Name, name)
		}
	}
	if err := checkProviderCount(providers); err != nil {
		return err
	}
	c.CapacityProviders = providers
	if c.DefaultStrategy, err = readStrategy(strategy, providers); err != nil {
		return err
	}
	adopt(tx, c)
	return nil
}

func checkProviderCount(providers []string) error {
	if len(providers) > maxProviders {
		return invalid("capacityProviders can have at most %d items.", maxProviders)
	}
	return nil
}

// readProviders checks the providers that a cluster is to have.
func readProviders(r store.Reader, c *cluster.Cluster, refs []string) ([]string, error) {
	var names []string
	for _, ref := range refs {
		p, ok := findProvider(r, c.Scope, ref)
		switch {
		case !ok || p.Status != cluster.Active || p.ClusterARN != "" && p.ClusterARN != c.ARN:
			return nil, providerNotFound()
		case slices.Contains(names, p.Name):
			return nil, invalid("The capacity provider '%s' is specified more than once.", p.Name)
		case p.AutoScaling != nil && elsewhere(r, c, p.Name):
			return nil, invalid("The capacity provider '%s' is already associated with another cluster.", p.Name)
		}
		names = append(names, p.Name)
	}
	return names, nil
}

// elsewhere tells whether another cluster has the provider.
func elsewhere(r store.Reader, c *cluster.Cluster, provider string) bool {
	for other := range store.Clusters.Prefix(r, c.Scope.Cluster("")) {
		if other.ARN != c.ARN && other.Status == cluster.Active && slices.Contains(other.CapacityProviders, provider) {
			return true
		}
	}
	return false
}

// providerInUse tells whether tasks of the cluster came by the provider, or a
// service's will.
func providerInUse(r store.Reader, c *cluster.Cluster, provider string) bool {
	for s := range store.Services.By(r, store.ServicesByCluster, c.ARN) {
		if s.Status != service.Inactive && slices.ContainsFunc(s.Spec.Template.Providers, func(i cluster.CapacityProviderStrategyItem) bool { return i.Provider == provider }) {
			return true
		}
	}
	for t := range store.Tasks.By(r, store.TasksByCluster, store.ClusterTasks(c.ARN, task.Running)) {
		if t.Spec.CapacityProvider == provider {
			return true
		}
	}
	return false
}

// adopt makes each instance of the cluster belong to the provider that its agent
// names, as long as the cluster has it.
func adopt(tx *store.Tx, c *cluster.Cluster) {
	for _, i := range slices.Collect(store.Instances.By(tx, store.InstancesByCluster, c.ARN)) {
		if provider := providerOf(c, i); provider != i.CapacityProvider && i.DeregisteredAt.IsZero() {
			next := *i
			next.CapacityProvider = provider
			next.Version++
			store.Instances.Put(tx, &next)
		}
	}
}

// providerOf is the capacity provider an instance belongs to; empty when it names
// none, or one that its cluster has not.
func providerOf(c *cluster.Cluster, i *cluster.Instance) string {
	name, _ := i.Attribute(acs.AttributeCapacityProvider)
	if cluster.IsFargate(name) || !slices.Contains(c.CapacityProviders, name) {
		return ""
	}
	return name
}

// readStrategy checks a capacity provider strategy against the providers of its
// cluster. It is of one kind: see cluster.StrategyLaunchType.
func readStrategy(in []ecs.CapacityProviderStrategyItem, providers []string) ([]cluster.CapacityProviderStrategyItem, error) {
	if len(in) > maxStrategyItems {
		return nil, invalid("capacityProviderStrategy can have at most %d items.", maxStrategyItems)
	}
	var out []cluster.CapacityProviderStrategyItem
	bases, weight := 0, 0
	for _, s := range in {
		item := cluster.CapacityProviderStrategyItem{Provider: providerName(member.Value(s.CapacityProvider)), Weight: int(member.Value(s.Weight)), Base: int(member.Value(s.Base))}
		if err := checkStrategyItem(item, providers); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(x cluster.CapacityProviderStrategyItem) bool { return x.Provider == item.Provider }) {
			return nil, invalid("The capacity provider '%s' is specified more than once.", item.Provider)
		}
		if item.Base > 0 {
			bases++
		}
		weight += item.Weight
		out = append(out, item)
	}
	switch {
	case len(out) == 0:
		return nil, nil
	case bases > 1:
		return nil, invalid("The specified capacity provider strategy contains multiple capacity providers with a base value defined. Only one capacity provider can have a base value.")
	case len(out) > 1 && weight == 0:
		return nil, invalid("There are no capacity providers in the capacity provider strategy with a weight value greater than zero.")
	}
	_, err := cluster.StrategyLaunchType(out)
	return out, err
}

func checkStrategyItem(s cluster.CapacityProviderStrategyItem, providers []string) error {
	switch {
	case !slices.Contains(providers, s.Provider):
		return invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.")
	case s.Weight < 0 || s.Weight > maxWeight:
		return invalid("weight should be between 0 and %d", maxWeight)
	case s.Base < 0 || s.Base > maxBase:
		return invalid("base should be between 0 and %d", maxBase)
	}
	return nil
}

func showStrategyItem(s *cluster.CapacityProviderStrategyItem) ecs.CapacityProviderStrategyItem {
	return ecs.CapacityProviderStrategyItem{CapacityProvider: &s.Provider, Weight: int32Of(s.Weight), Base: int32Of(s.Base)}
}
