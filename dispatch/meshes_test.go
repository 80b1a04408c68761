package dispatch

import (
	"net/netip"
	"testing"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// TestASessionTellsWhatTasksMayCall tells meshes when a task comes that calls, and when
// what it calls is elsewhere.
func TestASessionTellsWhatTasksMayCall(t *testing.T) {
	h := open(t)
	i := h.instance("0a", ours())
	h.update(func(tx *store.Tx) {
		store.Discoveries.Put(tx, &discovery.Service{Scope: scope, ID: "srv-1", NamespaceID: "ns-1", Name: "web", Connect: &discovery.Connect{Alias: "web", Port: 80}})
		store.Tasks.Put(tx, &task.Task{Scope: scope, ARN: "server", Assignment: &task.Assignment{InstanceARN: "elsewhere"}})
	})
	ws := h.connect(i)
	if first := attend[acs.Meshes](t, ws, acs.TypeMeshes); len(first.Meshes) != 0 {
		t.Fatalf("told first: %+v", first)
	}
	h.update(func(tx *store.Tx) {
		store.Tasks.Put(tx, &task.Task{
			Scope: scope, ARN: "client", Spec: task.Spec{Namespace: "ns-1"}, Desired: task.Desired{Status: task.Running},
			Assignment: &task.Assignment{InstanceARN: i.ARN}, Observed: task.Observed{Status: task.Running},
		})
	})
	got := attend[acs.Meshes](t, ws, acs.TypeMeshes)
	if len(got.Meshes) != 1 || got.Meshes[0].Tasks[0] != "client" || len(got.Meshes[0].Services) != 1 || got.Meshes[0].Services[0].Alias != "web" {
		t.Fatalf("a task came: %+v", got)
	}
	h.update(func(tx *store.Tx) {
		store.PutDiscovered(tx, &discovery.Instance{Scope: scope, ServiceID: "srv-1", ID: "i", TaskARN: "server", Attributes: map[string]string{
			discovery.InstanceIPv4: "192.0.2.9", discovery.InstancePort: "32768",
		}})
	})
	got = attend[acs.Meshes](t, ws, acs.TypeMeshes)
	if at := got.Meshes[0].Services[0].Endpoints; len(at) != 1 || at[0] != netip.MustParseAddrPort("192.0.2.9:32768") {
		t.Fatalf("an endpoint came: %+v", got)
	}
}
