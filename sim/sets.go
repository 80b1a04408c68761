package sim

import (
	"fmt"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// set makes a task set; the others of these commands find it by its name, which is
// its external id.
func (p *play) set(name string, args words) error {
	p.touch(args["service"])
	p.w.user.ask("CreateTaskSet", &ecs.CreateTaskSetRequest{
		Cluster: new("default"), Service: new(args["service"]), TaskDefinition: new(args["definition"]), ExternalId: &name,
		Scale: percent(args.int("scale", 0)),
	})
	return nil
}

func percent(n int) *ecs.Scale {
	return &ecs.Scale{Unit: ecs.ScaleUnitPercent, Value: new(float64(n))}
}

func (p *play) scale(name string, args words) error {
	return p.onSet(name, func(t *service.TaskSet) {
		p.w.user.ask("UpdateTaskSet", &ecs.UpdateTaskSetRequest{
			Cluster: &t.ClusterARN, Service: &t.ServiceARN, TaskSet: &t.ARN, Scale: percent(args.int("to", 0)),
		})
	})
}

func (p *play) promote(name string, _ words) error {
	return p.onSet(name, func(t *service.TaskSet) {
		p.w.user.ask("UpdateServicePrimaryTaskSet", &ecs.UpdateServicePrimaryTaskSetRequest{
			Cluster: &t.ClusterARN, Service: &t.ServiceARN, PrimaryTaskSet: &t.ARN,
		})
	})
}

func (p *play) drop(name string, args words) error {
	return p.onSet(name, func(t *service.TaskSet) {
		p.w.user.ask("DeleteTaskSet", &ecs.DeleteTaskSetRequest{
			Cluster: &t.ClusterARN, Service: &t.ServiceARN, TaskSet: &t.ARN, Force: new(args.has("force")),
		})
	})
}

func (p *play) onSet(name string, do func(*service.TaskSet)) error {
	for t := range store.TaskSets.All(p.w.server.leader.View()) {
		if t.ExternalID == name {
			p.w.user.touched[t.ServiceARN] = true
			do(t)
			return nil
		}
	}
	return fmt.Errorf("there is no task set %s", name)
}

// sets takes down what can be seen of task sets.
func (x *witness) sets(v *store.View) {
	there := map[string]bool{}
	for t := range store.TaskSets.All(v) {
		x.w.names[t.Deployment.ID] = t.ExternalID
		steady := "STABILIZING"
		if t.Steady {
			steady = "STEADY_STATE"
		}
		there[t.ExternalID] = true
		x.changed("task set "+t.ExternalID, fmt.Sprintf("%s, %v %%, wants %d, %s", t.Deployment.Status, t.Scale, t.Deployment.Want, steady))
	}
	for name := range x.seen {
		if !there[name] {
			x.changed("task set "+name, "gone")
		}
	}
	x.seen = there
}
