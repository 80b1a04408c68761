package ecs_test

import (
	"testing"

	"github.com/berthhq/berth/store"
)

const notBySets = "Amazon ECS only supports task set management on services configured to use external deployment controllers."

func (s *server) define(family string) {
	s.do("RegisterTaskDefinition", `{"family": %q, "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64}]}`, family)
}

// Proves task-sets-external.
func TestTaskSetsOfAnExternalController(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	s.define("web")
	made := s.do("CreateService", `{"serviceName": "web", "deploymentController": {"type": "EXTERNAL"}, "desiredCount": 3}`)
	expect(t, "no task sets yet", get(made, "service", "taskSets"), []any{})
	expect(t, "nothing to run yet", get(made, "service", "taskDefinition"), nil)

	blue := get(s.do("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web", "externalId": "x", "launchType": "EC2",
		"scale": {"value": 50, "unit": "PERCENT"}, "clientToken": "t", "tags": [{"key": "a", "value": "b"}]}`), "taskSet").(object)
	id, key := blue["id"].(string), blue["taskSetArn"].(string)
	expect(t, "ARN", key, scope.TaskSet("default", "web", id))
	has(t, blue, object{
		"status": "ACTIVE", "externalId": "x", "launchType": "EC2", "taskDefinition": scope.TaskDefinition("web", 1), "serviceArn": scope.Service("default", "web"),
		"clusterArn": scope.Cluster("default"), "scale": object{"value": 50.0, "unit": "PERCENT"}, "stabilityStatus": "STABILIZING",
		"computedDesiredCount": 0.0, "runningCount": 0.0, "pendingCount": 0.0, "tags": []any{object{"key": "a", "value": "b"}},
		"loadBalancers": []any{}, "serviceRegistries": []any{}, "startedBy": nil,
	})
	again := s.do("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web", "clientToken": "t"}`)
	expect(t, "the same token", get(again, "taskSet", "id"), id)

	s.do("UpdateServicePrimaryTaskSet", `{"cluster": "default", "service": "web", "primaryTaskSet": %q}`, key)
	green := get(s.do("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web:1"}`), "taskSet", "id").(string)
	s.do("UpdateServicePrimaryTaskSet", `{"cluster": "default", "service": "web", "primaryTaskSet": %q}`, green)
	s.do("CreateService", `{"serviceName": "web", "deploymentController": {"type": "EXTERNAL"}, "desiredCount": 3}`) // is the same one
	all := s.do("DescribeServices", `{"services": ["web"]}`)
	expect(t, "deployments", get(all, "services", 0, "deployments"), []any{})
	expect(t, "what the primary one runs", get(all, "services", 0, "taskDefinition"), scope.TaskDefinition("web", 1))
	expect(t, "the old primary", get(all, "services", 0, "taskSets", 0, "status"), "ACTIVE")
	expect(t, "the new primary", get(all, "services", 0, "taskSets", 1, "status"), "PRIMARY")
	expect(t, "all of the service", get(all, "services", 0, "taskSets", 1, "scale", "value"), 100.0)

	scaled := s.do("UpdateTaskSet", `{"cluster": "default", "service": "web", "taskSet": %q, "scale": {"value": 0, "unit": "PERCENT"}}`, id)
	expect(t, "scaled", get(scaled, "taskSet", "scale", "value"), 0.0)
	gone := s.do("DeleteTaskSet", `{"cluster": "default", "service": "web", "taskSet": %q}`, id)
	expect(t, "deleted", get(gone, "taskSet", "status"), "DRAINING")
	some := s.do("DescribeTaskSets", `{"cluster": "default", "service": "web", "taskSets": [%q, "ecs-svc/1"], "include": ["TAGS"]}`, key)
	expect(t, "tags", get(some, "taskSets", 0, "tags", 0, "value"), "b")
	expect(t, "failure", get(some, "failures", 0, "reason"), "MISSING")
	expect(t, "every one", len(get(s.do("DescribeTaskSets", `{"cluster": "default", "service": "web"}`), "taskSets").([]any)), 2)
}

// Proves task-sets-external.
func TestWhatTaskSetsRefuse(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	s.define("web")
	s.do("CreateService", `{"serviceName": "rolling", "taskDefinition": "web", "desiredCount": 0}`)
	s.do("CreateService", `{"serviceName": "web", "deploymentController": {"type": "EXTERNAL"}}`)
	id := get(s.do("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web"}`), "taskSet", "id").(string)
	for _, c := range []struct{ operation, body, kind, message string }{
		{"CreateTaskSet", `{"cluster": "default", "service": "rolling", "taskDefinition": "web"}`, "InvalidParameterException", notBySets},
		{"DescribeTaskSets", `{"cluster": "default", "service": "rolling"}`, "InvalidParameterException", notBySets},
		{"CreateTaskSet", `{"cluster": "default", "service": "none", "taskDefinition": "web"}`, "ServiceNotFoundException", "Service not found."},
		{"CreateTaskSet", `{"cluster": "none", "service": "web", "taskDefinition": "web"}`, "ClusterNotFoundException", "Cluster not found."},
		{"CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "none"}`, "ClientException", "TaskDefinition not found."},
		{"CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web", "scale": {"value": 101}}`, "InvalidParameterException", "scale value should be between 0 and 100"},
		{"UpdateTaskSet", `{"cluster": "default", "service": "web", "taskSet": "` + id + `", "scale": {"value": -1}}`, "InvalidParameterException", "scale value"},
		{"UpdateTaskSet", `{"cluster": "default", "service": "web", "taskSet": "ecs-svc/1", "scale": {"value": 1}}`, "TaskSetNotFoundException", "The specified task set does not exist."},
		{"UpdateServicePrimaryTaskSet", `{"cluster": "default", "service": "web", "primaryTaskSet": "ecs-svc/1"}`, "TaskSetNotFoundException", "The specified task set"},
		{"DeleteTaskSet", `{"cluster": "default", "service": "web", "taskSet": "` + id + `"}`, "InvalidParameterException", "The task set cannot be deleted while it is scaled above 0."},
		{"UpdateService", `{"service": "web", "taskDefinition": "web"}`, "InvalidParameterException", "Unable to update task definition on services with an EXTERNAL deployment controller."},
		{"CreateService", `{"serviceName": "no", "deploymentController": {"type": "EXTERNAL"}, "taskDefinition": "web"}`, "InvalidParameterException", "TaskDefinition must be blank"},
		{"CreateService", `{"serviceName": "no", "deploymentController": {"type": "EXTERNAL"}, "launchType": "EC2"}`, "InvalidParameterException", "LaunchType must be blank"},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
	for range maxSets - 1 {
		s.do("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web"}`)
	}
	s.refused("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web"}`, "InvalidParameterException",
		"5 deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.")
	s.do("UpdateServicePrimaryTaskSet", `{"cluster": "default", "service": "web", "primaryTaskSet": %q}`, id)
	s.refused("DeleteTaskSet", `{"cluster": "default", "service": "web", "taskSet": "`+id+`"}`, "InvalidParameterException", "The primary task set cannot be deleted.")
	s.do("DeleteTaskSet", `{"cluster": "default", "service": "web", "taskSet": %q, "force": true}`, id)
	s.refused("UpdateServicePrimaryTaskSet", `{"cluster": "default", "service": "web", "primaryTaskSet": "`+id+`"}`, "InvalidParameterException", "The task set "+id+" is DRAINING.")
}

const maxSets = 5

// Proves task-sets-external.
func TestCodeDeployBeginsWithATaskSet(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	s.define("web")
	s.refused("CreateService", `{"serviceName": "web", "deploymentController": {"type": "CODE_DEPLOY"}, "desiredCount": 1}`, "InvalidParameterException", "TaskDefinition can not be blank.")
	made := get(s.do("CreateService", `{"serviceName": "web", "deploymentController": {"type": "CODE_DEPLOY"}, "desiredCount": 1, "taskDefinition": "web"}`), "service").(object)
	expect(t, "deployments", made["deployments"], []any{})
	has(t, get(made, "taskSets", 0).(object), object{"status": "PRIMARY", "taskDefinition": scope.TaskDefinition("web", 1), "scale": object{"value": 100.0, "unit": "PERCENT"}})
	s.refused("UpdateService", `{"service": "web", "taskDefinition": "web"}`, "InvalidParameterException", "Unable to update task definition on services with a CODE_DEPLOY deployment controller.")
}

func TestTagsOfTaskSets(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	s.define("web")
	s.do("CreateService", `{"serviceName": "web", "deploymentController": {"type": "EXTERNAL"}}`)
	key := get(s.do("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web"}`), "taskSet", "taskSetArn").(string)
	s.do("TagResource", `{"resourceArn": %q, "tags": [{"key": "a", "value": "b"}, {"key": "c", "value": "d"}]}`, key)
	s.do("UntagResource", `{"resourceArn": %q, "tagKeys": ["a"]}`, key)
	expect(t, "tags", get(s.do("ListTagsForResource", `{"resourceArn": %q}`, key), "tags"), []any{object{"key": "c", "value": "d"}})
	s.refused("TagResource", `{"resourceArn": "`+key+`0", "tags": [{"key": "a"}]}`, "TaskSetNotFoundException", "The specified task set")
}

