package ecs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

func joined(s *server, id string) identity.AccessKey {
	who := identity.RoleSession(scope.Global("iam", "role/ecsInstanceRole"), id)
	who.Agent = true
	return s.AddKey(s.t, identity.AccessKey{ID: "ASIA" + id, Secret: "secret", Principal: who, Active: true})
}

func TestRegistrationIsEchoedAndMeasured(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	out := s.do("RegisterContainerInstance", `{"cluster": "default", "instanceIdentityDocument": "{\"instanceId\": \"i-0123\", \"availabilityZone\": \"eu-central-1b\", \"instanceType\": \"t3.micro\", \"architecture\": \"x86_64\"}",
		"attributes": [{"name": "ecs.capability.task-eni"}, {"name": "stack", "value": "prod"}, {"name": "berth.boot-id", "value": "b1"}],
		"totalResources": [{"name": "CPU", "type": "INTEGER", "integerValue": 2048}, {"name": "MEMORY", "type": "INTEGER", "integerValue": 3900},
			{"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22", "2375"]}, {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []}],
		"platformDevices": [{"id": "GPU-0", "type": "GPU"}, {"id": "GPU-1", "type": "GPU"}],
		"versionInfo": {"agentVersion": "1.105.1", "agentHash": "a8b3e7d3", "dockerVersion": "DockerVersion: 20.10.24"}, "tags": []}`)
	i := get(out, "containerInstance").(object)
	resource := func(name, kind string, n float64, values ...any) object {
		r := object{"name": name, "type": kind, "doubleValue": 0.0, "longValue": 0.0, "integerValue": n}
		if kind == "STRINGSET" {
			r["stringSetValue"] = append([]any{}, values...)
		}
		return r
	}
	all := []any{
		resource("CPU", "INTEGER", 2048), resource("MEMORY", "INTEGER", 3900), resource("PORTS", "STRINGSET", 0, "22", "2375"),
		resource("PORTS_UDP", "STRINGSET", 0), resource("GPU", "STRINGSET", 0, "GPU-0", "GPU-1"),
	}
	has(t, i, object{
		"ec2InstanceId": "i-0123", "status": "ACTIVE", "agentConnected": false, "runningTasksCount": 0.0, "pendingTasksCount": 0.0, "version": 1.0,
		"registeredResources": all, "remainingResources": all, "attachments": []any{}, "tags": []any{},
		"versionInfo": object{"agentVersion": "1.105.1", "agentHash": "a8b3e7d3", "dockerVersion": "DockerVersion: 20.10.24"},
		"attributes": []any{
			object{"name": "ecs.availability-zone", "value": "eu-central-1b"}, object{"name": "ecs.capability.task-eni"},
			object{"name": "ecs.cpu-architecture", "value": "x86_64"}, object{"name": "ecs.instance-type", "value": "t3.micro"},
			object{"name": "ecs.os-type", "value": "linux"}, object{"name": "stack", "value": "prod"},
		},
	})

	key := i["containerInstanceArn"].(string)
	s.connect(key)
	s.do("RegisterTaskDefinition", `{"family": "gpu", "containerDefinitions": [{"name": "a", "image": "b", "cpu": 100, "memory": 400,
		"portMappings": [{"containerPort": 80, "hostPort": 8080}], "resourceRequirements": [{"type": "GPU", "value": "1"}]}]}`)
	made := s.do("RunTask", `{"taskDefinition": "gpu"}`)
	expect(t, "its GPU", get(made, "tasks", 0, "containers", 0, "gpuIds"), []any{"GPU-0"})
	described := get(s.do("DescribeContainerInstances", `{"containerInstances": [%q], "include": ["TAGS", "CONTAINER_INSTANCE_HEALTH"]}`, key), "containerInstances", 0).(object)
	has(t, described, object{
		"agentConnected": true, "pendingTasksCount": 1.0,
		"healthStatus": object{"overallStatus": "INSUFFICIENT_DATA", "details": []any{object{"type": "CONTAINER_RUNTIME", "status": "INSUFFICIENT_DATA"}}},
		"remainingResources": []any{
			resource("CPU", "INTEGER", 1948), resource("MEMORY", "INTEGER", 3500), resource("PORTS", "STRINGSET", 0, "22", "2375", "8080"),
			resource("PORTS_UDP", "STRINGSET", 0), resource("GPU", "STRINGSET", 0, "GPU-1"),
		},
	})
}

