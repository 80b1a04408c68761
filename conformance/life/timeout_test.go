package life_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestStartTimeout has a container wait for another, which is ready in time or not.
//
// Proves dependson-start-complete.
func TestStartTimeout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first types.ContainerDefinition
		until types.ContainerCondition
		ready bool
	}{
		"complete in time": {helper(sh("first", "sleep 1; exit 0")), types.ContainerConditionComplete, true},
		"never complete":   {helper(sh("first", "exec sleep 1000")), types.ContainerConditionComplete, false},
		"never success":    {helper(sh("first", "exec sleep 1000")), types.ContainerConditionSuccess, false},
		"never healthy":    {unhealthy("first"), types.ContainerConditionHealthy, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := patient("app")
			app.DependsOn = needs("first", c.until)
			c.first.StartTimeout = aws.Int32(4)
			arn := here.run(t, onEC2(c.first, app))
			if c.ready {
				here.running(t, arn)
				return
			}
			end := here.stopped(t, arn)
			if end.StopCode != types.TaskStopCodeTaskFailedToStart || named(t, end, "app").ExitCode != nil || end.StartedAt != nil {
				t.Error(summary(end))
			}
			says(t, aws.ToString(end.StoppedReason), `"first"`, "4 seconds")
			// It was stopped for the wait, not before it was over.
			if waited := end.StoppingAt.Sub(*end.PullStoppedAt); waited < 3*time.Second {
				t.Errorf("stopped after %v", waited)
			}
		})
	}
}

// unhealthy is a container whose health check never succeeds, and is not counted yet.
func unhealthy(name string) types.ContainerDefinition {
	c := patient(name)
	c.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "false"}, StartPeriod: aws.Int32(200)}
	return c
}
