package ecs_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/berthhq/berth/store"
)

// cli runs the installed aws command and reads its JSON.
func (s *server) cli(args ...string) object {
	s.t.Helper()
	out, errs, code := s.CLI(s.t, s.Root, append([]string{"ecs"}, args...)...)
	if code != 0 {
		s.t.Fatalf("aws ecs %s: %d: %s", strings.Join(args, " "), code, errs)
	}
	got := object{}
	if out != "" && json.Unmarshal([]byte(out), &got) != nil {
		s.t.Fatalf("aws ecs %s printed %q", strings.Join(args, " "), out)
	}
	return got
}

// What people type, with the command they have.
func TestCommandLine(t *testing.T) {
	s := start(t)
	expect(t, "cluster", get(s.cli("create-cluster"), "cluster", "status"), "ACTIVE")
	s.instance(2048, 2048)
	s.cli("register-task-definition", "--family", "web", "--container-definitions", `[{"name": "app", "image": "nginx", "memory": 64}]`)
	run := s.cli("run-task", "--task-definition", "web", "--count", "2", "--tags", "key=a,value=b")
	key := get(run, "tasks", 0, "taskArn").(string)
	s.do("SubmitTaskStateChange", `{"cluster": "default", "task": %q, "status": "RUNNING", "containers": [{"containerName": "app", "status": "RUNNING"}]}`, key)
	s.cli("wait", "tasks-running", "--tasks", key)
	s.cli("stop-task", "--task", key)
	s.do("SubmitTaskStateChange", `{"cluster": "default", "task": %q, "status": "STOPPED", "containers": [{"containerName": "app", "status": "STOPPED", "exitCode": 143}]}`, key)
	s.cli("wait", "tasks-stopped", "--tasks", key)
	stopped := get(s.cli("describe-tasks", "--tasks", key, "--include", "TAGS"), "tasks", 0).(object)
	has(t, stopped, object{"stopCode": "UserInitiated", "stoppedReason": "Task stopped by user", "tags": []any{object{"key": "a", "value": "b"}}})
	expect(t, "exit code", get(stopped, "containers", 0, "exitCode"), 143.0)
	expect(t, "pages are joined", len(get(s.cli("list-tasks", "--page-size", "1"), "taskArns").([]any)), 1)
	_, errs, code := s.CLI(t, s.Root, "ecs", "list-tasks", "--cluster", "nowhere")
	if want := "An error occurred (ClusterNotFoundException) when calling the ListTasks operation: Cluster not found."; code == 0 || !strings.Contains(errs, want) {
		t.Errorf("%d %s", code, errs)
	}
}

const inPython = `
import boto3, json, os
from botocore.exceptions import ClientError
ecs = boto3.client("ecs", endpoint_url=os.environ["URL"])
ecs.create_cluster(clusterName="py", capacityProviders=["FARGATE"])
d = ecs.register_task_definition(family="batch", networkMode="awsvpc", cpu="256", memory="512", requiresCompatibilities=["FARGATE"],
    containerDefinitions=[{"name": "app", "image": "nginx", "command": ["a", "b"]}])["taskDefinition"]
run = dict(cluster="py", taskDefinition=d["taskDefinitionArn"], launchType="FARGATE",
    networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-a"], "assignPublicIp": "ENABLED"}})
task = ecs.run_task(**run)["tasks"][0]
try:
    ecs.run_task(**dict(run, count=11))
    refused = "taken"
except ecs.exceptions.InvalidParameterException as e:
    refused = e.response["Error"]["Message"]
try:
    ecs.create_service(serviceName="web")
    service = "taken"
except ClientError as e:
    service = e.response["Error"]["Code"]
ecs.run_task(**dict(run, clientToken="t"))
try:
    ecs.run_task(**dict(run, clientToken="t", count=2))
    conflict = "taken"
except ecs.exceptions.ConflictException as e:
    conflict = len(e.response["resourceIds"])
ecs.stop_task(cluster="py", task=task["taskArn"], reason="done")
ecs.get_waiter("tasks_stopped").wait(cluster="py", tasks=[task["taskArn"]])
listed = [a for p in ecs.get_paginator("list_tasks").paginate(cluster="py", PaginationConfig={"PageSize": 1}) for a in p["taskArns"]]
print(json.dumps({"created": task["createdAt"].year > 2000, "refused": refused, "service": service, "conflict": conflict, "listed": len(listed),
    "revisions": d["revision"], "stopped": ecs.describe_tasks(cluster="py", tasks=[task["taskArn"]])["tasks"][0]["stoppedReason"]}))
`

func TestBoto3(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.Command(python, "-c", "import boto3").Run() != nil {
		t.Skip("python3 with boto3 is not installed: `apt-get install python3-boto3`")
	}
	s := start(t)
	command := exec.CommandContext(t.Context(), python, "-c", inPython)
	command.Env = append(os.Environ(), "URL="+s.URL, "AWS_ACCESS_KEY_ID="+s.Root.ID, "AWS_SECRET_ACCESS_KEY="+s.Root.Secret,
		"AWS_DEFAULT_REGION="+scope.Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null")
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	got := object{}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%q: %v", out.String(), err)
	}
	expect(t, "what Python saw", got, object{
		"created": true, "refused": "count should be between 1 and 10", "service": "ClusterNotFoundException", "conflict": 1.0, "listed": 1.0,
		"revisions": 1.0, "stopped": "done",
	})
	if n := store.Tasks.Len(s.Store.View()); n != 2 {
		t.Errorf("%d tasks", n)
	}
}
