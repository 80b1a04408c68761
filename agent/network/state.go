package network

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
)

// Apply makes a VPC on this host what the state says: security groups and their
// members first, at once, then namespaces that are served from outside tasks, the way
// to other hosts, and the way out. A restarted agent does so again by itself.
func (n *Network) Apply(ctx context.Context, s network.State) error {
	release, err := n.claim(ctx, "vpc "+s.VPCID)
	if err != nil {
		return err
	}
	defer release()
	if err := n.remember(&s); err != nil {
		return err
	}
	return n.bring(ctx, &s)
}

// Only empties the VPCs that are not listed.
func (n *Network) Only(ctx context.Context, vpcs []string) error {
	n.mu.Lock()
	var gone []string
	for id := range n.states {
		if !slices.Contains(vpcs, id) {
			gone = append(gone, id)
		}
	}
	n.mu.Unlock()
	var errs []error
	for _, id := range gone {
		errs = append(errs, n.Apply(ctx, network.State{VPCID: id}))
	}
	return errors.Join(errs...)
}

func (n *Network) bring(ctx context.Context, s *network.State) error {
	edges := edgesOf(s)
	n.mu.Lock()
	r := n.routers[s.VPCID]
	n.mu.Unlock()
	if r == nil && len(edges) > 0 {
		if len(s.Ranges) == 0 {
			return fmt.Errorf("the state of %s names no range", s.VPCID)
		}
		var err error
		if r, err = n.router(s.VPCID, s.Ranges[0]); err != nil {
			return err
		}
	}
	if r == nil {
		return nil // its first task brings it
	}
	if err := r.apply(s); err != nil {
		return fmt.Errorf("apply the state of %s: %w", s.VPCID, err)
	}
	return n.serveEdges(ctx, r, edges)
}

// apply takes a state over.
func (r *Router) apply(s *network.State) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ranges := r.ranges()
	r.learn(s)
	var err error
	if slices.Equal(ranges, r.ranges()) {
		err = r.settle()
	} else {
		err = errors.Join(r.table.Replace(), r.closeRanges(), r.surroundings())
	}
	return errors.Join(err, r.tunnel())
}

// learn notes a state; settle makes it true.
func (r *Router) learn(s *network.State) {
	r.state, r.toldEnds, r.toldGroups = s, map[string]*network.End{}, map[string]*network.GroupState{}
	if s == nil {
		return
	}
	for i := range s.Ends {
		r.toldEnds[s.Ends[i].InterfaceID] = &s.Ends[i]
	}
	for i := range s.Groups {
		r.toldGroups[s.Groups[i].ID] = &s.Groups[i]
	}
}

// follow gives the end the rules the state has for it. One that the state does not
// speak of, because it is older, keeps those it has.
func (r *Router) follow(e *end) {
	told := r.toldEnds[e.iface]
	if told == nil {
		return
	}
	rules := securityRules{groups: told.Groups}
	for _, id := range told.Groups {
		if g := r.toldGroups[id]; g != nil {
			rules.ingress = append(rules.ingress, plain(g.Ingress)...)
			rules.egress = append(rules.egress, plain(g.Egress)...)
		}
	}
	e.told, e.secured = told, len(told.Groups) > 0
	if !reflect.DeepEqual(e.rules, rules) {
		e.rules = rules
	}
}

func plain(rules []network.Rule) []task.Rule {
	var all []task.Rule
	for _, rule := range rules {
		p := task.Rule{Protocol: rule.Protocol, FromPort: rule.FromPort, ToPort: rule.ToPort, Group: rule.Group}
		if rule.CIDR != "" {
			p.CIDRs = []string{rule.CIDR}
		}
		all = append(all, p)
	}
	return all
}

// told tells whether the state of a VPC has the address in its ranges, of which an
// order names the first only.
func (n *Network) told(vpc string, a netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.states[vpc]
	return s != nil && slices.ContainsFunc(s.Ranges, func(p netip.Prefix) bool { return p.Contains(a) })
}

func (n *Network) statePath(vpc string) string {
	return filepath.Join(n.cfg.RunDir, "state", "v"+short(vpc)+".json")
}

// remember keeps a state for the next agent, and for a router that comes later.
func (n *Network) remember(s *network.State) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(s.Ends) == 0 {
		delete(n.states, s.VPCID)
		return ignoreMissing(os.Remove(n.statePath(s.VPCID)))
	}
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	n.states[s.VPCID] = s
	return write(n.statePath(s.VPCID), content)
}

// recall reads the states an earlier agent had.
func (n *Network) recall() error {
	return eachRecord(n, "state", func(_ string, s *network.State) error {
		n.states[s.VPCID] = s
		if r := n.routers[s.VPCID]; r != nil {
			r.learn(s)
			for _, e := range r.ends {
				r.follow(e)
			}
		}
		return nil
	})
}

// bringAll makes the states true that were read, after the routers are up.
func (n *Network) bringAll(ctx context.Context) {
	for _, s := range n.states {
		if err := n.bring(ctx, s); err != nil {
			n.log.Warn("a VPC is not as it was", "vpc", s.VPCID, "err", err)
		}
	}
}
