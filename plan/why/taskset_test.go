package why_test

import (
	"testing"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

func TestAServiceIsItsTaskSets(t *testing.T) {
	w := newWorld()
	w.rest = func(tx *store.Tx) {
		web := &service.Service{
			Scope: scope, ARN: scope.Service("default", "web"), Name: "web", ClusterARN: home.ARN, Status: service.Active,
			Spec: service.Spec{Desired: 3, Controller: service.ControllerExternal},
		}
		store.Services.Put(tx, web)
		store.TaskSets.Put(tx, &service.TaskSet{
			ARN: "set", ServiceARN: web.ARN, Scale: 50, Deployment: service.Deployment{ID: "ecs-svc/7", Status: service.Leaving, Want: 2, CreatedAt: began},
		})
	}
	root, err := w.inquiry(t).About(scope, "default", "web")
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, root)
	if len(root.Children) != 1 {
		t.Fatalf("%+v", root)
	}
	if n := root.Children[0]; n.State != "DRAINING" || n.Says != "Task set ecs-svc/7 has 50% of the service: it is to have 2 tasks." {
		t.Errorf("%s: %s", n.State, n.Says)
	}
}
