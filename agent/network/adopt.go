package network

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/berthhq/berth/agent/network/space"
)

// adopt takes up routers and tasks from the records of an earlier agent, and
// removes what no record speaks of.
func (n *Network) adopt(ctx context.Context) error {
	for _, dir := range []string{"router", "space", "task", "state", "edge", "end"} {
		if err := os.MkdirAll(filepath.Join(n.cfg.RunDir, dir), 0o700); err != nil {
			return err
		}
	}
	err := eachRecord(n, "router", func(path string, rec *routerRecord) error { return n.adoptRouter(path, *rec) })
	if err != nil {
		return err
	}
	known := map[string]bool{}
	err = eachRecord(n, "task", func(path string, a *attachment) error {
		if err := n.adoptTask(a); err != nil {
			n.log.Warn("a task's network is gone", "task", a.Task, "err", err)
			return errors.Join(n.dismantle(a), ignoreMissing(os.Remove(path)))
		}
		for _, w := range a.Wires {
			known[w.Link] = true
		}
		known[a.Bare] = true
		n.tasks[a.Task] = a
		return nil
	})
	if err != nil {
		return err
	}
	if err := errors.Join(n.adoptEdges(known), n.recall()); err != nil {
		return err
	}
	for _, r := range n.routers {
		if err := r.table.Replace(); err != nil {
			return err
		}
		if err := n.serve(r); err != nil {
			return err
		}
	}
	return n.sweepUnknown(known)
}

// eachRecord reads the records of a kind. One that a crash of the machine left
// broken describes nothing that still exists and is dropped.
func eachRecord[T any](n *Network, kind string, f func(path string, rec *T) error) error {
	paths, err := filepath.Glob(filepath.Join(n.cfg.RunDir, kind, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rec := new(T)
		if err := json.Unmarshal(content, rec); err != nil {
			n.log.Warn("a broken network record is dropped", "path", path, "err", err)
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		if err := f(path, rec); err != nil {
			return err
		}
	}
	return nil
}

// adoptRouter opens a router again. One whose namespace or uplink is gone, as
// after a reboot, is forgotten; its tasks' next Setup makes it anew.
func (n *Network) adoptRouter(path string, rec routerRecord) error {
	s, err := space.Open(strings.TrimSuffix(path, ".json"))
	if errors.Is(err, os.ErrNotExist) {
		return errors.Join(space.Remove(strings.TrimSuffix(path, ".json")), os.Remove(path))
	}
	if err != nil {
		return err
	}
	r, err := n.openRouter(rec, s)
	if err != nil {
		return err
	}
	if err := s.Do(prepareRouter); err != nil {
		return err
	}
	if _, err := n.host.links.LinkByName(r.uplink); err != nil {
		if err := errors.Join(r.join(), r.address()); err != nil {
			return err
		}
	}
	if err := r.prepareCalls(); err != nil {
		return err
	}
	n.host.uplinks[r.uplink] = r
	n.routers[rec.VPC] = r
	return nil
}

func (n *Network) adoptTask(a *attachment) error {
	if len(a.Wires) > 0 {
		if a.router = n.routers[a.VPC]; a.router == nil {
			return errors.New("its router is gone")
		}
	}
	if a.Bare != "" {
		s, err := space.Open(n.spacePath(a.Bare))
		if err != nil {
			return err
		}
		s.Close()
	}
	for i := range a.Wires {
		if err := n.adoptWire(a, &a.Wires[i]); err != nil {
			return err
		}
	}
	return nil
}

func (n *Network) adoptWire(a *attachment, w *wire) error {
	s, err := space.Open(n.pathOf(w))
	if err != nil {
		return err
	}
	s.Close()
	l, err := a.router.links.LinkByName(w.Link)
	if err != nil {
		return fmt.Errorf("find %s: %w", w.Link, err)
	}
	e := a.end(w)
	e.index = l.Attrs().Index
	a.router.ends[e.link], a.router.index[e.index] = e, e
	if a.router.lastLease.Less(w.Address) {
		a.router.lastLease = w.Address
	}
	for b, t := range w.targets() {
		name := "tcp"
		if b.protocol != protocolNumber(name) {
			name = "udp"
		}
		if err := n.host.ports.take(name, b.port); err != nil {
			n.log.Warn("a published port is shadowed by another program until its task ends", "task", a.Task, "err", err)
		}
		n.host.published[b] = t
	}
	return nil
}

// sweepUnknown removes namespaces and links of set-ups that an earlier agent did
// not finish.
func (n *Network) sweepUnknown(known map[string]bool) error {
	for _, r := range n.routers {
		links, err := r.links.LinkList()
		if err != nil {
			return err
		}
		for _, l := range links {
			if _, veth := l.(*netlink.Veth); veth && l.Attrs().Name != uplinkName && !known[l.Attrs().Name] {
				if err := ignoreMissing(r.links.LinkDel(l)); err != nil {
					return err
				}
			}
		}
	}
	for _, dir := range []string{"space", "edge"} {
		files, err := os.ReadDir(filepath.Join(n.cfg.RunDir, dir))
		if err != nil {
			return err
		}
		for _, f := range files {
			if known[f.Name()] {
				continue
			}
			if err := space.Remove(filepath.Join(n.cfg.RunDir, dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
