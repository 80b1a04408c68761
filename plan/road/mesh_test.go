package road_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/store"
)

// town is what meshes follow from: tasks on two instances, in two VPCs and in bridge
// mode, and who of them serves.
type town struct{ *store.Tx }

// task puts a task on an instance; an empty vpc is bridge mode.
func (t town) task(id, instance, vpc, address, namespace string) {
	a := &task.Assignment{InstanceARN: instance}
	if vpc != "" {
		a.InterfaceID = "eni-" + id
		store.Interfaces.Put(t.Tx, &network.Interface{Scope: here, ID: a.InterfaceID, VPCID: vpc, PrivateIP: netip.MustParseAddr(address), TaskARN: id, InstanceARN: instance})
	}
	store.Tasks.Put(t.Tx, &task.Task{
		Scope: here, ARN: id, ID: id, Spec: task.Spec{Namespace: namespace}, Assignment: a,
		Desired: task.Desired{Status: task.Running}, Observed: task.Observed{Status: task.Running},
	})
}

func (t town) serves(task, service, address, port string, ill bool) {
	store.DiscoveryInstances.Put(t.Tx, &discovery.Instance{
		Scope: here, ServiceID: service, ID: task, TaskARN: task, Unhealthy: ill,
		Attributes: map[string]string{discovery.InstanceIPv4: address, discovery.InstancePort: port},
	})
}

func TestMeshesLeadWhereTheirTasksCanCall(t *testing.T) {
	alias := &discovery.Connect{Owner: "web", Alias: "web", Port: 80}
	v := filled(t, func(tx *store.Tx) {
		w := town{tx}
		store.VPCs.Put(tx, &network.VPC{Scope: here, ID: "vpc-1", Default: true})
		store.VPCs.Put(tx, &network.VPC{Scope: here, ID: "vpc-2"})
		store.Discoveries.Put(tx, &discovery.Service{Scope: here, ID: "srv-1", NamespaceID: "ns-1", Name: "web", Connect: alias})
		store.Discoveries.Put(tx, &discovery.Service{Scope: here, ID: "srv-2", NamespaceID: "ns-1", Name: "by hand"})
		store.Discoveries.Put(tx, &discovery.Service{Scope: here, ID: "srv-3", NamespaceID: "ns-2", Name: "web", Connect: alias})
		w.task("near", "host", "vpc-1", "10.0.0.1", "ns-1")
		w.task("far", "other", "vpc-1", "10.0.0.2", "ns-1")
		w.task("apart", "host", "vpc-2", "10.0.0.1", "ns-1")
		w.task("bridged", "host", "", "", "ns-1")
		w.task("ill", "host", "vpc-1", "10.0.0.3", "ns-1")
		w.task("nobody's", "host", "vpc-1", "10.0.0.4", "")
		w.serves("near", "srv-1", "10.0.0.1", "8080", false)
		w.serves("far", "srv-1", "10.0.0.2", "8080", false)
		w.serves("apart", "srv-1", "10.0.0.1", "8081", false)
		w.serves("bridged", "srv-1", "192.0.2.1", "32768", false)
		w.serves("ill", "srv-1", "10.0.0.3", "8080", true)
		w.serves("registered by hand", "srv-1", "10.0.0.9", "8080", false)
	})
	called := func(at ...string) []discovery.Called {
		c := discovery.Called{ID: "srv-1", Connect: *alias}
		for _, a := range at {
			c.Endpoints = append(c.Endpoints, netip.MustParseAddrPort(a))
		}
		return []discovery.Called{c}
	}
	want := []discovery.Mesh{
		{NamespaceID: "ns-1", VPCID: "", Tasks: []string{"bridged"}, Services: called("10.0.0.1:8080", "192.0.2.1:32768")},
		{NamespaceID: "ns-1", VPCID: "vpc-1", Tasks: []string{"ill", "near"}, Services: called("10.0.0.1:8080", "10.0.0.2:8080", "192.0.2.1:32768")},
		{NamespaceID: "ns-1", VPCID: "vpc-2", Tasks: []string{"apart"}, Services: called("10.0.0.1:8081", "192.0.2.1:32768")},
	}
	if got := road.MeshesOf(v, "host"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := road.MeshesOf(v, "empty"); got != nil {
		t.Errorf("an instance without tasks has %+v", got)
	}
}