// A task set that is scaled is not steady any more, before any planner has looked.
func TestAScaledTaskSetIsStabilizingAtOnce(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	s.define("web")
	s.do("CreateService", `{"serviceName": "web", "deploymentController": {"type": "EXTERNAL"}, "desiredCount": 2}`)
	made := get(s.do("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web", "scale": {"value": 0}}`), "taskSet").(object)
	steady := func(is bool) {
		s.update(func(tx *store.Tx) {
			have, _ := store.TaskSets.Get(tx, made["taskSetArn"].(string))
			next := *have
			next.Steady = is
			store.TaskSets.Put(tx, &next)
		})
	}
	steady(true)
	same := s.do("UpdateTaskSet", `{"cluster": "default", "service": "web", "taskSet": %q, "scale": {"value": 0}}`, made["id"])
	expect(t, "scaled to what it is", get(same, "taskSet", "stabilityStatus"), "STEADY_STATE")
	s.do("UpdateService", `{"service": "web", "desiredCount": 7}`)
	expect(t, "nothing of more", get(s.do("DescribeTaskSets", `{"cluster": "default", "service": "web"}`), "taskSets", 0, "stabilityStatus"), "STEADY_STATE")
	more := s.do("UpdateTaskSet", `{"cluster": "default", "service": "web", "taskSet": %q, "scale": {"value": 50}}`, made["id"])
	expect(t, "scaled", get(more, "taskSet", "stabilityStatus"), "STABILIZING")
	steady(true)
	s.do("UpdateService", `{"service": "web", "desiredCount": 9}`)
	expect(t, "its service scaled", get(s.do("DescribeTaskSets", `{"cluster": "default", "service": "web"}`), "taskSets", 0, "stabilityStatus"), "STABILIZING")
}