func TestRegisteringAgain(t *testing.T) {
	s := running(t)
	agent := joined(s, "agent1")
	register := func(key identity.AccessKey, more string) answer {
		return s.as(key, "RegisterContainerInstance", `{"cluster": "default", "totalResources": [{"name": "CPU", "integerValue": 1024}, {"name": "MEMORY", "integerValue": 1024}]`+more+`}`)
	}
	first := register(agent, `, "attributes": [{"name": "ecs.capability.old"}]`)
	key := get(first, "containerInstance", "containerInstanceArn").(string)
	bound, _ := store.AccessKeys.Get(s.Store.View(), agent.ID)
	expect(t, "keys are bound", bound.Principal.InstanceARN, key)

	s.connect(key)
	s.do("RunTask", `{"taskDefinition": "web"}`)
	s.do("PutAttributes", `{"attributes": [{"name": "stack", "value": "prod", "targetId": %q}]}`, key)
	s.do("UpdateContainerInstancesState", `{"containerInstances": [%q], "status": "DRAINING"}`, key)
	again := register(agent, `, "containerInstanceArn": "`+key+`", "attributes": [{"name": "ecs.capability.new"}]`)
	expect(t, "the same instance", get(again, "containerInstance", "containerInstanceArn"), key)
	expect(t, "still draining", get(again, "containerInstance", "status"), "DRAINING")
	var names []string
	for _, a := range get(again, "containerInstance", "attributes").([]any) {
		names = append(names, a.(object)["name"].(string))
	}
	expect(t, "capabilities are replaced, others kept", strings.Join(names, " "), "ecs.availability-zone ecs.capability.new ecs.os-type stack")
	if u := s.ledger(key); u.Tasks != 1 || u.CPU != 256 {
		t.Errorf("ledger %+v", u)
	}
	expect(t, "without its ARN too", get(register(agent, ""), "containerInstance", "containerInstanceArn"), key)

	other := joined(s, "agent2")
	for name, out := range map[string]answer{
		"another machine's keys":       register(other, `, "containerInstanceArn": "`+key+`"`),
		"bound keys, another instance": register(agent, fmt.Sprintf(`, "containerInstanceArn": %q`, scope.ContainerInstance("default", strings.Repeat("0", 32)))),
		"administrator":                register(s.Root, `, "containerInstanceArn": "`+key+`"`),
	} {
		expect(t, name, out.kind, "AccessDeniedException")
	}
	ofTask := s.AddKey(t, identity.AccessKey{ID: "ASIATASK", Secret: "secret", Active: true, Principal: identity.Principal{
		Kind: identity.AssumedRole, Account: scope.Account, ARN: "arn:x", TaskARN: "arn:task",
		RoleARN: scope.Global("iam", "role/ecsInstanceRole"), UserID: "AROAecsInstanceRole:x",
	}})
	expect(t, "a task's keys", register(ofTask, "").kind, "AccessDeniedException")

	s.do("CreateCluster", `{"clusterName": "other"}`)
	moved := s.as(agent, "RegisterContainerInstance", `{"cluster": "other", "containerInstanceArn": "`+key+`"}`)
	expect(t, "another cluster", moved.kind, "ClientException")
	expect(t, "no cluster", s.as(agent, "RegisterContainerInstance", `{"cluster": "nowhere"}`).kind, "ClusterNotFoundException")
}

