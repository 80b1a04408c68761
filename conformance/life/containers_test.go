package life_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// patient ends when told to, after saying so.
func patient(name string) types.ContainerDefinition {
	return sh(name, "trap 'echo "+name+" ends at $(cut -d. -f1,2 /proc/uptime | tr -d . | cut -d\" \" -f1); exit 0' TERM; echo "+name+" up; while :; do usleep 20000; done")
}

func needs(name string, condition types.ContainerCondition) []types.ContainerDependency {
	return []types.ContainerDependency{{ContainerName: &name, Condition: condition}}
}

// helper is a container whose end does not end the task.
func helper(c types.ContainerDefinition) types.ContainerDefinition {
	c.Essential = aws.Bool(false)
	return c
}

// Proves 7.5.
func TestExitCodeAndReason(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(...types.ContainerDefinition) *definition{"ec2": onEC2, "fargate": onFargate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := here.stopped(t, here.run(t, make(container("app", probe, "exit", "3"))))
			if exited(t, end, "app") != 3 || end.StopCode != types.TaskStopCodeEssentialContainerExited || aws.ToString(end.StoppedReason) != "Essential container in task exited" || aws.ToString(end.DesiredStatus) != "STOPPED" {
				t.Error(summary(end))
			}
			if end.PullStartedAt == nil || end.StartedAt == nil || end.StoppingAt == nil || end.ExecutionStoppedAt == nil || end.StoppedAt == nil || end.StoppedAt.Before(*end.ExecutionStoppedAt) {
				t.Errorf("times: %s", shown(end))
			}
		})
	}
}

// TestDependencies starts containers in order, by every condition, and ends them in the
// opposite order.
//
// Proves dependson-start-complete.
func TestDependencies(t *testing.T) {
	t.Parallel()
	setup := helper(sh("setup", "echo ready > /scratch/state; exit 0"))
	audit := helper(sh("audit", "test -e /scratch/state || exit 9; echo seen; exit 4"))
	db := patient("db")
	db.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "test -e /scratch/state"}, Interval: aws.Int32(5)}
	app := patient("app")
	for _, c := range []*types.ContainerDefinition{&setup, &audit, &db} {
		c.MountPoints = []types.MountPoint{{SourceVolume: aws.String("scratch"), ContainerPath: aws.String("/scratch")}}
	}
	audit.DependsOn = needs("setup", types.ContainerConditionSuccess)
	db.DependsOn = needs("audit", types.ContainerConditionComplete)
	app.DependsOn = append(needs("db", types.ContainerConditionHealthy), needs("db", types.ContainerConditionStart)...)
	d := onEC2(app, db, audit, setup)
	d.Volumes = []types.Volume{{Name: aws.String("scratch")}}
	arn := here.run(t, d)
	task := here.running(t, arn)
	if got := named(t, task, "db").HealthStatus; got != types.HealthStatusHealthy {
		// the words on health and on the task travel apart
		here.until(t, arn, "db to be healthy", func(task types.Task) bool { return named(t, task, "db").HealthStatus == types.HealthStatusHealthy })
	}
	here.printed(t, arn, "db", "db up")
	here.printed(t, arn, "app", "app up")
	end := here.stopTask(t, arn)
	if end.StopCode != types.TaskStopCodeUserInitiated {
		t.Error(summary(end))
	}
	for name, code := range map[string]int32{"app": 0, "db": 0, "audit": 4, "setup": 0} {
		if exited(t, end, name) != code {
			t.Error(summary(end))
		}
	}
	if first, last := endedAt(t, here.output(t, arn, "app")), endedAt(t, here.output(t, arn, "db")); first > last {
		t.Errorf("db, which app needs, ended at %d, before app at %d", last, first)
	}
}

// endedAt reads when a patient container said that it ends, in hundredths.
func endedAt(t *testing.T, output string) int {
	t.Helper()
	_, text, _ := strings.Cut(output, "ends at ")
	at, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatalf("%v in %q", err, output)
	}
	return at
}

func TestDependencyThatCannotBeMet(t *testing.T) {
	t.Parallel()
	app := patient("app")
	app.DependsOn = needs("setup", types.ContainerConditionSuccess)
	end := here.stopped(t, here.run(t, onEC2(app, helper(sh("setup", "exit 1")))))
	if end.StopCode != types.TaskStopCodeTaskFailedToStart || named(t, end, "app").ExitCode != nil {
		t.Error(summary(end))
	}
	says(t, aws.ToString(end.StoppedReason), "setup", "SUCCESS")
}

