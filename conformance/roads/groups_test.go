package roads_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestSecurityGroupsOfALiveTask opens and shuts a port of a task that runs. From the
// API's answer on it takes a moment (the budget is 100 ms, which a busy machine may
// miss: the times are printed).
func TestSecurityGroupsOfALiveTask(t *testing.T) {
	p := here.defaultVPC(t)
	group := here.group(t, p.vpc, family(t))
	definition := here.register(t, serving(t, "guarded", types.CompatibilityEc2))
	out, err := here.ecs.RunTask(t.Context(), &ecs.RunTaskInput{
		TaskDefinition: &definition, LaunchType: types.LaunchTypeEc2, NetworkConfiguration: p.network(group),
	})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("%v %+v", err, out)
	}
	arn := *out.Tasks[0].TaskArn
	t.Cleanup(func() {
		if _, err := here.ecs.StopTask(after(t), &ecs.StopTaskInput{Task: &arn}); err != nil {
			t.Error(err)
		}
	})
	w := ecs.NewTasksRunningWaiter(here.ecs, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	task, err := w.WaitForOutput(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}}, patience)
	if err != nil {
		t.Fatal(err)
	}
	address := aws.ToString(task.Tasks[0].Containers[0].NetworkInterfaces[0].PrivateIpv4Address) + ":8080"
	if connects(address, 300*time.Millisecond) {
		t.Fatal("a port that no rule opens takes connections from the host")
	}
	here.open(t, group, 8080)
	begun := time.Now()
	eventually(t, "the port to open", func() bool { return connects(address, 20*time.Millisecond) })
	t.Logf("open after %v", time.Since(begun))
	here.shut(t, group, 8080)
	begun = time.Now()
	eventually(t, "the port to shut", func() bool { return !connects(address, 20*time.Millisecond) })
	t.Logf("shut after %v", time.Since(begun))
}