func TestOffers(t *testing.T) {
	s := running(t)
	agent := joined(s, "agent1")
	body := `{"cluster": "default", "attributes": [{"name": "berth.offers.ec2", "value": "false"}, {"name": "berth.offers.fargate", "value": "true"},
		{"name": "berth.fargate-cpu-overcommit", "value": "4"}]}`
	key := get(s.as(agent, "RegisterContainerInstance", body), "containerInstance", "containerInstanceArn").(string)
	i, _ := store.Instances.Get(s.Store.View(), key)
	if i.OffersEC2 || !i.OffersFargate || i.FargateCPUOvercommit != 4 {
		t.Errorf("instance %+v", i)
	}
	expect(t, "not listed", get(s.do("ListContainerInstances", `{}`), "containerInstanceArns"), []any{})
	expect(t, "not described", get(s.do("DescribeContainerInstances", `{"containerInstances": [%q]}`, key), "failures", 0, "reason"), "MISSING")
	expect(t, "not counted", get(s.do("DescribeClusters", `{}`), "clusters", 0, "registeredContainerInstancesCount"), 0.0)
	expect(t, "attributes not listed", get(s.do("ListAttributes", `{"targetType": "container-instance"}`), "attributes"), []any{})
	s.refused("RunTask", `{"taskDefinition": "web"}`, "InvalidParameterException", "No Container Instances were found in your cluster.")
	s.refused("DeregisterContainerInstance", `{"containerInstance": "`+key+`"}`, "InvalidParameterException", "The specified container instance was not found.")

	bare := joined(s, "agent2")
	nowhere := strings.Replace(body, `"default"`, `"nowhere"`, 1)
	expect(t, "Fargate capacity in no cluster", s.as(bare, "RegisterContainerInstance", nowhere).kind, "")
	expect(t, "no cluster was made", len(get(s.do("ListClusters", `{}`), "clusterArns").([]any)), 1)

	official := s.AddKey(t, identity.AccessKey{ID: "ASIAOFFICIAL", Secret: "secret", Active: true, Principal: identity.RoleSession(scope.Global("iam", "role/ecsInstanceRole"), "i-1")})
	key = get(s.as(official, "RegisterContainerInstance", body), "containerInstance", "containerInstanceArn").(string)
	if i, _ := store.Instances.Get(s.Store.View(), key); i.OffersFargate {
		t.Error("keys that did not join offer Fargate capacity")
	}
}

func TestDeregister(t *testing.T) {
	s := running(t)
	i := s.instance(1024, 1024)
	made := s.do("RunTask", `{"taskDefinition": "web", "count": 2}`)
	s.refused("DeregisterContainerInstance", `{"containerInstance": "`+i+`"}`, "InvalidParameterException", "Found running tasks on the instance.")
	s.update(func(tx *store.Tx) { // one of them runs
		have, _ := store.Tasks.Get(tx, get(made, "tasks", 0, "taskArn").(string))
		next := *have
		next.Observed.Status = task.Running
		store.Tasks.Put(tx, &next)
	})
	out := s.do("DeregisterContainerInstance", `{"containerInstance": %q, "force": true}`, i)
	expect(t, "status", get(out, "containerInstance", "status"), "INACTIVE")
	for n := range 2 {
		t1 := get(s.do("DescribeTasks", `{"tasks": [%q]}`, get(made, "tasks", n, "taskArn")), "tasks", 0)
		expect(t, "its tasks", []any{get(t1, "lastStatus"), get(t1, "stoppedReason")}, []any{"STOPPED", "Container instance deregistration forced by user"})
	}
	if u := s.ledger(i); u.Tasks != 0 || u.CPU != 0 || u.Memory != 0 {
		t.Errorf("ledger %+v", u)
	}
	expect(t, "not listed", get(s.do("ListContainerInstances", `{}`), "containerInstanceArns"), []any{})
	expect(t, "still described", get(s.do("DescribeContainerInstances", `{"containerInstances": [%q]}`, i), "containerInstances", 0, "status"), "INACTIVE")
	again := s.do("DeregisterContainerInstance", `{"containerInstance": %q}`, i)
	expect(t, "again", get(again, "containerInstance", "status"), "INACTIVE")
	s.refused("RegisterContainerInstance", `{"containerInstanceArn": "`+i+`"}`, "ClientException", "The referenced container instance was deregistered.")
}

