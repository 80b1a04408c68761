package road

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// MeshesOf are what the tasks of an instance may call by Service Connect. Equal stores
// give equal meshes.
func MeshesOf(r store.Reader, instanceARN string) []discovery.Mesh {
	found := map[circle][]string{}
	for t := range store.Tasks.By(r, store.TasksByInstance, instanceARN) {
		if c, ok := circleOf(r, t); ok {
			found[c] = append(found[c], t.ARN)
		}
	}
	var out []discovery.Mesh
	for c, tasks := range found {
		slices.Sort(tasks)
		out = append(out, discovery.Mesh{NamespaceID: c.namespace, VPCID: c.vpcID, Tasks: tasks, Services: c.services(r, instanceARN)})
	}
	slices.SortFunc(out, func(a, b discovery.Mesh) int {
		return cmp.Or(cmp.Compare(a.NamespaceID, b.NamespaceID), cmp.Compare(a.VPCID, b.VPCID))
	})
	return out
}

// HasCalls tells whether a change of a record can change the meshes of an instance.
func HasCalls(record any, instanceARN string) bool {
	switch r := record.(type) {
	case *task.Task:
		return r != nil && r.Spec.Namespace != "" && r.Assignment != nil && r.Assignment.InstanceARN == instanceARN
	case *discovery.Service, *discovery.Instance:
		return true
	}
	return false
}

// circle is who sees the same of a namespace.
type circle struct {
	key       string // of the namespace
	namespace string // its id
	vpc       string // network.Key; the instance's default VPC's in bridge mode
	vpcID     string // empty in bridge mode
}

// circleOf is that of a task; ok is false for one that calls nobody.
func circleOf(r store.Reader, t *task.Task) (c circle, ok bool) {
	if t.Spec.Namespace == "" || t.LastStatus() == task.Stopped {
		return c, false
	}
	c = circle{key: store.ScopeKey(t.Scope, t.Spec.Namespace), namespace: t.Spec.Namespace}
	if t.Assignment.InterfaceID == "" {
		for vpc := range store.VPCs.Prefix(r, network.Key(t.Scope, "")) {
			if vpc.Default {
				c.vpc = network.Key(vpc.Scope, vpc.ID)
			}
		}
		return c, true
	}
	i, ok := store.Interfaces.Get(r, network.Key(t.Scope, t.Assignment.InterfaceID))
	if ok {
		c.vpc, c.vpcID = network.Key(i.Scope, i.VPCID), i.VPCID
	}
	return c, ok
}

func (c circle) services(r store.Reader, instanceARN string) []discovery.Called {
	byID := map[string]discovery.Called{}
	for s := range store.Discoveries.By(r, store.DiscoveriesByNamespace, c.key) {
		if s.Connect == nil {
			continue
		}
		called := discovery.Called{ID: s.ID, Connect: *s.Connect}
		for i := range store.DiscoveryInstances.Prefix(r, store.DiscoveryInstanceKey(s.Scope, s.ID, "")) {
			if at, ok := c.endpoint(r, i, instanceARN); ok {
				called.Endpoints = append(called.Endpoints, at)
			}
		}
		slices.SortFunc(called.Endpoints, netip.AddrPort.Compare)
		byID[s.ID] = called
	}
	var out []discovery.Called
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		out = append(out, byID[id])
	}
	return out
}

// endpoint is where an instance is called from the circle. ok is false for one that is
// ill, is no task, or can't be reached: from one VPC nothing leads into another, nor
// from bridge mode into the VPC's part on another host.
func (c circle) endpoint(r store.Reader, i *discovery.Instance, instanceARN string) (at netip.AddrPort, ok bool) {
	t, ok := store.Tasks.Get(r, i.TaskARN)
	if !ok || i.Unhealthy || t.Assignment == nil {
		return at, false
	}
	address, err := netip.ParseAddr(i.Attributes[discovery.InstanceIPv4])
	port, err2 := strconv.ParseUint(i.Attributes[discovery.InstancePort], 10, 16)
	if err != nil || err2 != nil {
		return at, false
	}
	if t.Assignment.InterfaceID != "" {
		own, ok := store.Interfaces.Get(r, network.Key(t.Scope, t.Assignment.InterfaceID))
		if !ok || network.Key(own.Scope, own.VPCID) != c.vpc || c.vpcID == "" && t.Assignment.InstanceARN != instanceARN {
			return at, false
		}
	}
	return netip.AddrPortFrom(address, uint16(port)), true
}
