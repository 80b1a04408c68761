package life_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestExpressServicesRunOnFargate makes a service of an image and two roles, and
// changes what it says.
func TestExpressServicesRunOnFargate(t *testing.T) {
	t.Parallel()
	role := func(name string) *string { return aws.String("arn:aws:iam::000000000000:role/" + name) }
	says := func(word string) *types.ExpressGatewayContainer {
		return &types.ExpressGatewayContainer{
			Image: aws.String(shell), Command: []string{"sh", "-c", "trap exit TERM; echo $WORD; sleep 1000 & wait"},
			Environment: []types.KeyValuePair{{Name: aws.String("WORD"), Value: &word}},
		}
	}
	made, err := here.ecs.CreateExpressGatewayService(t.Context(), &ecs.CreateExpressGatewayServiceInput{
		ServiceName: aws.String("express"), ExecutionRoleArn: role("ecsTaskExecutionRole"), InfrastructureRoleArn: role("ecsInstanceRole"), PrimaryContainer: says("first"),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := made.Service
	t.Cleanup(func() { here.endExpress(t, *s.ServiceArn) })
	if c := s.ActiveConfigurations; len(c) != 1 || len(c[0].IngressPaths) != 0 || len(c[0].NetworkConfiguration.Subnets) == 0 || aws.ToString(s.Status.StatusReason) == "" {
		t.Error(shown(s))
	}
	first := here.onlyTask(t, "service:express")
	if first.LaunchType != types.LaunchTypeFargate || len(first.Attachments) != 1 {
		t.Error(summary(first))
	}
	here.logged(t, first, "first")

	if _, err := here.ecs.UpdateExpressGatewayService(t.Context(), &ecs.UpdateExpressGatewayServiceInput{ServiceArn: s.ServiceArn, PrimaryContainer: says("second")}); err != nil {
		t.Fatal(err)
	}
	var second types.Task
	eventually(t, "the second revision to be alone", func() bool {
		second = here.onlyTask(t, "service:express")
		out, err := here.ecs.DescribeExpressGatewayService(t.Context(), &ecs.DescribeExpressGatewayServiceInput{ServiceArn: s.ServiceArn})
		return err == nil && *second.TaskArn != *first.TaskArn && len(out.Service.ActiveConfigurations) == 1
	})
	here.logged(t, second, "second")
}

// endExpress deletes the service.
func (b *berth) endExpress(t *testing.T, arn string) {
	if _, err := b.ecs.DeleteExpressGatewayService(context.Background(), &ecs.DeleteExpressGatewayServiceInput{ServiceArn: &arn}); err != nil {
		t.Error(err)
	}
}

// onlyTask waits until one task of the group runs, and no other.
func (b *berth) onlyTask(t *testing.T, group string) (one types.Task) {
	t.Helper()
	eventually(t, "one task of "+group, func() bool {
		list, err := b.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{ServiceName: aws.String(strings.TrimPrefix(group, "service:"))})
		if err != nil || len(list.TaskArns) != 1 {
			return false
		}
		one = b.describe(t, list.TaskArns[0])
		return aws.ToString(one.LastStatus) == "RUNNING"
	})
	return one
}

// logged waits until the task's primary container has said the word.
func (b *berth) logged(t *testing.T, task types.Task, word string) {
	t.Helper()
	eventually(t, word+" in the log", func() bool {
		out, err := b.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String("/aws/ecs/default/express"), LogStreamName: aws.String("ecs/Main/" + id(*task.TaskArn)), StartFromHead: aws.Bool(true),
		})
		return err == nil && len(out.Events) > 0 && strings.Contains(*out.Events[0].Message, word)
	})
}