func TestListContainerInstances(t *testing.T) {
	s := running(t)
	a := s.instanceIn("default", 1024, 1024, `, {"name": "stack", "value": "prod"}`)
	b := s.instance(1024, 1024)
	s.do("UpdateContainerInstancesState", `{"containerInstances": [%q], "status": "DRAINING"}`, b)
	list := func(body string) any {
		t.Helper()
		return get(s.do("ListContainerInstances", "%s", body), "containerInstanceArns")
	}
	expect(t, "filter", list(`{"filter": "attribute:stack == prod"}`), []any{a})
	expect(t, "filter by state", list(`{"filter": "agentConnected == true and attribute:stack !exists"}`), []any{b})
	expect(t, "status", list(`{"status": "DRAINING"}`), []any{b})
	expect(t, "all", len(list(`{}`).([]any)), 2)
	page := s.do("ListContainerInstances", `{"maxResults": 1}`)
	next := s.do("ListContainerInstances", `{"maxResults": 1, "nextToken": %q}`, get(page, "nextToken"))
	expect(t, "pages differ", get(page, "containerInstanceArns", 0) == get(next, "containerInstanceArns", 0), false)
	expect(t, "and end", get(next, "nextToken"), nil)

	mixed := s.do("UpdateContainerInstancesState", `{"containerInstances": [%q, "%032d"], "status": "ACTIVE"}`, b, 1)
	expect(t, "active again", get(mixed, "containerInstances", 0, "status"), "ACTIVE")
	expect(t, "missing", get(mixed, "failures", 0, "reason"), "MISSING")
	for _, c := range []struct{ operation, body, kind, message string }{
		{"ListContainerInstances", `{"filter": "attribute:a =="}`, "InvalidParameterException", "Invalid filter 'attribute:a =='"},
		{"ListContainerInstances", `{"status": "BUSY"}`, "InvalidParameterException", "status should be one of"},
		{"UpdateContainerInstancesState", `{"containerInstances": ["` + a + `"], "status": "INACTIVE"}`, "InvalidParameterException", "Container instance status should be one of [ACTIVE, DRAINING]"},
		{"UpdateContainerInstancesState", `{"containerInstances": [], "status": "ACTIVE"}`, "ClientException", "Container Instances cannot be empty."},
		{"DescribeContainerInstances", `{"containerInstances": []}`, "ClientException", "Container Instances cannot be empty."},
		{"UpdateContainerAgent", `{"containerInstance": "` + a + `"}`, "NoUpdateAvailableException", "There is no update available for your container agent."},
		{"RegisterContainerInstance", `{"attributes": [{"name": "a b"}]}`, "InvalidParameterException", "Invalid attribute name 'a b'."},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
}

func TestPollEndpoint(t *testing.T) {
	s := running(t)
	out := s.do("DiscoverPollEndpoint", `{"cluster": "default", "containerInstance": "x", "zoneId": ""}`)
	expect(t, "endpoints", out.object, object{"endpoint": s.URL + "/acs", "telemetryEndpoint": s.URL + "/tcs"})
}

// TestADeregisteredInstanceShowsNoKeys ends what its programs got; its agent's own
// keys stay, to register again with.
func TestADeregisteredInstanceShowsNoKeys(t *testing.T) {
	s := running(t)
	agent := joined(s, "agent1")
	out := s.as(agent, "RegisterContainerInstance", `{"cluster": "default", "totalResources": [{"name": "CPU", "integerValue": 1024}, {"name": "MEMORY", "integerValue": 1024}]}`)
	instance := get(out, "containerInstance", "containerInstanceArn").(string)
	who := identity.RoleSession(scope.Global("iam", "role/ecsInstanceRole"), "agent1")
	who.InstanceARN = instance
	shown := s.AddKey(t, identity.AccessKey{ID: "ASIASHOWN", Secret: "secret", Principal: who, Active: true, Use: identity.UseInstance})
	if out := s.as(shown, "RegisterContainerInstance", `{"cluster": "default"}`); out.kind != "AccessDeniedException" {
		t.Errorf("keys that are shown registered an instance: %+v", out)
	}
	s.do("DeregisterContainerInstance", `{"cluster": "default", "containerInstance": %q}`, instance)
	if _, ok := store.AccessKeys.Get(s.Store.View(), shown.ID); ok {
		t.Error("the keys it showed are left")
	}
	if _, ok := store.AccessKeys.Get(s.Store.View(), agent.ID); !ok {
		t.Error("its agent's keys are gone")
	}
}
