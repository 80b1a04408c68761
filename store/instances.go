package store

import "github.com/berthhq/berth/domain/cluster"

// Instances by ARN.
var Instances = &Table[cluster.Instance]{
	ID: instances, Noun: "instance", Schema: 1,
	Primary: func(i *cluster.Instance) string { return i.ARN },
	Indexes: []*Index[cluster.Instance]{InstancesByCluster, InstancesByEC2ID, InstancesByOffer, InstancesDeregistered},
}

// InstancesByCluster finds the instances of a cluster by its ARN, those that offer
// no EC2 capacity and those deregistered included.
var InstancesByCluster = &Index[cluster.Instance]{
	Key: func(i *cluster.Instance) string { return i.ClusterARN },
}

// InstancesByEC2ID finds instances by "i-...".
var InstancesByEC2ID = &Index[cluster.Instance]{
	Key: func(i *cluster.Instance) string { return i.EC2ID },
}

// Keys of InstancesByOffer.
const (
	OfferEC2     = "ec2"
	OfferFargate = "fargate"
)

// InstancesByOffer finds the registered instances with capacity of a kind, of all
// clusters.
var InstancesByOffer = &Index[cluster.Instance]{
	Keys: func(i *cluster.Instance) []string {
		var keys []string
		if !i.DeregisteredAt.IsZero() {
			return nil
		}
		if i.OffersEC2 {
			keys = append(keys, OfferEC2)
		}
		if i.OffersFargate {
			keys = append(keys, OfferFargate)
		}
		return keys
	},
}

// Deregistered is the one key of InstancesDeregistered.
const Deregistered = "deregistered"

// InstancesDeregistered orders deregistered instances, the longest gone first.
var InstancesDeregistered = &Index[cluster.Instance]{
	Key: func(i *cluster.Instance) string {
		if i.DeregisteredAt.IsZero() {
			return ""
		}
		return Deregistered
	},
	Rank: func(i *cluster.Instance) int64 { return i.DeregisteredAt.UnixNano() },
}
