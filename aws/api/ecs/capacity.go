package ecs

import (
	"slices"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
)

// Limits of a strategy.
const (
	maxProviders     = 20
	maxStrategyItems = 20
	maxWeight        = 1000
	maxBase          = 100000
)

func checkCapacityProviders(names []string) error {
	if len(names) > maxProviders {
		return invalid("capacityProviders can have at most %d items.", maxProviders)
	}
	for i, name := range names {
		if !cluster.IsFargate(name) {
			return invalid("The specified capacity provider does not exist. Specify a valid name or ARN and try again.").
				WithHint("berth has FARGATE and FARGATE_SPOT; capacity providers over Auto Scaling groups are not supported yet")
		}
		if slices.Contains(names[:i], name) {
			return invalid("The capacity provider '%s' is specified more than once.", name)
		}
	}
	return nil
}

// readStrategy checks a capacity provider strategy against the providers of its
// cluster.
func readStrategy(in []ecs.CapacityProviderStrategyItem, providers []string) ([]cluster.CapacityProviderStrategyItem, error) {
	if len(in) > maxStrategyItems {
		return nil, invalid("capacityProviderStrategy can have at most %d items.", maxStrategyItems)
	}
	var out []cluster.CapacityProviderStrategyItem
	bases, weight := 0, 0
	for _, s := range in {
		item := cluster.CapacityProviderStrategyItem{Provider: deref(s.CapacityProvider), Weight: int(deref(s.Weight)), Base: int(deref(s.Base))}
		if err := checkStrategyItem(item, providers); err != nil {
			return nil, err
		}
		if item.Base > 0 {
			bases++
		}
		weight += item.Weight
		out = append(out, item)
	}
	switch {
	case bases > 1:
		return nil, invalid("The specified capacity provider strategy contains multiple capacity providers with a base value defined. Only one capacity provider can have a base value.")
	case len(out) > 1 && weight == 0:
		return nil, invalid("There are no capacity providers in the capacity provider strategy with a weight value greater than zero.")
	}
	return out, nil
}

func checkStrategyItem(s cluster.CapacityProviderStrategyItem, providers []string) *fault.Fault {
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
