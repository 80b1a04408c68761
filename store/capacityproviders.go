package store

import "github.com/berthhq/berth/domain/cluster"

// CapacityProviders by ARN. Those of Fargate, which every account has, are not
// kept.
var CapacityProviders = &Table[cluster.CapacityProvider]{
	ID: capacityProviders, Noun: "capacityprovider", Schema: 1,
	Primary: func(p *cluster.CapacityProvider) string { return p.ARN },
}
