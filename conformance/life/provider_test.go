package life_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// provider makes a capacity provider over an Auto Scaling group of its name.
func (b *berth) provider(t *testing.T, name string) {
	t.Helper()
	_, err := b.ecs.CreateCapacityProvider(t.Context(), &ecs.CreateCapacityProviderInput{
		Name: &name, AutoScalingGroupProvider: &types.AutoScalingGroupProvider{
			AutoScalingGroupArn: aws.String("arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:0f6a1e7e-2d5b-4e0c-8a39-6a8f5d6b0a11:autoScalingGroupName/" + name),
			ManagedScaling:      &types.ManagedScaling{Status: types.ManagedScalingStatusEnabled},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTasksOfAProviderWaitForItsInstances has one machine, which belongs to one of
// two providers.
func TestTasksOfAProviderWaitForItsInstances(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--cpu", "1024", "--memory", "1024", "--capacity-provider", "mine")
	b.provider(t, "mine")
	b.provider(t, "empty")
	b.providers(t, "mine", "empty")

	waits := b.run(t, sized("128", "100"), by("empty"))
	runs := b.running(t, b.run(t, sized("128", "100"), by("mine")))
	if aws.ToString(runs.CapacityProviderName) != "mine" || runs.LaunchType != types.LaunchTypeEc2 {
		t.Error(summary(runs))
	}
	out, err := b.ecs.DescribeContainerInstances(t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: []string{*runs.ContainerInstanceArn}})
	if err != nil || aws.ToString(out.ContainerInstances[0].CapacityProviderName) != "mine" {
		t.Errorf("%s %v", shown(out), err)
	}
	if got := b.describe(t, waits); aws.ToString(got.LastStatus) != "PROVISIONING" || aws.ToString(got.CapacityProviderName) != "empty" {
		t.Error(summary(got))
	}
	kept, err := b.ecs.DeleteCapacityProvider(t.Context(), &ecs.DeleteCapacityProviderInput{CapacityProvider: aws.String("mine")})
	if err != nil || kept.CapacityProvider.UpdateStatus != types.CapacityProviderUpdateStatusDeleteFailed {
		t.Errorf("%s %v", shown(kept), err)
	}
	if got := b.stopTask(t, waits); got.StopCode != types.TaskStopCodeUserInitiated {
		t.Error(summary(got))
	}
}
