package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// patience bounds every wait: the machine may be busy.
const patience = 100 * time.Second

// logGroup is where all tasks write.
const logGroup = "/identity"

// definition is what a test registers; the helpers below make the common ones.
type definition struct {
	ecs.RegisterTaskDefinitionInput
}

// executionRole pulls the images and ships the lines of the tests' tasks.
const executionRole = "ecsTaskExecutionRole"

// does is a container that takes the probe's steps. It counts 32 MiB.
func does(steps string) types.ContainerDefinition {
	return types.ContainerDefinition{
		Name: aws.String("app"), Image: aws.String(probe), Command: strings.Fields(steps), Memory: aws.Int32(32), StopTimeout: aws.Int32(2),
		LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": logGroup, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "t",
		}},
	}
}

// as has a definition run as a task role; empty for none.
func (d *definition) as(role string) *definition {
	if role != "" {
		d.TaskRoleArn = &role
	}
	return d
}

// onEC2 is a definition in bridge mode.
func onEC2(steps string) *definition {
	return &definition{ecs.RegisterTaskDefinitionInput{
		ContainerDefinitions: []types.ContainerDefinition{does(steps)}, NetworkMode: types.NetworkModeBridge, ExecutionRoleArn: aws.String(executionRole),
	}}
}

// privately is a definition on EC2 with an interface of its own.
func privately(steps string) *definition {
	d := onEC2(steps)
	d.NetworkMode = types.NetworkModeAwsvpc
	return d
}

// onFargate is a definition of the smallest size.
func onFargate(steps string) *definition {
	d := privately(steps)
	d.Cpu, d.Memory = aws.String("256"), aws.String("512")
	d.RequiresCompatibilities = []types.Compatibility{types.CompatibilityFargate}
	return d
}

// place is where to run a definition: on Fargate if it asks for it.
func (b *berth) place(t *testing.T, d *definition) *ecs.RunTaskInput {
	in := &ecs.RunTaskInput{LaunchType: types.LaunchTypeEc2}
	if len(d.RequiresCompatibilities) > 0 {
		in.LaunchType = types.LaunchType(d.RequiresCompatibilities[0])
	}
	if d.NetworkMode == types.NetworkModeAwsvpc {
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: b.subnets(t)}}
	}
	return in
}

// subnets are those of the default VPC.
func (b *berth) subnets(t *testing.T) []string {
	t.Helper()
	out, err := ec2.NewFromConfig(b.config()).DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
		Filters: []ec2types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range out.Subnets {
		ids = append(ids, *s.SubnetId)
	}
	return ids
}

// register registers a definition under the test's name.
func (b *berth) register(t *testing.T, d *definition) string {
	t.Helper()
	if d.Family == nil {
		d.Family = aws.String(strings.NewReplacer("/", "-", "#", "-", " ", "-", ".", "-").Replace(t.Name()))
	}
	out, err := b.ecs.RegisterTaskDefinition(t.Context(), &d.RegisterTaskDefinitionInput)
	if err != nil {
		t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// run runs a task and stops it with the test.
func (b *berth) run(t *testing.T, d *definition, change ...func(*ecs.RunTaskInput)) string {
	t.Helper()
	in := b.place(t, d)
	in.TaskDefinition = aws.String(b.register(t, d))
	for _, c := range change {
		c(in)
	}
	out, err := b.ecs.RunTask(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Tasks) != 1 || len(out.Failures) != 0 {
		t.Fatalf("%d tasks, failures %+v", len(out.Tasks), shown(out.Failures))
	}
	arn := *out.Tasks[0].TaskArn
	t.Cleanup(func() { b.halt(t, arn, in.Cluster) })
	return arn
}

// halt stops a task if it runs, whatever became of the test.
func (b *berth) halt(t *testing.T, arn string, cluster *string) {
	if _, err := b.ecs.StopTask(context.WithoutCancel(t.Context()), &ecs.StopTaskInput{Task: &arn, Cluster: cluster}); err != nil {
		t.Logf("stop %s: %v", arn, err)
	}
}

// running waits until the task runs.
func (b *berth) running(t *testing.T, arn string) types.Task {
	t.Helper()
	w := ecs.NewTasksRunningWaiter(b.ecs, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	if err := w.Wait(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}}, patience); err != nil {
		t.Fatalf("%v: %s", err, summary(b.describe(t, arn)))
	}
	return b.describe(t, arn)
}

// stopped waits until the task has stopped.
func (b *berth) stopped(t *testing.T, arn string) types.Task {
	t.Helper()
	w := ecs.NewTasksStoppedWaiter(b.ecs, func(o *ecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	if err := w.Wait(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}}, patience); err != nil {
		t.Fatalf("%v: %s", err, summary(b.describe(t, arn)))
	}
	return b.describe(t, arn)
}

func (b *berth) describe(t *testing.T, arn string) types.Task {
	t.Helper()
	out, err := b.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("describe %s: %v", arn, err)
	}
	return out.Tasks[0]
}

// until describes the task until it is as wanted.
func (b *berth) until(t *testing.T, arn, what string, is func(types.Task) bool) types.Task {
	t.Helper()
	var last types.Task
	eventually(t, what, func() bool { last = b.describe(t, arn); return is(last) })
	return last
}

// eventually asks until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick, end := time.NewTicker(50*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// output is what a task printed so far.
func (b *berth) output(t *testing.T, arn string) string {
	t.Helper()
	stream := "t/app/" + id(arn)
	out, err := b.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String(logGroup), LogStreamName: &stream, StartFromHead: aws.Bool(true)})
	if missing := new(logtypes.ResourceNotFoundException); errors.As(err, &missing) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range out.Events {
		lines = append(lines, *e.Message)
	}
	return strings.Join(lines, "\n")
}

// told waits until a step of a task has printed a result with all the words, and
// returns it.
func (b *berth) told(t *testing.T, arn, step string, words ...string) string {
	t.Helper()
	said, tick, end := "", time.NewTicker(100*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		said = b.output(t, arn)
		for line := range strings.Lines(said) {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), step+": "); ok && has(text, words) {
				return text
			}
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("no %s with %q in\n%s%s", step, words, said, summary(b.describe(t, arn)))
		}
	}
}

func has(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}
