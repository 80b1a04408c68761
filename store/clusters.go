package store

import "github.com/berthhq/berth/domain/cluster"

// Clusters by ARN.
var Clusters = &Table[cluster.Cluster]{
	ID: clusters, Noun: "cluster", Schema: 1,
	Primary: func(c *cluster.Cluster) string { return c.ARN },
}
