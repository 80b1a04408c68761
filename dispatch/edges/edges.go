// Package edges is the control plane's side of edges, the processes that carry load
// balancers: snapshots of what they must know go down by long polls; the health of
// targets, datapoints and access logs come up. An edge is told, and believed, only
// about the balancers that have nodes on its host.
package edges

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// Paths that edges call, signed with the keys of their instance.
const (
	SnapshotPath = "/_berth/edge/snapshot" // GET ?after=REVISION
	ReportPath   = "/_berth/edge/report"   // POST balancer.EdgeReport
	CountsPath   = "/_berth/edge/counts"   // POST []balancer.Count
	LinesPath    = "/_berth/edge/lines"    // POST balancer.Lines
)

// Config is what Edges need.
type Config struct {
	Store store.Store
	Log   *slog.Logger
	Now   func() time.Time // nil for time.Now
	// Unseal opens the secrets of a snapshot in place, and leaves alone what it shares
	// with the store.
	Unseal func(v *store.View, s *balancer.Snapshot)
	// Measure keeps datapoints.
	Measure func(scope arn.Scope, data []metric.Datum) error
	// Keep puts a part of an access log where its balancer wants it.
	Keep func(ctx context.Context, b *balancer.Balancer, l *balancer.Lines) error
}

// Edges serves the edges of one server.
type Edges struct {
	Config

	mu    sync.Mutex
	known map[string]*known // by instance ARN
}

// New makes Edges. Functions that are nil do nothing.
func New(c Config) *Edges {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Edges{Config: c, known: map[string]*known{}}
}

// admit finds the instance whose agent's keys the caller has. Keys that were not got
// by joining are not enough: snapshots have the private keys of certificates.
func (e *Edges) admit(who identity.Principal) (*cluster.Instance, error) {
	i, ok := store.Instances.Get(e.Store.View(), who.InstanceARN)
	if !ok || !who.Agent || !i.SpokenForBy(who) {
		return nil, fault.New(fault.AccessDenied, "These credentials do not belong to an instance that runs an edge.")
	}
	if runs, _ := i.Attribute(acs.AttributeEdge); runs != "true" {
		return nil, fault.New(fault.AccessDenied, "Instance %s did not say that it runs an edge.", i.ARN).WithHint("start its agent with --edge")
	}
	return i, nil
}
