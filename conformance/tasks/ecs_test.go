package tasks_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/store"
)

func connect(t *testing.T) (*gatewaytest.Server, *client.Client) {
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		return []gateway.Offer{{Service: shape.API, Handlers: ecs.New(ecs.Config{Store: st}).Operations()}}
	}, nil)
	return s, client.NewFromConfig(s.Config(s.Root))
}

// must is for calls that have to work.
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func TestTasksFromRunToStop(t *testing.T) {
	s, c := connect(t)
	ctx := t.Context()
	must[*client.CreateClusterOutput](t)(c.CreateCluster(ctx, &client.CreateClusterInput{}))
	must[*client.RegisterTaskDefinitionOutput](t)(c.RegisterTaskDefinition(ctx, &client.RegisterTaskDefinitionInput{
		Family: aws.String("web"), ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("app"), Image: aws.String("nginx"), Memory: aws.Int32(128)}},
	}))
	instance := must[*client.RegisterContainerInstanceOutput](t)(c.RegisterContainerInstance(ctx, &client.RegisterContainerInstanceInput{
		TotalResources: []types.Resource{{Name: aws.String("CPU"), IntegerValue: 1024}, {Name: aws.String("MEMORY"), IntegerValue: 512}},
	})).ContainerInstance.ContainerInstanceArn
	if _, err := s.Store.Update(ctx, func(tx *store.Tx) error { // as its session does
		have, _ := store.Instances.Get(tx, *instance)
		next := *have
		next.Connected = true
		store.Instances.Put(tx, &next)
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	run := must[*client.RunTaskOutput](t)(c.RunTask(ctx, &client.RunTaskInput{TaskDefinition: aws.String("web"), Count: aws.Int32(5)}))
	if len(run.Tasks) != 4 || len(run.Failures) != 1 || aws.ToString(run.Failures[0].Reason) != "RESOURCE:MEMORY" || aws.ToString(run.Failures[0].Arn) != *instance {
		t.Fatalf("%d tasks, failures %+v", len(run.Tasks), run.Failures)
	}
	one := []string{*run.Tasks[0].TaskArn}
	report := func(status string) {
		t.Helper()
		must[*client.SubmitTaskStateChangeOutput](t)(c.SubmitTaskStateChange(ctx, &client.SubmitTaskStateChangeInput{Task: &one[0], Status: &status}))
	}
	report("RUNNING")
	if err := client.NewTasksRunningWaiter(c).Wait(ctx, &client.DescribeTasksInput{Tasks: one}, time.Minute); err != nil {
		t.Fatal(err)
	}
	must[*client.StopTaskOutput](t)(c.StopTask(ctx, &client.StopTaskInput{Task: &one[0]}))
	report("STOPPED")
	if err := client.NewTasksStoppedWaiter(c).Wait(ctx, &client.DescribeTasksInput{Tasks: one}, time.Minute); err != nil {
		t.Fatal(err)
	}
	stopped := must[*client.DescribeTasksOutput](t)(c.DescribeTasks(ctx, &client.DescribeTasksInput{Tasks: one})).Tasks[0]
	if stopped.StopCode != types.TaskStopCodeUserInitiated || stopped.StoppedAt == nil || stopped.StoppedAt.Before(*stopped.CreatedAt) {
		t.Errorf("stopped %+v", stopped)
	}
	listed := 0
	for pages := client.NewListTasksPaginator(c, &client.ListTasksInput{MaxResults: aws.Int32(2)}); pages.HasMorePages(); {
		listed += len(must[*client.ListTasksOutput](t)(pages.NextPage(ctx)).TaskArns)
	}
	if listed != 3 {
		t.Errorf("listed %d of 3 tasks", listed)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	_, c := connect(t)
	ctx := t.Context()
	_, err := c.ListTasks(ctx, &client.ListTasksInput{})
	if missing := new(types.ClusterNotFoundException); !errors.As(err, &missing) || missing.ErrorMessage() != "Cluster not found." {
		t.Errorf("cluster: %v", err)
	}
	must[*client.CreateClusterOutput](t)(c.CreateCluster(ctx, &client.CreateClusterInput{}))
	_, err = c.DescribeTaskDefinition(ctx, &client.DescribeTaskDefinitionInput{TaskDefinition: aws.String("nobody")})
	if wrong := new(types.ClientException); !errors.As(err, &wrong) {
		t.Errorf("definition: %v", err)
	}
	_, err = c.RunTask(ctx, &client.RunTaskInput{TaskDefinition: aws.String("web"), Count: aws.Int32(11)})
	if wrong := new(types.InvalidParameterException); !errors.As(err, &wrong) {
		t.Errorf("count: %v", err)
	}
	_, err = c.PutAttributes(ctx, &client.PutAttributesInput{Attributes: []types.Attribute{{Name: aws.String("a"), TargetId: aws.String(fmt.Sprintf("%032d", 1))}}})
	if missing := new(types.TargetNotFoundException); !errors.As(err, &missing) {
		t.Errorf("target: %v", err)
	}
	_, err = c.UpdateService(ctx, &client.UpdateServiceInput{Service: aws.String("web")})
	if missing := new(types.ServiceNotFoundException); !errors.As(err, &missing) {
		t.Errorf("service: %v", err)
	}
}
