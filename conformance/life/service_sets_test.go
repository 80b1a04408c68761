package life_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestTaskSets deploys from outside: a second task set beside the first, the
// traffic's owner changed, the first one taken away.
//
// Proves task-sets-external.
func TestTaskSets(t *testing.T) {
	t.Parallel()
	cluster, c := aws.String("default"), here.ecs
	definition := here.register(t, onEC2(patient("app")))
	name := here.serve(t, definition, 2, func(in *ecs.CreateServiceInput) {
		in.TaskDefinition, in.DeploymentController = nil, &types.DeploymentController{Type: types.DeploymentControllerTypeExternal}
	})
	add := func(percent float64) string {
		t.Helper()
		out, err := c.CreateTaskSet(t.Context(), &ecs.CreateTaskSetInput{
			Cluster: cluster, Service: &name, TaskDefinition: &definition, Scale: &types.Scale{Value: percent, Unit: types.ScaleUnitPercent},
		})
		if err != nil {
			t.Fatal(err)
		}
		return *out.TaskSet.Id
	}
	steady := func(id string, running int32) {
		t.Helper()
		eventually(t, "a steady task set", func() bool {
			out, err := c.DescribeTaskSets(t.Context(), &ecs.DescribeTaskSetsInput{Cluster: cluster, Service: &name, TaskSets: []string{id}})
			if err != nil || len(out.TaskSets) != 1 {
				t.Fatalf("%s %v", shown(out), err)
			}
			s := out.TaskSets[0]
			return s.StabilityStatus == types.StabilityStatusSteadyState && s.RunningCount == running && s.ComputedDesiredCount == running && s.PendingCount == 0
		})
	}
	blue := add(100)
	steady(blue, 2)
	if _, err := c.UpdateServicePrimaryTaskSet(t.Context(), &ecs.UpdateServicePrimaryTaskSetInput{Cluster: cluster, Service: &name, PrimaryTaskSet: &blue}); err != nil {
		t.Fatal(err)
	}
	green := add(25)
	steady(green, 1)
	if _, err := c.UpdateTaskSet(t.Context(), &ecs.UpdateTaskSetInput{Cluster: cluster, Service: &name, TaskSet: &green, Scale: &types.Scale{Value: 100, Unit: types.ScaleUnitPercent}}); err != nil {
		t.Fatal(err)
	}
	steady(green, 2)
	if _, err := c.UpdateServicePrimaryTaskSet(t.Context(), &ecs.UpdateServicePrimaryTaskSetInput{Cluster: cluster, Service: &name, PrimaryTaskSet: &green}); err != nil {
		t.Fatal(err)
	}
	out, err := c.DeleteTaskSet(t.Context(), &ecs.DeleteTaskSetInput{Cluster: cluster, Service: &name, TaskSet: &blue, Force: aws.Bool(true)})
	if err != nil || *out.TaskSet.Status != "DRAINING" {
		t.Fatalf("%s %v", shown(out), err)
	}
	var s types.Service
	eventually(t, "the end of the first task set", func() bool { s = here.service(t, name); return len(s.TaskSets) == 1 })
	if set := s.TaskSets[0]; *set.Id != green || *set.Status != "PRIMARY" || s.RunningCount < 2 || len(s.Deployments) != 0 {
		t.Errorf("%s", shown(s))
	}
	tells(t, s, "updated computedDesiredCount for taskSet "+green+" to 1.", "has reached a steady state.")
	_, err = c.UpdateTaskSet(t.Context(), &ecs.UpdateTaskSetInput{Cluster: cluster, Service: &name, TaskSet: &blue, Scale: &types.Scale{Value: 1}})
	if gone := new(types.TaskSetNotFoundException); !errors.As(err, &gone) {
		t.Errorf("what is gone was scaled: %v", err)
	}
}