func TestEssential(t *testing.T) {
	t.Parallel()
	arn := here.run(t, onEC2(patient("app"), helper(sh("side", "exit 5"))))
	here.until(t, arn, "side to end alone", func(task types.Task) bool {
		return aws.ToString(named(t, task, "side").LastStatus) == "STOPPED" && aws.ToString(task.LastStatus) == "RUNNING"
	})
	here.printed(t, arn, "app", "app up")
	if end := here.stopTask(t, arn); exited(t, end, "side") != 5 {
		t.Error(summary(end))
	}
}

// TestEssentialEndsATaskThatIsNotUpYet: others may still wait for what they need.
func TestEssentialEndsATaskThatIsNotUpYet(t *testing.T) {
	t.Parallel()
	last := patient("last")
	last.DependsOn = needs("never", types.ContainerConditionHealthy)
	never := patient("never")
	never.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "false"}, StartPeriod: aws.Int32(200)}
	end := here.stopped(t, here.run(t, onEC2(last, never, sh("vital", "sleep 1; exit 6"))))
	if exited(t, end, "vital") != 6 || end.StopCode != types.TaskStopCodeEssentialContainerExited || aws.ToString(end.StoppedReason) != "Essential container in task exited" {
		t.Error(summary(end))
	}
}

func TestStopTimeout(t *testing.T) {
	t.Parallel()
	stubborn := sh("app", "trap '' TERM; echo up; while :; do usleep 20000; done")
	stubborn.StopTimeout = aws.Int32(2)
	arn := here.run(t, onEC2(stubborn))
	here.printed(t, arn, "app", "up")
	end := here.stopTask(t, arn)
	if exited(t, end, "app") != 137 || end.StopCode != types.TaskStopCodeUserInitiated {
		t.Error(summary(end))
	}
	if took := end.StoppedAt.Sub(*end.StoppingAt).Seconds(); took < 2 || took > 25 {
		t.Errorf("stopping took %.1f s of the 2 it may", took)
	}
}

// TestRestartPolicy takes a minute: a container is only restarted when it ran for
// the shortest period there is.
//
// Proves restartpolicy.
func TestRestartPolicy(t *testing.T) {
	t.Parallel()
	c := sh("app", "wget -q -O - $ECS_CONTAINER_METADATA_URI_V4; test -e /scratch/once && exit 0; touch /scratch/once; sleep 60.5; exit 1")
	c.RestartPolicy = &types.ContainerRestartPolicy{Enabled: aws.Bool(true), IgnoredExitCodes: []int32{0}, RestartAttemptPeriod: aws.Int32(60)}
	c.MountPoints = []types.MountPoint{{SourceVolume: aws.String("scratch"), ContainerPath: aws.String("/scratch")}}
	d := onEC2(c)
	d.Volumes = []types.Volume{{Name: aws.String("scratch")}}
	arn := here.run(t, d)
	if end := here.stopped(t, arn); exited(t, end, "app") != 0 {
		t.Error(summary(end))
	}
	says(t, here.output(t, arn, "app"), `"RestartCount":0`, `"RestartCount":1`)
}

func TestRestartPolicyLeavesShortLivesAlone(t *testing.T) {
	t.Parallel()
	c := sh("app", "exit 1")
	c.RestartPolicy = &types.ContainerRestartPolicy{Enabled: aws.Bool(true), RestartAttemptPeriod: aws.Int32(60)}
	if end := here.stopped(t, here.run(t, onEC2(c))); exited(t, end, "app") != 1 {
		t.Error(summary(end))
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	c := sh("app", "trap 'exit 0' TERM; touch /well; echo up; while :; do usleep 20000; test -e /ill && rm -f /well; done")
	c.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "test -e /well && touch /ill"}, Interval: aws.Int32(5), Retries: aws.Int32(1), Timeout: aws.Int32(2)}
	arn := here.run(t, onEC2(c))
	here.until(t, arn, "health", func(task types.Task) bool {
		return task.HealthStatus == types.HealthStatusHealthy && task.Containers[0].HealthStatus == types.HealthStatusHealthy
	})
	here.until(t, arn, "illness", func(task types.Task) bool {
		return task.HealthStatus == types.HealthStatusUnhealthy && task.Containers[0].HealthStatus == types.HealthStatusUnhealthy
	})
}

func TestImageThatDoesNotExist(t *testing.T) {
	t.Parallel()
	end := here.stopped(t, here.run(t, onEC2(container("app", "nobody:7"))))
	if end.StopCode != types.TaskStopCodeTaskFailedToStart {
		t.Error(summary(end))
	}
	says(t, aws.ToString(end.StoppedReason), "CannotPullContainerError", "nobody")
	says(t, aws.ToString(end.Containers[0].Reason), "CannotPullContainerError")
}
