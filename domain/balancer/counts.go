package balancer

import (
	"time"

	"github.com/berthhq/berth/domain/metric"
)

// Count is what an edge measured of a balancer or target group within one minute.
type Count struct {
	BalancerARN string
	GroupARN    string // empty for the balancer's own
	Zone        string // empty where it is not told by zone
	Name        string // of the metric: RequestCount, HealthyHostCount, ...
	Unit        string
	At          time.Time
	Set         metric.Set
}

// Lines are a part of a node's log, one object of the bucket it is kept in.
type Lines struct {
	Log         Log // empty for AccessLog
	BalancerARN string
	Address     string // of the node
	Until       time.Time
	Name        string // random, so that no two objects have one name
	Text        []byte // whole lines, compressed by gzip
}

// Use is when a target group last had requests, to the minute.
type Use struct {
	GroupARN string // primary key
	At       time.Time
}
