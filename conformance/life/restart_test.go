package life_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestDownAndUpKeepsEverything ends berth with SIGTERM, which stops its tasks.
//
// Proves 1.1.
func TestDownAndUpKeepsEverything(t *testing.T) {
	t.Parallel()
	b := ownBerth(t)
	if _, err := b.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("kept")}); err != nil {
		t.Fatal(err)
	}
	done := b.run(t, onEC2(sh("app", "echo before; exit 3")))
	b.stopped(t, done)
	running := b.run(t, onEC2(patient("app")))
	b.printed(t, running, "app", "app up")
	stubborn := sh("app", "trap '' TERM; echo app up; while :; do usleep 20000; done")
	stubborn.StopTimeout = aws.Int32(3)
	stopping := b.run(t, onEC2(stubborn))
	b.printed(t, stopping, "app", "app up")
	b.halt(t, stopping, nil)
	keys := b.Vars["AWS_ACCESS_KEY_ID"]

	b.restart(t)

	if b.Vars["AWS_ACCESS_KEY_ID"] != keys {
		t.Error("the administrator's key changed")
	}
	clusters, err := b.ecs.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{"kept", "default"}})
	if err != nil || len(clusters.Clusters) != 2 {
		t.Errorf("%s %v", shown(clusters), err)
	}
	families, err := b.ecs.ListTaskDefinitions(t.Context(), nil)
	if err != nil || len(families.TaskDefinitionArns) != 3 {
		t.Errorf("%s %v", shown(families), err)
	}
	if end := b.describe(t, done); exited(t, end, "app") != 3 || aws.ToString(end.LastStatus) != "STOPPED" {
		t.Error(summary(end))
	}
	if end := b.describe(t, running); aws.ToString(end.LastStatus) != "STOPPED" || exited(t, end, "app") != 0 || end.StopCode != types.TaskStopCodeUserInitiated {
		t.Error(summary(end))
	}
	if end := b.describe(t, stopping); aws.ToString(end.LastStatus) != "STOPPED" || exited(t, end, "app") != 137 {
		t.Error(summary(end))
	}
	if got := b.output(t, done, "app"); got != "before" {
		t.Errorf("logs %q", got)
	}
	if got := b.prints(t, onEC2(sh("app", "echo after"))); got != "after" {
		t.Errorf("%q", got)
	}
	instances, err := b.ecs.ListContainerInstances(t.Context(), nil)
	if err != nil || len(instances.ContainerInstanceArns) != 1 {
		t.Errorf("%s %v", shown(instances), err)
	}
}

// TestKeepTasks leaves tasks running while there is no berth.
//
// Proves 1.1.
func TestKeepTasks(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--keep-tasks")
	d := onEC2(server("app"))
	c := sh("side", "trap 'exit 0' TERM; n=0; while :; do echo line $n; n=$((n+1)); usleep 200000; done")
	d.ContainerDefinitions = append(d.ContainerDefinitions, c)
	ec2, fargate := b.run(t, d), b.run(t, onFargate(patient("app")))
	task := b.running(t, ec2)
	b.printed(t, fargate, "app", "app up")
	url := fmt.Sprintf("http://127.0.0.1:%d/", *named(t, task, "app").NetworkBindings[0].HostPort)
	heard(t, url)
	id := named(t, task, "side").RuntimeId

	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if answer, err := http.Get(url); err != nil {
		t.Errorf("without berth the task does not answer: %v", err)
	} else {
		answer.Body.Close()
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}

	after := b.running(t, ec2)
	if got := named(t, after, "side").RuntimeId; *got != *id || !after.StartedAt.Equal(*task.StartedAt) {
		t.Errorf("the task was started again: %s", shown(after))
	}
	heard(t, url)
	before := strings.Count(b.output(t, ec2, "side"), "\n")
	eventually(t, "lines of after", func() bool { return strings.Count(b.output(t, ec2, "side"), "\n") > before+2 })
	for _, arn := range []string{ec2, fargate} {
		if end := b.stopTask(t, arn); end.StopCode != types.TaskStopCodeUserInitiated {
			t.Error(summary(end))
		}
	}
	lines := strings.Split(b.output(t, ec2, "side"), "\n")
	for i, line := range lines {
		if line != fmt.Sprint("line ", i) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}

// TestBare begins with an account as AWS hands it out.
//
// Proves 2B.1.
func TestBare(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--bare")
	b.role(t, "ecsTaskExecutionRole", "ecs-tasks.amazonaws.com", "ecr:*", "logs:*")
	clusters, err := b.ecs.ListClusters(t.Context(), nil)
	if err != nil || len(clusters.ClusterArns) != 0 {
		t.Fatalf("%s %v", shown(clusters), err)
	}
	if _, err := b.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("mine")}); err != nil {
		t.Fatal(err)
	}
	instances, err := b.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{Cluster: aws.String("mine")})
	if err != nil || len(instances.ContainerInstanceArns) != 0 {
		t.Errorf("%s %v", shown(instances), err)
	}
	d := onFargate(container("app", probe, "exit", "4"))
	in := b.place(t, d)
	in.TaskDefinition, in.Cluster = aws.String(b.register(t, d)), aws.String("mine")
	out, err := b.ecs.RunTask(t.Context(), in)
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("%s %v", shown(out), err)
	}
	b.stoppedIn(t, "mine", *out.Tasks[0].TaskArn, 4)
}

// stoppedIn waits for the end of a task of another cluster, and for its exit code.
func (b *berth) stoppedIn(t *testing.T, cluster, arn string, code int32) {
	t.Helper()
	var last types.Task
	eventually(t, "the end of "+arn, func() bool {
		out, err := b.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: []string{arn}})
		if err != nil || len(out.Tasks) != 1 {
			t.Fatalf("%s %v", shown(out), err)
		}
		last = out.Tasks[0]
		return aws.ToString(last.LastStatus) == "STOPPED"
	})
	if exited(t, last, "app") != code {
		t.Error(summary(last))
	}
}
