package life_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestCallsOfServiceTools calls each operation of ECS that ecspresso and e1s call,
// on a service as they find it, and looks at what they look at first.
//
// Proves 1.2, service-revisions-service.
func TestCallsOfServiceTools(t *testing.T) {
	t.Parallel()
	d := onEC2(patient("app"))
	definition := here.register(t, d)
	family := d.Family
	name := here.serve(t, definition, 1, func(in *ecs.CreateServiceInput) {
		in.EnableExecuteCommand, in.Tags = true, []types.Tag{{Key: aws.String("by"), Value: aws.String("a tool")}}
	})
	s := here.stable(t, name)
	eventually(t, "a completed deployment", func() bool {
		s = here.service(t, name)
		return s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	task := *here.crew(t, name)[0].TaskArn
	instances, err := here.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	if err != nil {
		t.Fatal(err)
	}
	var rollout, revision string
	c, ctx := here.ecs, t.Context()

	// In the order in which a deployment and a look around make them.
	for _, call := range []struct {
		name string
		do   func() (bool, error)
	}{
		{"DescribeClusters", func() (bool, error) {
			out, err := c.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{"default"}})
			return err == nil && len(out.Clusters) == 1 && out.Clusters[0].ActiveServicesCount > 0, err
		}},
		{"ListClusters", func() (bool, error) {
			out, err := c.ListClusters(ctx, &ecs.ListClustersInput{})
			return err == nil && len(out.ClusterArns) > 0, err
		}},
		{"DescribeServices", func() (bool, error) {
			out, err := c.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{name}, Include: []types.ServiceField{types.ServiceFieldTags}})
			return err == nil && len(out.Services) == 1 && len(out.Services[0].Tags) == 1 && len(out.Services[0].Events) > 0, err
		}},
		{"ListServices", func() (bool, error) {
			out, err := c.ListServices(ctx, &ecs.ListServicesInput{MaxResults: aws.Int32(100)})
			return err == nil && len(out.ServiceArns) > 0, err
		}},
		{"DescribeTaskDefinition", func() (bool, error) {
			out, err := c.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: s.TaskDefinition, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
			return err == nil && *out.TaskDefinition.Family == *family, err
		}},
		{"ListTaskDefinitions", func() (bool, error) {
			out, err := c.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{FamilyPrefix: family, Sort: types.SortOrderDesc})
			return err == nil && len(out.TaskDefinitionArns) == 1, err
		}},
		{"ListTaskDefinitionFamilies", func() (bool, error) {
			out, err := c.ListTaskDefinitionFamilies(ctx, &ecs.ListTaskDefinitionFamiliesInput{FamilyPrefix: family, Status: types.TaskDefinitionFamilyStatusActive})
			return err == nil && len(out.Families) == 1, err
		}},
		{"ListTasks", func() (bool, error) {
			out, err := c.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: &name, DesiredStatus: types.DesiredStatusRunning})
			return err == nil && len(out.TaskArns) == 1, err
		}},
		{"DescribeTasks", func() (bool, error) {
			out, err := c.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{task}, Include: []types.TaskField{types.TaskFieldTags}})
			return err == nil && len(out.Tasks) == 1 && out.Tasks[0].EnableExecuteCommand, err
		}},
		{"ExecuteCommand", func() (bool, error) { // not there yet, and says so as AWS does of an agent that is away
			_, err := c.ExecuteCommand(ctx, &ecs.ExecuteCommandInput{Task: &task, Interactive: true, Command: aws.String("sh")})
			var away *types.TargetNotConnectedException
			return errors.As(err, &away), nil
		}},
		{"ListContainerInstances", func() (bool, error) {
			out, err := c.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{})
			return err == nil && len(out.ContainerInstanceArns) == 1, err
		}},
		{"DescribeContainerInstances", func() (bool, error) {
			out, err := c.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{ContainerInstances: instances.ContainerInstanceArns})
			return err == nil && len(out.ContainerInstances) == 1, err
		}},
		{"ListServiceDeployments", func() (bool, error) {
			out, err := c.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Service: &name})
			if err != nil || len(out.ServiceDeployments) != 1 {
				return false, err
			}
			rollout, revision = *out.ServiceDeployments[0].ServiceDeploymentArn, *out.ServiceDeployments[0].TargetServiceRevisionArn
			return out.ServiceDeployments[0].Status == types.ServiceDeploymentStatusSuccessful, nil
		}},
		{"DescribeServiceDeployments", func() (bool, error) {
			out, err := c.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{rollout}})
			return err == nil && len(out.ServiceDeployments) == 1 && out.ServiceDeployments[0].TargetServiceRevision.RequestedTaskCount == 1, err
		}},
		{"DescribeServiceRevisions", func() (bool, error) {
			out, err := c.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{revision}})
			return err == nil && len(out.ServiceRevisions) == 1 && *out.ServiceRevisions[0].TaskDefinition == *s.TaskDefinition && len(out.ServiceRevisions[0].ContainerImages) == 1, err
		}},
		{"TagResource", func() (bool, error) {
			_, err := c.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: s.ServiceArn, Tags: []types.Tag{{Key: aws.String("more"), Value: aws.String("")}}})
			return true, err
		}},
		{"UntagResource", func() (bool, error) {
			_, err := c.UntagResource(ctx, &ecs.UntagResourceInput{ResourceArn: s.ServiceArn, TagKeys: []string{"by"}})
			return true, err
		}},
		{"ListTagsForResource", func() (bool, error) {
			out, err := c.ListTagsForResource(ctx, &ecs.ListTagsForResourceInput{ResourceArn: s.ServiceArn})
			return err == nil && len(out.Tags) == 1 && *out.Tags[0].Key == "more", err
		}},
		{"RegisterTaskDefinition", func() (bool, error) {
			out, err := c.RegisterTaskDefinition(ctx, d)
			if err != nil {
				return false, err
			}
			definition = *out.TaskDefinition.TaskDefinitionArn
			return out.TaskDefinition.Revision == 2, nil
		}},
		{"UpdateService", func() (bool, error) {
			out, err := c.UpdateService(ctx, &ecs.UpdateServiceInput{Service: &name, TaskDefinition: &definition, DesiredCount: aws.Int32(1), ForceNewDeployment: true})
			if err != nil {
				return false, err
			}
			rollout = *out.Service.CurrentServiceDeployment
			return len(out.Service.Deployments) == 2, nil
		}},
		{"StopServiceDeployment", func() (bool, error) {
			out, err := c.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: &rollout, StopType: types.StopServiceDeploymentStopTypeRollback})
			return err == nil && *out.ServiceDeploymentArn == rollout, err
		}},
		{"services-stable", func() (bool, error) {
			w := ecs.NewServicesStableWaiter(c, func(o *ecs.ServicesStableWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
			return true, w.Wait(ctx, &ecs.DescribeServicesInput{Services: []string{name}}, patience)
		}},
		{"RunTask", func() (bool, error) {
			out, err := c.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: &definition})
			if err != nil || len(out.Tasks) != 1 {
				return false, err
			}
			task = *out.Tasks[0].TaskArn
			return true, nil
		}},
		{"StopTask", func() (bool, error) {
			out, err := c.StopTask(ctx, &ecs.StopTaskInput{Task: &task, Reason: aws.String("seen")})
			return err == nil && *out.Task.DesiredStatus == "STOPPED", err
		}},
		{"DeregisterTaskDefinition", func() (bool, error) {
			out, err := c.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &definition})
			return err == nil && out.TaskDefinition.Status == types.TaskDefinitionStatusInactive, err
		}},
		{"DeleteTaskDefinitions", func() (bool, error) {
			out, err := c.DeleteTaskDefinitions(ctx, &ecs.DeleteTaskDefinitionsInput{TaskDefinitions: []string{definition}})
			return err == nil && len(out.Failures) == 0, err
		}},
		{"DeleteService", func() (bool, error) {
			out, err := c.DeleteService(ctx, &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)})
			return err == nil && *out.Service.Status == "DRAINING", err
		}},
	} {
		if ok, err := call.do(); err != nil || !ok {
			t.Fatalf("%s: %v, as expected: %v", call.name, err, ok)
		}
	}
}
