package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
)

// EdgePath is where the namespace of an interface is bound that is no task's: a load
// balancer's or an endpoint's. It is there from when the state names the interface until it no longer does, and outlives agents. Inside, loopback is up and
// eth0 has address and default route, as in a task; all else is its server's to set.
func EdgePath(runDir, interfaceID string) string { return filepath.Join(runDir, "edge", interfaceID) }

// edgesOf are the ends of a state that get a namespace which others serve in.
func edgesOf(s *network.State) []*network.End {
	var all []*network.End
	for i := range s.Ends {
		switch s.Ends[i].Kind {
		case network.ForBalancer, network.ForEndpoint:
			all = append(all, &s.Ends[i])
		}
	}
	return all
}

// serveEdges makes the namespaces that are missing in the router's VPC and removes
// those that no end has any more.
func (n *Network) serveEdges(ctx context.Context, r *Router, ends []*network.End) error {
	var errs []error
	for _, a := range n.edgesIn(r.VPC) {
		w := &a.Wires[0]
		if !slices.ContainsFunc(ends, func(e *network.End) bool { return e.InterfaceID == a.Edge && e.Address == w.Address && e.MAC == w.MAC }) {
			errs = append(errs, n.dropEdge(a))
		}
	}
	for _, e := range ends {
		errs = append(errs, n.makeEdge(r, e))
	}
	return errors.Join(errs...)
}

func (n *Network) edgesIn(vpc string) []*attachment {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*attachment
	for _, a := range n.edges {
		if a.VPC == vpc {
			all = append(all, a)
		}
	}
	return all
}

func (n *Network) makeEdge(r *Router, e *network.End) error {
	n.mu.Lock()
	_, have := n.edges[e.InterfaceID]
	n.mu.Unlock()
	if have {
		return nil
	}
	if filepath.Base(e.InterfaceID) != e.InterfaceID || !filepath.IsLocal(e.InterfaceID) {
		return fmt.Errorf("%q is no id of an interface", e.InterfaceID)
	}
	a := &attachment{Edge: e.InterfaceID, Interface: e.InterfaceID, Mode: workload.AWSVPC, VPC: r.VPC, Range: r.Range, router: r}
	a.Wires = []wire{{Link: newLink(), Edge: e.InterfaceID, Address: e.Address, MAC: e.MAC}}
	err := space.Remove(EdgePath(n.cfg.RunDir, e.InterfaceID)) // what a set-up left that was not finished
	if err == nil {
		err = n.connect(a, &a.Wires[0])
	}
	if err == nil {
		err = n.save(a)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("make the namespace of %s: %w", e.InterfaceID, err), n.dismantle(a))
	}
	n.mu.Lock()
	n.edges[e.InterfaceID] = a
	n.mu.Unlock()
	return nil
}

func (n *Network) dropEdge(a *attachment) error {
	n.mu.Lock()
	delete(n.edges, a.Edge)
	n.mu.Unlock()
	return n.dismantle(a)
}

// adoptEdges takes up the namespaces of an earlier agent. One that is broken is made
// anew by the state.
func (n *Network) adoptEdges(known map[string]bool) error {
	return eachRecord(n, "end", func(path string, a *attachment) error {
		if len(a.Wires) != 1 || a.Edge == "" {
			return os.Remove(path)
		}
		if err := n.adoptTask(a); err != nil {
			n.log.Warn("a namespace is gone and will be made anew", "interface", a.Edge, "err", err)
			return errors.Join(n.dismantle(a), ignoreMissing(os.Remove(path)))
		}
		known[a.Wires[0].Link], known[a.Edge] = true, true
		n.edges[a.Edge] = a
		return nil
	})
}
