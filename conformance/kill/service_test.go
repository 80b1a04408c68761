package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// serviceName is the one service that lives through the kills.
const (
	serviceName = "churn"
	mostTasks   = 4
)

// serve makes the service.
func (h *house) serve() {
	h.t.Helper()
	h.register(&ecs.RegisterTaskDefinitionInput{
		Family: aws.String(serviceName), ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(imageName(0)), Cpu: 16, Memory: aws.Int32(32), StopTimeout: aws.Int32(5),
			Command: []string{"sh", "-c", "trap 'exit 0' TERM; while :; do usleep 100000; done"},
		}},
	})
	if _, err := h.ecs.CreateService(h.t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String(serviceName), TaskDefinition: aws.String(serviceName), DesiredCount: aws.Int32(1),
	}); err != nil {
		h.t.Fatal(err)
	}
}

// churn scales and deploys the service again and again until ctx ends.
func (h *house) churn(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		if err := h.update(context.WithoutCancel(ctx), int32(random.IntN(mostTasks+1)), random.IntN(2) == 0); err != nil {
			h.t.Error(err)
			return
		}
		pause(ctx, time.Duration(500+random.IntN(5000))*time.Millisecond)
	}
}

func (h *house) update(ctx context.Context, count int32, force bool) error {
	_, err := persist(ctx, func(ctx context.Context) (*ecs.UpdateServiceOutput, error) {
		return h.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String(serviceName), DesiredCount: &count, ForceNewDeployment: force})
	})
	if err != nil {
		return fmt.Errorf("update the service to %d: %w", count, err)
	}
	return nil
}

// served checks that the service comes to what it is asked for, each task in one
// process, and that nothing is left when it is deleted.
func (h *house) served() {
	h.t.Helper()
	if err := h.update(h.t.Context(), mostTasks, false); err != nil {
		h.t.Error(err)
		return
	}
	h.until("the service to be stable", 2*time.Minute, func() error {
		out, err := h.ecs.DescribeServices(h.t.Context(), &ecs.DescribeServicesInput{Services: []string{serviceName}})
		if err != nil {
			return err
		}
		if s := out.Services[0]; len(s.Deployments) != 1 || s.RunningCount != mostTasks || s.PendingCount != 0 {
			return fmt.Errorf("%d deployments, %d tasks run, %d are on their way", len(s.Deployments), s.RunningCount, s.PendingCount)
		}
		return nil
	})
	tasks, err := h.ecs.ListTasks(h.t.Context(), &ecs.ListTasksInput{ServiceName: aws.String(serviceName)})
	if err != nil || len(tasks.TaskArns) != mostTasks {
		h.t.Errorf("%d tasks are listed, %v", len(tasks.TaskArns), err)
		return
	}
	for _, arn := range tasks.TaskArns {
		if _, err := first((&work{task: arn}).id()); err != nil {
			h.t.Errorf("%s is RUNNING: %v", arn, err)
		}
	}
	if _, err := h.ecs.DeleteService(h.t.Context(), &ecs.DeleteServiceInput{Service: aws.String(serviceName), Force: aws.Bool(true)}); err != nil {
		h.t.Error(err)
	}
	h.until("the service to be gone", time.Minute, func() error {
		out, err := h.ecs.DescribeServices(h.t.Context(), &ecs.DescribeServicesInput{Services: []string{serviceName}})
		if err == nil && *out.Services[0].Status != "INACTIVE" {
			err = fmt.Errorf("it is %s", *out.Services[0].Status)
		}
		return err
	})
}
