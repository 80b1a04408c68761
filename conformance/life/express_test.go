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

// TestExpressServicesRunOnFargate makes a service of an image and two roles, and reads
// what its container says where it is said to be; conformance/roads goes in by its URL.
func TestExpressServicesRunOnFargate(t *testing.T) {
	t.Parallel()
	role := func(name string) *string { return aws.String("arn:aws:iam::000000000000:role/" + name) }
	in := &ecs.CreateExpressGatewayServiceInput{
		ServiceName: aws.String("express"), ExecutionRoleArn: role("ecsTaskExecutionRole"), InfrastructureRoleArn: role("ecsInstanceRole"),
		PrimaryContainer: &types.ExpressGatewayContainer{
			Image: aws.String(shell), Command: []string{"sh", "-c", "trap exit TERM; echo $WORD; sleep 1000 & wait"},
			Environment: []types.KeyValuePair{{Name: aws.String("WORD"), Value: aws.String("first")}},
		},
	}
	if _, err := here.ecs.CreateExpressGatewayService(t.Context(), in); err == nil || !strings.Contains(err.Error(), "Cannot assume role") {
		t.Fatalf("with a role that is not for ECS: %v", err)
	}
	in.InfrastructureRoleArn = role("ecsInfrastructureRoleForExpressServices")
	made, err := here.ecs.CreateExpressGatewayService(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s := made.Service
	t.Cleanup(func() { here.endExpress(t, *s.ServiceArn) })
	if c := s.ActiveConfigurations; len(c) != 1 || len(c[0].IngressPaths) != 1 || len(c[0].NetworkConfiguration.Subnets) == 0 || aws.ToString(s.Status.StatusReason) == "" {
		t.Error(shown(s))
	}
	first := here.firstTask(t, "express")
	if first.LaunchType != types.LaunchTypeFargate || len(first.Attachments) != 1 {
		t.Error(summary(first))
	}
	here.logged(t, first, "first")
}

// endExpress deletes the service.
func (b *berth) endExpress(t *testing.T, arn string) {
	if _, err := b.ecs.DeleteExpressGatewayService(context.Background(), &ecs.DeleteExpressGatewayServiceInput{ServiceArn: &arn}); err != nil {
		t.Error(err)
	}
}

// firstTask waits until a service has a task, and describes it.
func (b *berth) firstTask(t *testing.T, service string) (one types.Task) {
	t.Helper()
	eventually(t, "a task of "+service, func() bool {
		tasks := b.crew(t, service)
		if len(tasks) == 0 {
			return false
		}
		one = tasks[0]
		return true
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
