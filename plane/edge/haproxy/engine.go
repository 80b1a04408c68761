package haproxy

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// Node is a node of a balancer. Enter runs a function in its network namespace.
type Node struct {
	Front *balancer.Front
	balancer.Node
	Enter func(func() error) error
}

// Engine runs a process for each node.
type Engine struct {
	Dir string // of the processes' files
	Log *slog.Logger

	mu        sync.Mutex
	processes map[string]*process // by interface
	snap      *balancer.Snapshot
	troubles  map[string]string // by balancer
}

// Troubles are why balancers have nodes that are not carried, by ARN.
func (e *Engine) Troubles() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.troubles)
}

// Apply makes it carry exactly these nodes. What fails is logged, and tried again with
// the next Apply.
func (e *Engine) Apply(s *balancer.Snapshot, nodes []Node) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.processes == nil {
		e.processes = map[string]*process{}
	}
	e.snap = s
	wanted, before := map[string]bool{}, e.troubles
	e.troubles = map[string]string{}
	for n := range nodes {
		node := &nodes[n]
		wanted[node.InterfaceID] = true
		p := e.processes[node.InterfaceID]
		if p == nil {
			dir := filepath.Join(e.Dir, node.InterfaceID)
			p = &process{Place: Place{Address: node.Address.String(), Dir: dir}, log: e.Log}
			e.processes[node.InterfaceID] = p
		}
		p.enter = node.Enter
		if err := p.apply(node.Front, s.Pools, e.files(node, p.Dir)); err != nil {
			arn := node.Front.Balancer.ARN
			if e.troubles[arn] = err.Error(); before[arn] != err.Error() { // once, not with each attempt
				e.Log.Error("a node of a load balancer is not carried", "loadBalancer", arn, "interface", node.InterfaceID, "err", err)
			}
		}
	}
	for id, p := range e.processes {
		if !wanted[id] {
			p.stop()
			delete(e.processes, id)
		}
	}
}

// files are the certificates of a node's listeners, by name, and a list of them for
// each port: the default one first, which is served to who names no other.
func (e *Engine) files(n *Node, dir string) map[string][]byte {
	out := map[string][]byte{}
	for _, l := range n.Front.Listeners {
		var list strings.Builder
		for _, arn := range l.Listener.Certificates {
			i := slices.IndexFunc(e.snap.Certificates, func(c balancer.Certificate) bool { return c.ARN == arn })
			if i < 0 {
				continue
			}
			c := &e.snap.Certificates[i]
			file := filepath.Base(arn) + ".pem"
			out[file] = append(append([]byte{}, c.Chain...), c.Key...)
			fmt.Fprintln(&list, filepath.Join(dir, file))
		}
		if list.Len() > 0 {
			out[fmt.Sprintf("%d.list", l.Listener.Port)] = []byte(list.String())
		}
	}
	return out
}

// Reports are what the processes' checks saw of targets.
func (e *Engine) Reports(now time.Time) []balancer.TargetReport {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := map[string]balancer.TargetReport{}
	for _, p := range e.processes {
		if !p.alive() {
			continue
		}
		rows, err := statistics(p.control())
		if err != nil {
			e.Log.Warn("haproxy's statistics cannot be read", "err", err)
			continue
		}
		for _, t := range reports(e.snap.Pools, rows, now) {
			if have, ok := known[t.Target]; !ok || have.Report.Idle {
				known[t.Target] = t // idle only when it is for every node
			}
		}
	}
	var out []balancer.TargetReport
	for _, t := range known {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b balancer.TargetReport) int { return strings.Compare(a.Target, b.Target) })
	return out
}

// reports are of one process's servers.
func reports(pools []balancer.Pool, rows []seen, now time.Time) (out []balancer.TargetReport) {
	by := map[string]*seen{}
	for n := range rows {
		by[rows[n].backend+"/"+rows[n].server] = &rows[n]
	}
	for n := range pools {
		for t := range pools[n].Targets {
			target := &pools[n].Targets[t]
			if s := by[name(n)+"/"+serverName(target)]; s != nil {
				r := reportOf(s, now)
				if o := by[open(name(n))+"/"+serverName(target)]; o != nil && o.sessions != "0" {
					r.Idle = false
				}
				r.Idle = r.Idle && target.Draining
				out = append(out, balancer.TargetReport{Target: target.Key, Report: r})
			}
		}
	}
	return out
}

// Drain stops the processes softly, and waits until they ended or ctx.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.processes {
		p.stop()
	}
	for id, p := range e.processes {
		if p.ended != nil {
			select {
			case <-p.ended:
			case <-ctx.Done():
				_ = p.command.Process.Kill()
			}
		}
		_ = os.RemoveAll(p.Dir) // it has private keys
		delete(e.processes, id)
	}
}
