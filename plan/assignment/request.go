package assignment

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/placement"
)

// Request is what placement needs to know of a task.
func Request(t *task.Task, def *workload.Definition) *placement.Request {
	r := &placement.Request{Demand: task.Demand(def, &t.Spec), Fargate: t.Spec.LaunchType == workload.Fargate}
	r.Seed, _ = strconv.ParseUint(t.ID[:min(16, len(t.ID))], 16, 64) // an id that is not hex gives 0
	if r.Fargate {
		// AWS chooses among zones; so do we, by load.
		r.Strategy = []workload.Strategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}, {Type: "binpack", Field: "memory"}}
		r.Group = t.Spec.Group
		return r
	}
	r.Group, r.Requires, r.Strategy, r.Provider = t.Spec.Group, def.PlacementNeeds(), t.Spec.Strategy, t.Spec.CapacityProvider
	if t.Spec.Namespace != "" {
		r.Requires = append(r.Requires, workload.Attribute{Name: workload.ServiceConnect})
	}
	r.Constraints = slices.Concat(def.PlacementConstraints, t.Spec.Constraints)
	if len(r.Strategy) == 0 {
		r.Strategy = []workload.Strategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}, {Type: "spread", Field: "instanceId"}}
	}
	return r
}

func shapeOf(t *task.Task, r *placement.Request) string {
	if r.Fargate {
		return fmt.Sprint("fargate ", r.Demand, subnets(t))
	}
	return fmt.Sprint(t.Spec.ClusterARN, " ", r.Provider, " ", r.Demand, r.Group, r.Constraints, r.Requires, subnets(t))
}

// subnets of a task; nil outside awsvpc.
func subnets(t *task.Task) []string {
	if n := t.Spec.NetworkConfiguration; n != nil {
		return n.Subnets
	}
	return nil
}
