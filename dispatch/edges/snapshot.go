package edges

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/store"
)

const (
	// held is how long a poll waits for something new; clients give up after a minute.
	held = 45 * time.Second
	// restShare keeps the making of snapshots from taking the machine: after one of a
	// millisecond an edge waits for two.
	restShare = 2
)

// known is the newest snapshot that was made for an edge.
type known struct {
	at       store.Revision // of the view it was made from
	digest   [sha256.Size]byte
	snapshot *balancer.Snapshot
	owners   map[string]bool // balancers
	targets  map[string]bool // keys
}

// ServeSnapshot answers with the snapshot once it is another than the one after which
// the caller asks, or with null when there is none for a while.
func (e *Edges) ServeSnapshot(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	i, err := e.admit(who)
	if err != nil {
		writeFault(w, err)
		return
	}
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		writeFault(w, fault.New(fault.InvalidParameter, "after is not a revision."))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), held)
	defer cancel()
	writeJSON(w, e.wait(ctx, i.ARN, after))
}

// wait returns nil when nothing new came in time.
func (e *Edges) wait(ctx context.Context, edge string, after int64) *balancer.Snapshot {
	v, watch := e.Store.Watch(topics()...)
	defer watch.Close()
	for {
		began := time.Now()
		k := e.look(v, edge)
		if k.snapshot.Revision != after {
			return e.unsealed(v, k.snapshot)
		}
		rest := time.NewTimer(restShare * time.Since(began))
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
			return nil
		}
		select {
		case <-watch.Ready():
			watch.Take()
			v = e.Store.View()
		case <-ctx.Done():
			return nil
		}
	}
}

// topics are what a snapshot is made of.
func topics() []store.Topic {
	var all []store.Topic
	for _, d := range []store.Descriptor{
		store.Interfaces, store.Instances, store.Balancers, store.Listeners, store.ListenerRules, store.TargetGroups, store.Targets,
		store.Certificates, store.TrustStores, store.Endpoints, store.EndpointServices, store.Services,
	} {
		all = append(all, store.TopicOf(d))
	}
	return all
}

// look makes the snapshot of now. One that says what the last one said has its
// revision, so that an edge is not told twice.
func (e *Edges) look(v *store.View, edge string) *known {
	s := road.SnapshotOf(v, edge)
	k := &known{at: v.Revision(), digest: digest(s), snapshot: s, owners: map[string]bool{}, targets: map[string]bool{}}
	for _, f := range s.Fronts {
		k.owners[f.Balancer.ARN] = true
	}
	for _, p := range s.Pools {
		for _, t := range p.Targets {
			k.targets[t.Key] = true
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if have := e.known[edge]; have != nil {
		if have.at > k.at { // another poll was faster
			return have
		}
		if have.digest == k.digest {
			s.Revision = have.snapshot.Revision
		}
	}
	e.known[edge] = k
	return k
}

// digest is of what a snapshot says, not of when and of whom it was heard.
func digest(s *balancer.Snapshot) [sha256.Size]byte {
	said := *s
	said.Revision = 0
	said.Pools = slices.Clone(s.Pools)
	for n := range said.Pools {
		said.Pools[n].Targets = slices.Clone(said.Pools[n].Targets)
		for m := range said.Pools[n].Targets {
			said.Pools[n].Targets[m].Seen = ""
		}
	}
	text, err := json.Marshal(&said)
	if err != nil {
		panic(err) // there is nothing in it that JSON cannot say
	}
	return sha256.Sum256(text)
}

// unsealed is a copy with secrets in the clear.
func (e *Edges) unsealed(v *store.View, s *balancer.Snapshot) *balancer.Snapshot {
	out := *s
	if e.Unseal != nil {
		e.Unseal(v, &out)
	}
	return &out
}

// of is what an edge was told last.
func (e *Edges) of(edge string) *known {
	e.mu.Lock()
	k := e.known[edge]
	e.mu.Unlock()
	if k == nil {
		k = e.look(e.Store.View(), edge)
	}
	return k
}
