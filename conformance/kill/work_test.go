package kill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const group = "/kill"

// script is what containers run: it notes its start where the test sees it, counts,
// with pauses, and ends with CODE after COUNT lines, or with 0 when it is asked to.
const script = `test -d /shared && echo started >> /shared/$NAME
trap 'echo "end $i"; exit 0' TERM
i=0
while [ $i -lt $COUNT ]; do i=$((i+1)); echo "line $i"; test $PAUSE = 0 || usleep $PAUSE; done
echo "end $i"
exit $CODE`

// work is a task that was asked for.
type work struct {
	name  string // its client token and its start file
	count int    // lines; endless when it is huge
	fast  bool   // prints without a pause
	code  int
	image int
	// fargate tasks have a kernel of their own, and nothing of the machine's to note
	// their start in: that they ran once shows in their lines.
	fargate bool
	task    string // ARN, once RunTask answered
	stop    bool   // StopTask answered
	first   process
}

const endless = 1 << 30

// pause is how long it waits after a line, in microseconds.
func (w *work) pause() string {
	if w.fast {
		return "0"
	}
	return "100000"
}

func (w *work) id() string { return w.task[strings.LastIndexByte(w.task, '/')+1:] }

// define registers the task definitions of works, one for each image.
func (h *house) define() {
	h.t.Helper()
	for n := range imageCount {
		c := types.ContainerDefinition{
			Name: aws.String("app"), Image: aws.String(imageName(n)), Command: []string{"sh", "-c", script}, StopTimeout: aws.Int32(10),
			LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "s", "awslogs-create-group": "true", "mode": "blocking",
			}},
		}
		h.register(&ecs.RegisterTaskDefinitionInput{
			Family: aws.String(family(n, true)), RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
			NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"), ExecutionRoleArn: aws.String("ecsTaskExecutionRole"),
			ContainerDefinitions: []types.ContainerDefinition{c},
		})
		c.Cpu, c.Memory = 32, aws.Int32(64)
		c.MountPoints = []types.MountPoint{{SourceVolume: aws.String("shared"), ContainerPath: aws.String("/shared")}}
		h.register(&ecs.RegisterTaskDefinitionInput{
			Family:               aws.String(family(n, false)),
			Volumes:              []types.Volume{{Name: aws.String("shared"), Host: &types.HostVolumeProperties{SourcePath: &h.shared}}},
			ContainerDefinitions: []types.ContainerDefinition{c},
		})
	}
}

func (h *house) register(in *ecs.RegisterTaskDefinitionInput) {
	h.t.Helper()
	if _, err := h.ecs.RegisterTaskDefinition(h.t.Context(), in); err != nil {
		h.t.Fatal(err)
	}
}

func family(image int, fargate bool) string {
	if fargate {
		return fmt.Sprintf("fargate-%d", image)
	}
	return fmt.Sprintf("work-%d", image)
}

// persist repeats a call until it is answered: while the server is away connections
// are refused or cut. What the server refuses for a reason is an error.
func persist[Out any](ctx context.Context, call func(context.Context) (Out, error)) (out Out, err error) {
	failed := poll(2*time.Minute, func() error {
		once, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		out, err = call(once)
		if answered(err) {
			return nil
		}
		return err
	})
	return out, errors.Join(failed, err)
}

// answered tells an answer, or a refusal for a reason, from one that never came whole.
// The client itself breaks off some that come faster than it closes its request.
func answered(err error) bool {
	var response interface{ HTTPStatusCode() int }
	return err == nil || errors.As(err, &response) && response.HTTPStatusCode()/100 == 4
}

// run asks for the task until it is there: a full machine is waited for.
func (h *house) run(ctx context.Context, w *work) error {
	for try := 0; ; try++ {
		token := fmt.Sprintf("%s-%d", w.name, try)
		out, err := persist(ctx, func(ctx context.Context) (*ecs.RunTaskOutput, error) {
			return h.ecs.RunTask(ctx, h.request(w, token))
		})
		if err != nil {
			return fmt.Errorf("run %s: %w", w.name, err)
		}
		if len(out.Tasks) == 1 {
			w.task = *out.Tasks[0].TaskArn
			return nil
		}
		if reason := aws.ToString(out.Failures[0].Reason); !strings.HasPrefix(reason, "RESOURCE:") && reason != "AGENT" && reason != "Capacity is unavailable at this time." {
			return fmt.Errorf("run %s: %s", w.name, reason)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (h *house) request(w *work, token string) *ecs.RunTaskInput {
	in := &ecs.RunTaskInput{
		TaskDefinition: aws.String(family(w.image, w.fargate)), LaunchType: types.LaunchTypeEc2, ClientToken: &token,
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("app"), Environment: []types.KeyValuePair{
			{Name: aws.String("NAME"), Value: &w.name},
			{Name: aws.String("COUNT"), Value: aws.String(fmt.Sprint(w.count))},
			{Name: aws.String("PAUSE"), Value: aws.String(w.pause())},
			{Name: aws.String("CODE"), Value: aws.String(fmt.Sprint(w.code))},
		}}}},
	}
	if w.fargate {
		in.LaunchType = types.LaunchTypeFargate
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: h.subnets}}
	}
	return in
}

// stopTask asks for the task's end.
func (h *house) stopTask(ctx context.Context, w *work) error {
	_, err := persist(ctx, func(ctx context.Context) (*ecs.StopTaskOutput, error) {
		return h.ecs.StopTask(ctx, &ecs.StopTaskInput{Task: &w.task})
	})
	if err != nil {
		return fmt.Errorf("stop %s: %w", w.name, err)
	}
	w.stop = true
	return nil
}

