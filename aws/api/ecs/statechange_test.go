package ecs_test

import (
	"fmt"
	"testing"

	"github.com/berthhq/berth/store"
)

func TestTaskLifeAsTheAgentTellsIt(t *testing.T) {
	s := running(t)
	i := s.instance(1024, 1024)
	s.do("RegisterTaskDefinition", `{"family": "two", "containerDefinitions": [{"name": "app", "image": "a", "memory": 100, "portMappings": [{"containerPort": 80}]},
		{"name": "init", "image": "b", "memory": 50, "essential": false}]}`)
	key := get(s.do("RunTask", `{"taskDefinition": "two"}`), "tasks", 0, "taskArn").(string)
	report := func(rest string) answer {
		t.Helper()
		return s.do("SubmitTaskStateChange", "%s", fmt.Sprintf(`{"cluster": "default", "task": %q, %s}`, key, rest))
	}
	now := func() object {
		t.Helper()
		return get(s.do("DescribeTasks", `{"tasks": [%q]}`, key), "tasks", 0).(object)
	}

	expect(t, "acknowledged", report(`"status": "RUNNING", "pullStartedAt": 1790000000.5, "pullStoppedAt": 1790000001, "containers": [
		{"containerName": "init", "status": "RUNNING", "runtimeId": "r0"}, {"containerName": "init", "status": "STOPPED", "exitCode": 0},
		{"containerName": "app", "status": "RUNNING", "runtimeId": "r1", "imageDigest": "sha256:1",
			"networkBindings": [{"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32769, "protocol": "tcp"}]}]`).object, object{"acknowledgment": "ACCEPT"})
	up := now()
	has(t, up, object{"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "connectivity": "CONNECTED", "pullStartedAt": 1790000000.5})
	if up["startedAt"] == nil || up["connectivityAt"] == nil {
		t.Error("the times are missing")
	}
	has(t, get(up, "containers", 0).(object), object{
		"lastStatus": "RUNNING", "runtimeId": "r1", "imageDigest": "sha256:1",
		"networkBindings": []any{object{"bindIP": "0.0.0.0", "containerPort": 80.0, "hostPort": 32769.0, "protocol": "tcp"}},
	})
	has(t, get(up, "containers", 1).(object), object{"lastStatus": "STOPPED", "exitCode": 0.0, "runtimeId": "r0"})
	expect(t, "counted", get(s.do("DescribeContainerInstances", `{"containerInstances": [%q]}`, i), "containerInstances", 0, "runningTasksCount"), 1.0)
	version := up["version"]
	report(`"status": "RUNNING", "containers": [{"containerName": "app", "status": "RUNNING", "runtimeId": "r1"}]`)
	expect(t, "a repeated report changes nothing", now()["version"], version)

	report(`"status": "STOPPED", "executionStoppedAt": 1790000009, "containers": [{"containerName": "app", "status": "STOPPED", "exitCode": 137,
		"reason": "OutOfMemoryError: Container killed due to memory usage"}]`)
	down := now()
	has(t, down, object{
		"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
		"executionStoppedAt": 1790000009.0, "stoppingAt": 1790000009.0,
	})
	if down["stoppedAt"] == nil {
		t.Error("no time of its end")
	}
	has(t, get(down, "containers", 0).(object), object{"exitCode": 137.0, "reason": "OutOfMemoryError: Container killed due to memory usage"})
	if u := s.ledger(i); u.Tasks != 0 || u.CPU != 0 || u.Memory != 0 {
		t.Errorf("ledger %+v", u)
	}
	for range 2 { // the agent did not hear the answer
		report(`"status": "STOPPED"`)
		report(`"status": "RUNNING"`)
	}
	if u := s.ledger(i); u.Tasks != 0 {
		t.Errorf("given back twice: %+v", u)
	}
	expect(t, "never back", now()["lastStatus"], "STOPPED")
}

func TestContainerReports(t *testing.T) {
	s := running(t)
	s.instance(1024, 1024)
	key := get(s.do("RunTask", `{"taskDefinition": "web"}`), "tasks", 0, "taskArn").(string)
	s.do("SubmitContainerStateChange", `{"cluster": "default", "task": %q, "containerName": "app", "status": "RUNNING", "runtimeId": "r"}`, key)
	expect(t, "container", get(s.do("DescribeTasks", `{"tasks": [%q]}`, key), "tasks", 0, "containers", 0, "runtimeId"), "r")
	s.do("SubmitAttachmentStateChanges", `{"cluster": "default", "attachments": [{"attachmentArn": "arn:x", "status": "ATTACHED"}]}`)
}

func TestReportsComeFromTheRightInstance(t *testing.T) {
	s := running(t)
	mine, other := joined(s, "mine"), joined(s, "other")
	body := `{"cluster": "default", "totalResources": [{"name": "CPU", "integerValue": 1024}, {"name": "MEMORY", "integerValue": 1024}]}`
	i := get(s.as(mine, "RegisterContainerInstance", body), "containerInstance", "containerInstanceArn").(string)
	s.as(other, "RegisterContainerInstance", body)
	s.connect(i)
	key := get(s.do("RunTask", `{"taskDefinition": "web"}`), "tasks", 0, "taskArn").(string)
	report := fmt.Sprintf(`{"cluster": "default", "task": %q, "status": "STOPPED"}`, key)
	bound := func(id string) answer { // the gateway sees what was bound at registration
		k, _ := store.AccessKeys.Get(s.Store.View(), id)
		return s.as(*k, "SubmitTaskStateChange", report)
	}
	expect(t, "another agent", bound(other.ID).kind, "AccessDeniedException")
	expect(t, "the administrator", s.as(s.Root, "SubmitTaskStateChange", report).kind, "AccessDeniedException")
	expect(t, "untouched", get(s.do("DescribeTasks", `{"tasks": [%q]}`, key), "tasks", 0, "lastStatus"), "PENDING")
	expect(t, "its own", bound(mine.ID).kind, "")
	s.refused("SubmitTaskStateChange", `{"cluster": "default", "task": "`+scope.Task("default", "0")+`", "status": "RUNNING"}`, "InvalidParameterException", "The referenced task was not found.")
	s.refused("SubmitTaskStateChange", `{"cluster": "default", "task": "`+key+`", "status": "FLYING"}`, "InvalidParameterException", "Invalid task status 'FLYING'.")
}