// describe is the task as DescribeTasks has it.
func (h *house) describe(w *work) (*types.Task, error) {
	out, err := h.ecs.DescribeTasks(h.t.Context(), &ecs.DescribeTasksInput{Tasks: []string{w.task}})
	if err != nil {
		return nil, err
	}
	if len(out.Tasks) != 1 {
		return nil, fmt.Errorf("task %s (%s) is not described: %+v", w.name, w.task, out.Failures)
	}
	return &out.Tasks[0], nil
}

// reaches waits until the task has a status.
func (h *house) reaches(w *work, status string) types.Task {
	h.t.Helper()
	var task *types.Task
	h.until(fmt.Sprintf("%s to be %s", w.name, status), 3*time.Minute, func() (err error) {
		if task, err = h.describe(w); err != nil {
			return err
		}
		if got := *task.LastStatus; got != status && (got != "STOPPED") {
			return fmt.Errorf("%s is %s", w.task, got)
		}
		return nil
	})
	if *task.LastStatus != status {
		h.t.Errorf("%s is %s: %s %s", w.name, *task.LastStatus, aws.ToString(task.StoppedReason), aws.ToString(task.Containers[0].Reason))
	}
	return *task
}

// begins runs a task and waits until its program runs.
func (h *house) begins(w *work) {
	h.t.Helper()
	if err := h.run(h.t.Context(), w); err != nil {
		h.t.Fatal(err)
	}
	h.reaches(w, "RUNNING")
	h.until(w.name+"'s process", time.Minute, func() (err error) {
		w.first, err = first(w.id())
		return err
	})
}

// printed reads all of the task's log.
func (h *house) printed(w *work) []string {
	h.t.Helper()
	var lines []string
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String(group), LogStreamName: aws.String("s/app/" + w.id()), StartFromHead: aws.Bool(true)}
	for {
		out, err := persist(h.t.Context(), func(ctx context.Context) (*cloudwatchlogs.GetLogEventsOutput, error) {
			return h.logs.GetLogEvents(ctx, in)
		})
		if err != nil {
			h.t.Errorf("read the log of %s (%s): %v", w.name, w.task, err)
			return lines
		}
		for _, e := range out.Events {
			lines = append(lines, *e.Message)
		}
		if aws.ToString(in.NextToken) == aws.ToString(out.NextForwardToken) {
			return lines
		}
		in.NextToken = out.NextForwardToken
	}
}

// starts is what the program noted of its starts.
func (h *house) starts(w *work) string {
	starts, _ := os.ReadFile(filepath.Join(h.shared, w.name))
	return string(starts)
}

// ranOnce checks that the program was started once and all it printed is in the log
// once: its count of lines and a last one, unless it was stopped, or killed even. The
// last lines may be on their way: they wait on disk while the server is away.
func (h *house) ranOnce(w *work, killed bool) {
	h.t.Helper()
	if starts := h.starts(w); starts != "started\n" && !w.fargate {
		h.t.Errorf("%s (%s) was started as %q", w.name, w.task, starts)
	}
	if err := poll(30*time.Second, func() error { return w.whole(h.printed(w), killed) }); err != nil {
		h.t.Errorf("the log of %s (%s): %v", w.name, w.task, err)
	}
}

// whole tells what is wrong with the lines of a log.
func (w *work) whole(lines []string, killed bool) error {
	n := len(lines)
	if !killed {
		n = max(0, n-1)
	}
	for i := range n {
		if want := fmt.Sprintf("line %d", i+1); lines[i] != want {
			return fmt.Errorf("line %d of %d is %q", i+1, n, lines[i])
		}
	}
	switch {
	case killed:
		return nil
	case len(lines) == 0 || lines[n] != fmt.Sprintf("end %d", n):
		return fmt.Errorf("%d lines end with %q", n, lines[n:])
	case !w.stop && n != w.count:
		return fmt.Errorf("%d lines of %d", n, w.count)
	}
	return nil
}

// allFree checks that the machine has all its resources again.
func (h *house) allFree() {
	h.t.Helper()
	h.until("a free machine", time.Minute, func() error {
		list, err := h.ecs.ListContainerInstances(h.t.Context(), &ecs.ListContainerInstancesInput{})
		if err != nil {
			return err
		}
		out, err := h.ecs.DescribeContainerInstances(h.t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
		if err != nil {
			return err
		}
		if len(out.ContainerInstances) != 1 {
			return fmt.Errorf("there are %d instances", len(out.ContainerInstances))
		}
		i := out.ContainerInstances[0]
		if have, all := resources(i.RemainingResources), resources(i.RegisteredResources); have != all || i.RunningTasksCount+i.PendingTasksCount != 0 {
			return fmt.Errorf("%s remain of %s, %d tasks run, %d pend", have, all, i.RunningTasksCount, i.PendingTasksCount)
		}
		return nil
	})
}

func resources(list []types.Resource) string {
	var all []string
	for _, r := range list {
		all = append(all, fmt.Sprintf("%s=%d%v", *r.Name, r.IntegerValue, r.StringSetValue))
	}
	return strings.Join(all, " ")
}

// crowd is the clients and what they asked for.
type crowd struct {
	t       *testing.T
	working sync.WaitGroup
	mu      sync.Mutex
	works   []*work
}

func (c *crowd) add(w *work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.works = append(c.works, w)
}
