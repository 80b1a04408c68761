package ecs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthhq/berth/store"
)

// running is a server with the default cluster and both definitions.
func running(t testing.TB) *server {
	s := start(t)
	s.do("CreateCluster", `{"capacityProviders": ["FARGATE", "FARGATE_SPOT"]}`)
	s.do("RegisterTaskDefinition", bridgeDefinition)
	s.do("RegisterTaskDefinition", fargateDefinition)
	s.do("RegisterTaskDefinition", `{"family": "vpc", "networkMode": "awsvpc", `+definitionTail+`}`)
	return s
}

func TestRunOnEC2IsPlacedAtOnce(t *testing.T) {
	s := running(t)
	i := s.instance(1024, 300)
	out := s.do("RunTask", `{"taskDefinition": "web", "count": 3, "startedBy": "ci/1", "tags": [{"key": "a", "value": "b"}], "enableECSManagedTags": true}`)
	tasks := get(out, "tasks").([]any)
	if len(tasks) != 2 {
		t.Fatalf("placed %d tasks, memory is for two: %s", len(tasks), indented(out.object))
	}
	expect(t, "failures", get(out, "failures"), []any{object{"arn": i, "reason": "RESOURCE:MEMORY", "detail": unfit(i, "MEMORY needs 128, has 44", "memory")}})
	task := tasks[0].(object)
	has(t, task, object{
		"lastStatus": "PENDING", "desiredStatus": "RUNNING", "launchType": "EC2", "containerInstanceArn": i, "group": "family:web",
		"startedBy": "ci/1", "version": 2.0, "availabilityZone": "eu-central-1a", "healthStatus": "UNKNOWN", "enableExecuteCommand": false,
		"attachments": []any{}, "tags": []any{}, "inferenceAccelerators": []any{},
		"overrides": object{"containerOverrides": []any{object{"name": "app"}}, "inferenceAcceleratorOverrides": []any{}},
	})
	has(t, get(task, "containers", 0).(object), object{
		"name": "app", "image": "nginx", "lastStatus": "PENDING", "cpu": "256", "memory": "128", "healthStatus": "UNKNOWN",
		"networkBindings": []any{}, "networkInterfaces": []any{}, "taskArn": task["taskArn"],
	})
	for _, absent := range []string{"cpu", "memory", "stopCode", "stoppedReason", "stoppedAt", "startedAt", "platformVersion", "capacityProviderName"} {
		if v, there := task[absent]; there {
			t.Errorf("%s is there: %v", absent, v)
		}
	}
	described := s.do("DescribeTasks", `{"tasks": [%q], "include": ["TAGS"]}`, task["taskArn"])
	expect(t, "tags", get(described, "tasks", 0, "tags"), []any{object{"key": "a", "value": "b"}, object{"key": "aws:ecs:clusterName", "value": "default"}})
	if u := s.ledger(i); u.CPU != 512 || u.Memory != 256 || u.Tasks != 2 {
		t.Errorf("ledger %+v", u)
	}
	expect(t, "cluster", get(s.do("DescribeClusters", `{}`), "clusters", 0, "pendingTasksCount"), 2.0)
}

func TestRunOnFargateWaitsForTheLoop(t *testing.T) {
	s := running(t)
	out := s.do("RunTask", fargateRun)
	task := get(out, "tasks", 0).(object)
	has(t, task, object{
		"lastStatus": "PROVISIONING", "desiredStatus": "RUNNING", "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux",
		"cpu": "256", "memory": "512", "ephemeralStorage": object{"sizeInGiB": 20.0}, "fargateEphemeralStorage": object{"sizeInGiB": 20.0},
	})
	if task["containerInstanceArn"] != nil {
		t.Error("a Fargate task shows its instance")
	}
	stored, _ := store.Tasks.Get(s.Store.View(), task["taskArn"].(string))
	expect(t, "groups default to the VPC's", stored.Spec.NetworkConfiguration.SecurityGroups, []string{"sg-default"})

	spread := s.do("RunTask", `{"taskDefinition": "batch", "count": 10, "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}},
		"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "base": 2, "weight": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 3}]}`)
	count := map[any]int{}
	for _, task := range get(spread, "tasks").([]any) {
		count[task.(object)["capacityProviderName"]]++
	}
	expect(t, "base, then weights", count, map[any]int{"FARGATE": 4, "FARGATE_SPOT": 6})

	s.refused("PutClusterCapacityProviders", `{"cluster": "default", "capacityProviders": ["FARGATE_SPOT"], "defaultCapacityProviderStrategy": []}`,
		"ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
	s.do("PutClusterCapacityProviders", `{"cluster": "default", "capacityProviders": ["FARGATE", "FARGATE_SPOT"], "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}`)
	byDefault := s.do("RunTask", `{"taskDefinition": "batch", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}}`)
	expect(t, "the cluster's strategy", get(byDefault, "tasks", 0, "capacityProviderName"), "FARGATE_SPOT")
	expect(t, "its launch type", get(byDefault, "tasks", 0, "launchType"), "FARGATE")
}

func TestOverridesAreAppliedAndShown(t *testing.T) {
	s := running(t)
	i := s.instance(4096, 4096)
	out := s.do("RunTask", `{"taskDefinition": "web", "overrides": {"cpu": "1 vCPU", "memory": "1GB", "taskRoleArn": "other", "containerOverrides": [
		{"name": "app", "command": ["x"], "cpu": 300, "environment": [{"name": "A", "value": "1"}]}]}}`)
	task := get(out, "tasks", 0)
	expect(t, "overrides", get(task, "overrides"), object{
		"cpu": "1024", "memory": "1024", "taskRoleArn": "arn:aws:iam::123456789012:role/other", "inferenceAcceleratorOverrides": []any{},
		"containerOverrides": []any{object{"name": "app", "command": []any{"x"}, "cpu": 300.0, "environment": []any{object{"name": "A", "value": "1"}}}},
	})
	expect(t, "size", []any{get(task, "cpu"), get(task, "memory"), get(task, "containers", 0, "cpu")}, []any{"1024", "1024", "300"})
	if u := s.ledger(i); u.CPU != 1024 || u.Memory != 1024 {
		t.Errorf("ledger %+v", u)
	}
}

func TestRunRefusals(t *testing.T) {
	s := running(t)
	s.do("CreateCluster", `{"clusterName": "gone"}`)
	s.do("DeleteCluster", `{"cluster": "gone"}`)
	s.do("RegisterTaskDefinition", `{"family": "old", `+definitionTail+`}`)
	s.do("DeregisterTaskDefinition", `{"taskDefinition": "old:1"}`)
	s.do("RegisterTaskDefinition", `{"family": "efs", "volumes": [{"name": "e", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}], `+definitionTail+`}`)
	s.refused("RunTask", `{"taskDefinition": "web"}`, "InvalidParameterException", "No Container Instances were found in your cluster.")
	s.instance(1024, 1024)
	network := func(inside string) string {
		return `{"taskDefinition": "vpc", "networkConfiguration": {"awsvpcConfiguration": {` + inside + `}}}`
	}
	fargate := func(more string) string { return strings.TrimSuffix(fargateRun, "}") + ", " + more + "}" }
	many := strings.TrimSuffix(strings.Repeat(`"subnet-a",`, 17), ",")
	for _, c := range []struct{ body, kind, message string }{
		{`{"taskDefinition": "web", "count": 11}`, "InvalidParameterException", "count should be between 1 and 10"},
		{`{"taskDefinition": "web", "count": 0}`, "InvalidParameterException", "count should be between 1 and 10"},
		{`{"taskDefinition": "nobody"}`, "ClientException", "TaskDefinition not found."},
		{`{"taskDefinition": "old:1"}`, "ClientException", "TaskDefinition is inactive"},
		{`{"taskDefinition": "web", "cluster": "nowhere"}`, "ClusterNotFoundException", "Cluster not found."},
		{`{"taskDefinition": "web", "cluster": "gone"}`, "ClientException", "The referenced cluster was inactive."},
		{`{"taskDefinition": "web", "launchType": "FARGATE"}`, "InvalidParameterException", "Task definition does not support launch_type FARGATE."},
		{`{"taskDefinition": "web", "launchType": "LAMBDA"}`, "InvalidParameterException", "launch type should be one of"},
		{`{"taskDefinition": "web", "launchType": "EC2", "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}`, "InvalidParameterException", "Specifying both a launch type and capacity provider strategy is not supported."},
		{`{"taskDefinition": "batch", "capacityProviderStrategy": [{"capacityProvider": "mine"}]}`, "InvalidParameterException", "The specified capacity provider strategy cannot contain"},
		{`{"taskDefinition": "web", "platformVersion": "1.4.0"}`, "InvalidParameterException", "The platform version must be null when specifying an EC2 launch type."},
		{fargate(`"platformVersion": "9.9.9"`), "PlatformUnknownException", "The specified platform does not exist."},
		{fargate(`"placementConstraints": [{"type": "distinctInstance"}]`), "InvalidParameterException", "Placement constraints are not supported with FARGATE launch type."},
		{fargate(`"placementStrategy": [{"type": "random"}]`), "InvalidParameterException", "Placement strategies are not supported with FARGATE launch type."},
		{fargate(`"overrides": {"memory": "4096"}`), "InvalidParameterException", "No Fargate configuration exists for given values: 256 CPU, 4096 memory."},
		{`{"taskDefinition": "vpc"}`, "InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{`{"taskDefinition": "web", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}}`, "InvalidParameterException", "Network Configuration is not valid for the given networkMode of this task definition."},
		{network(`"subnets": []`), "InvalidParameterException", "subnets can not be empty."},
		{network(`"subnets": [` + many + `]`), "InvalidParameterException", "subnets can have at most 16 items."},
		{network(`"subnets": ["subnet-x"]`), "InvalidParameterException", "Error retrieving subnet information for [subnet-x]: The subnet ID 'subnet-x' does not exist (ErrorCode: InvalidSubnetID.NotFound)"},
		{network(`"subnets": ["subnet-a", "subnet-other"]`), "InvalidParameterException", "The subnets should be in the same VPC."},
		{network(`"subnets": ["subnet-a"], "securityGroups": ["sg-x"]`), "InvalidParameterException", "Error retrieving security group information for [sg-x]: The security group 'sg-x' does not exist"},
		{network(`"subnets": ["subnet-a"], "securityGroups": ["sg-other"]`), "InvalidParameterException", "Security group sg-other does not appear to belong to the same VPC as the input subnets."},
		{network(`"subnets": ["subnet-a"], "assignPublicIp": "ENABLED"`), "InvalidParameterException", "Assign public IP is not supported for this launch type."},
		{`{"taskDefinition": "web", "overrides": {"containerOverrides": [{"name": "db"}]}}`, "InvalidParameterException", "Override for container named db is not a container in the TaskDefinition."},
		{`{"taskDefinition": "web", "overrides": {"containerOverrides": [{"name": "app", "command": ["` + strings.Repeat("x", 8192) + `"]}]}}`, "InvalidParameterException", "Container Overrides length must be at most 8192"},
		{`{"taskDefinition": "web", "overrides": {"cpu": "much"}}`, "InvalidParameterException", "Invalid 'cpu' setting for task."},
		{`{"taskDefinition": "web", "group": "service:web"}`, "InvalidParameterException", "Invalid namespace for group."},
		{`{"taskDefinition": "web", "startedBy": "` + strings.Repeat("x", 129) + `"}`, "InvalidParameterException", "startedBy can have at most 128 characters."},
		{`{"taskDefinition": "web", "propagateTags": "SERVICE"}`, "InvalidParameterException", "propagateTags should be one of"},
		{`{"taskDefinition": "web", "placementConstraints": [{"type": "distinctInstance", "expression": "x"}]}`, "InvalidParameterException", "distinctInstance expression should not be specified"},
		{`{"taskDefinition": "web", "placementConstraints": [{"type": "memberOf", "expression": "attribute:"}]}`, "InvalidParameterException", "Invalid expression 'attribute:'"},
		{`{"taskDefinition": "web", "placementStrategy": [{"type": "spread"}]}`, "InvalidParameterException", "placement strategy field should not be null or empty"},
		{`{"taskDefinition": "web", "placementStrategy": [` + strings.TrimSuffix(strings.Repeat(`{"type": "random"},`, 6), ",") + `]}`, "InvalidParameterException", "Maximum number of strategies is 5"},
		{`{"taskDefinition": "efs"}`, "UnsupportedFeatureException", "Amazon EFS volumes are not supported yet."},
		{`{"taskDefinition": "web", "tags": [{"key": "` + strings.Repeat("k", 129) + `"}]}`, "InvalidParameterException", "1 validation error detected: Value 'k"},
		{`{"taskDefinition": "web", "clientToken": "` + strings.Repeat("t", 65) + `"}`, "InvalidParameterException", "clientToken can have at most 64 characters."},
		{`{"taskDefinition": "web", "clientToken": "a b"}`, "InvalidParameterException", "clientToken contains invalid characters."},
	} {
		s.refused("RunTask", c.body, c.kind, c.message)
	}
	if n := store.Tasks.Len(s.Store.View()); n != 0 {
		t.Errorf("%d tasks were made by refused calls", n)
	}
}

func TestClientTokenRunsOnce(t *testing.T) {
	s := running(t)
	i := s.instance(1024, 200)
	body := `{"taskDefinition": "web", "count": 2, "clientToken": "once"}`
	first := s.do("RunTask", "%s", body)
	if n := len(get(first, "tasks").([]any)); n != 1 {
		t.Fatalf("%d tasks", n)
	}
	again := s.do("RunTask", "%s", body)
	expect(t, "the same tasks", get(again, "tasks", 0, "taskArn"), get(first, "tasks", 0, "taskArn"))
	expect(t, "the same failures", get(again, "failures"), get(first, "failures"))
	if u := s.ledger(i); u.Tasks != 1 {
		t.Errorf("ledger %+v", u)
	}
	conflict := s.as(s.Root, "RunTask", `{"taskDefinition": "web", "count": 1, "clientToken": "once"}`)
	expect(t, "conflict", conflict.kind, "ConflictException")
	expect(t, "resources", conflict.object["resourceIds"], []any{get(first, "tasks", 0, "taskArn")})
}

func TestRefusalsNameWhatIsMissing(t *testing.T) {
	s := running(t)
	i := s.instance(1024, 1024)
	reason := func(body string) any {
		t.Helper()
		return get(s.do("RunTask", "%s", body), "failures", 0, "reason")
	}
	expect(t, "cpu", reason(`{"taskDefinition": "web", "overrides": {"cpu": "2048"}}`), "RESOURCE:CPU")
	s.do("RegisterTaskDefinition", `{"family": "ports", "containerDefinitions": [{"name": "a", "image": "b", "memory": 4, "portMappings": [{"containerPort": 80, "hostPort": 22}]}]}`)
	expect(t, "a reserved port", reason(`{"taskDefinition": "ports"}`), "RESOURCE:PORTS")
	s.do("RegisterTaskDefinition", `{"family": "gpu", "containerDefinitions": [{"name": "a", "image": "b", "memory": 4, "resourceRequirements": [{"type": "GPU", "value": "1"}]}]}`)
	expect(t, "gpu", reason(`{"taskDefinition": "gpu"}`), "RESOURCE:GPU")
	s.do("RegisterTaskDefinition", `{"family": "logs", "containerDefinitions": [{"name": "a", "image": "b", "memory": 4, "logConfiguration": {"logDriver": "journald"}}]}`)
	expect(t, "a capability", reason(`{"taskDefinition": "logs"}`), "ATTRIBUTE")
	s.do("RegisterTaskDefinition", `{"family": "arm", "runtimePlatform": {"cpuArchitecture": "ARM64"}, "containerDefinitions": [{"name": "a", "image": "b", "memory": 4}]}`)
	expect(t, "the platform", reason(`{"taskDefinition": "arm"}`), "ATTRIBUTE")
	expect(t, "a constraint", reason(`{"taskDefinition": "web", "placementConstraints": [{"type": "memberOf", "expression": "attribute:stack == prod"}]}`), "MemberOf placement constraint unsatisfied.")
	s.update(func(tx *store.Tx) {
		have, _ := store.Instances.Get(tx, i)
		next := *have
		next.Connected = false
		store.Instances.Put(tx, &next)
	})
	expect(t, "the agent", reason(`{"taskDefinition": "web"}`), "AGENT")
}

func TestStartTask(t *testing.T) {
	s := running(t)
	a, b := s.instance(256, 128), s.instance(256, 128)
	body := fmt.Sprintf(`{"taskDefinition": "web", "containerInstances": [%q, %q, "%032d"]}`, b, a[strings.LastIndex(a, "/")+1:], 7)
	out := s.do("StartTask", "%s", body)
	expect(t, "where", []any{get(out, "tasks", 0, "containerInstanceArn"), get(out, "tasks", 1, "containerInstanceArn")}, []any{b, a})
	expect(t, "failure", get(out, "failures", 0, "reason"), "MISSING")
	again := s.do("StartTask", `{"taskDefinition": "web", "containerInstances": [%q]}`, a)
	expect(t, "full", get(again, "failures"), []any{object{"arn": a, "reason": "RESOURCE:CPU", "detail": unfit(a, "CPU needs 256, has 0; MEMORY needs 128, has 0", "cpu")}})
	s.refused("StartTask", `{"taskDefinition": "web", "containerInstances": []}`, "ClientException", "Container Instances cannot be empty.")
	s.refused("StartTask", `{"taskDefinition": "batch", "containerInstances": ["`+a+`"]}`, "InvalidParameterException", "Network Configuration must be provided")
	s.refused("StartTask", `{"taskDefinition": "web", "containerInstances": ["x"]}`, "InvalidParameterException", "instanceId length should be one of [32,36]")
}

func TestStopAndDescribe(t *testing.T) {
	s := running(t)
	s.instance(1024, 1024)
	waiting := get(s.do("RunTask", fargateRun), "tasks", 0, "taskArn").(string)
	placed := get(s.do("RunTask", `{"taskDefinition": "web"}`), "tasks", 0, "taskArn").(string)

	out := s.do("StopTask", `{"task": %q}`, waiting)
	expect(t, "a task without a place stops at once", get(out, "task", "lastStatus"), "STOPPED")
	expect(t, "reason", get(out, "task", "stoppedReason"), "Task stopped by user")
	expect(t, "code", get(out, "task", "stopCode"), "UserInitiated")
	if get(out, "task", "stoppedAt") == nil || get(out, "task", "stoppingAt") == nil {
		t.Error("the times are missing")
	}
	expect(t, "its container", get(out, "task", "containers", 0, "lastStatus"), "STOPPED")
	out = s.do("StopTask", `{"task": %q, "reason": "enough"}`, placed[strings.LastIndex(placed, "/")+1:])
	expect(t, "a placed one waits for its agent", get(out, "task", "lastStatus"), "STOPPING")
	expect(t, "desired", get(out, "task", "desiredStatus"), "STOPPED")
	expect(t, "reason given", get(out, "task", "stoppedReason"), "enough")
	expect(t, "again changes nothing", get(s.do("StopTask", `{"task": %q}`, placed), "task", "stoppedReason"), "enough")

	missing := fmt.Sprintf("%032d", 1)
	described := s.do("DescribeTasks", `{"tasks": [%q, %q]}`, placed, missing)
	expect(t, "found", get(described, "tasks", 0, "taskArn"), placed)
	expect(t, "missing", get(described, "failures"), []any{object{"arn": scope.Task("default", missing), "reason": "MISSING"}})
	for _, c := range []struct{ operation, body, kind, message string }{
		{"DescribeTasks", `{"tasks": []}`, "InvalidParameterException", "Tasks cannot be empty."},
		{"DescribeTasks", `{"tasks": [` + strings.TrimSuffix(strings.Repeat(`"`+missing+`",`, 101), ",") + `]}`, "InvalidParameterException", "taskIds can have at most 100 items."},
		{"DescribeTasks", `{"tasks": [""]}`, "InvalidParameterException", "taskId length should be one of [32,36]"},
		{"DescribeTasks", `{"tasks": ["` + scope.Task("other", missing) + `"]}`, "InvalidParameterException", "Identifier is for other. Your cluster is default"},
		{"DescribeTasks", `{"cluster": "nowhere", "tasks": ["x"]}`, "ClusterNotFoundException", "Cluster not found."},
		{"StopTask", `{"task": "` + missing + `"}`, "InvalidParameterException", "The referenced task was not found."},
		{"StopTask", `{"task": "` + placed + `", "reason": "` + strings.Repeat("x", 1025) + `"}`, "InvalidParameterException", "reason can have at most 1024 characters."},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
	expect(t, "protection", get(s.do("GetTaskProtection", `{"cluster": "default", "tasks": [%q]}`, placed), "failures", 0, "reason"), "TASK_NOT_VALID")
}

func TestListTasks(t *testing.T) {
	s := running(t)
	i := s.instance(10240, 10240)
	run := func(body string) string { return get(s.do("RunTask", "%s", body), "tasks", 0, "taskArn").(string) }
	web := run(`{"taskDefinition": "web", "startedBy": "me"}`)
	batch := run(fargateRun)
	stopped := run(`{"taskDefinition": "web"}`)
	s.do("StopTask", `{"task": %q}`, stopped)
	for _, c := range []struct {
		body string
		want []any
	}{
		{`{"family": "web"}`, []any{web}},
		{`{"startedBy": "me"}`, []any{web}},
		{`{"launchType": "FARGATE"}`, []any{batch}},
		{`{"containerInstance": "` + i + `"}`, []any{web}},
		{`{"containerInstance": "` + i + `", "desiredStatus": "STOPPED"}`, []any{stopped}},
		{`{"desiredStatus": "STOPPED"}`, []any{stopped}},
		{`{"desiredStatus": "PENDING"}`, []any{}},
		{`{"family": "nobody"}`, []any{}},
		{`{"family": "batch", "startedBy": "me"}`, []any{}},
	} {
		expect(t, c.body, get(s.do("ListTasks", "%s", c.body), "taskArns"), c.want)
	}
	s.refused("ListTasks", `{"serviceName": "web"}`, "ServiceNotFoundException", "Service not found.")
	s.refused("ListTasks", `{"desiredStatus": "DONE"}`, "InvalidParameterException", "desiredStatus should be one of")

	for range 4 {
		s.do("RunTask", `{"taskDefinition": "web", "count": 5}`)
	}
	seen, token := map[any]bool{}, ""
	for range 10 {
		page := s.do("ListTasks", `{"containerInstance": %q, "maxResults": 7, "nextToken": %q}`, i, token)
		for _, a := range get(page, "taskArns").([]any) {
			if seen[a] {
				t.Errorf("%v twice", a)
			}
			seen[a] = true
		}
		next, more := get(page, "nextToken").(string)
		if token = next; !more {
			break
		}
	}
	expect(t, "all of them", len(seen), 21)
}

func TestAwsvpcOnEC2LeasesAnAddress(t *testing.T) {
	s := running(t)
	s.instance(1024, 1024)
	out := s.do("RunTask", `{"taskDefinition": "vpc", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"], "securityGroups": ["sg-default"]}}}`)
	task := get(out, "tasks", 0)
	expect(t, "attachment", get(task, "attachments", 0, "type"), "ElasticNetworkInterface")
	var names []any
	details := object{}
	for _, d := range get(task, "attachments", 0, "details").([]any) {
		names = append(names, d.(object)["name"])
		details[d.(object)["name"].(string)] = d.(object)["value"]
	}
	expect(t, "details", names, []any{"subnetId", "networkInterfaceId", "macAddress", "privateDnsName", "privateIPv4Address"})
	expect(t, "shown with the container", get(task, "containers", 0, "networkInterfaces"), []any{object{
		"attachmentId": get(task, "attachments", 0, "id"), "privateIpv4Address": details["privateIPv4Address"],
	}})
	if _, there := get(task, "containers", 0).(object)["networkBindings"]; there {
		t.Error("bindings in awsvpc mode")
	}
}

// A run that finds the ledger too small never makes more tasks than fit, whatever
// comes at the same time.
func TestNeverMoreThanTheMachineHas(t *testing.T) {
	s := running(t)
	i := s.instance(1024, 10000)
	done := make(chan int)
	for range 8 {
		go func() {
			out := s.as(s.Root, "RunTask", `{"taskDefinition": "web", "count": 2}`)
			tasks, _ := get(out, "tasks").([]any)
			done <- len(tasks)
		}()
	}
	made := 0
	for range 8 {
		made += <-done
	}
	expect(t, "tasks", made, 4)
	if u := s.ledger(i); u.CPU != 1024 || u.Tasks != 4 {
		t.Errorf("ledger %+v", u)
	}
}

func TestRunByCapacityProvider(t *testing.T) {
	s := running(t)
	s.provider("waits", "ENABLED")
	s.provider("now", "DISABLED")
	s.do("PutClusterCapacityProviders", `{"cluster": "default", "capacityProviders": ["waits", "now"], "defaultCapacityProviderStrategy": [{"capacityProvider": "waits", "weight": 1}]}`)
	other := s.instance(4096, 4096)

	waiting := get(s.do("RunTask", `{"taskDefinition": "web", "count": 2}`), "tasks").([]any)
	for _, made := range waiting {
		has(t, made.(object), object{"lastStatus": "PROVISIONING", "launchType": "EC2", "capacityProviderName": "waits"})
	}
	s.refused("RunTask", `{"taskDefinition": "web", "placementConstraints": [{"type": "memberOf", "expression": "attribute:"}]}`, "InvalidParameterException", "Invalid expression 'attribute:'")

	byNow := `{"taskDefinition": "web", "capacityProviderStrategy": [{"capacityProvider": "now"}]}`
	s.refused("RunTask", byNow, "InvalidParameterException", "No Container Instances were found in your capacity provider.")
	own := s.instanceIn("default", 256, 128, `, {"name": "berth.capacity-provider", "value": "now"}`)
	has(t, get(s.do("RunTask", "%s", byNow), "tasks", 0).(object), object{"lastStatus": "PENDING", "capacityProviderName": "now", "containerInstanceArn": own})
	expect(t, "only its own instances count", get(s.do("RunTask", "%s", byNow), "failures"),
		[]any{object{"arn": own, "reason": "RESOURCE:CPU", "detail": unfit(own, "CPU needs 256, has 0; MEMORY needs 128, has 0", "cpu")}})

	both := s.do("RunTask", `{"taskDefinition": "web", "count": 4, "capacityProviderStrategy": [{"capacityProvider": "now", "weight": 1}, {"capacityProvider": "waits", "weight": 1}]}`)
	expect(t, "others wait all the same", []int{len(get(both, "tasks").([]any)), len(get(both, "failures").([]any))}, []int{2, 1})

	started := s.do("StartTask", `{"taskDefinition": "web", "containerInstances": [%q]}`, other)
	expect(t, "an instance of none", get(started, "tasks", 0, "capacityProviderName"), nil)
	s.refused("PutClusterCapacityProviders", `{"cluster": "default", "capacityProviders": ["waits"], "defaultCapacityProviderStrategy": []}`, "ResourceInUseException", "The specified capacity provider is in use")
}

func TestTasksThatWaitAreLimited(t *testing.T) {
	s := running(t)
	s.provider("waits", "ENABLED")
	s.do("PutClusterCapacityProviders", `{"cluster": "default", "capacityProviders": ["waits"], "defaultCapacityProviderStrategy": [{"capacityProvider": "waits"}]}`)
	for range 50 {
		s.do("RunTask", `{"taskDefinition": "web", "count": 10}`)
	}
	s.refused("RunTask", `{"taskDefinition": "web"}`, "ClientException", "You've reached the limit on the number of tasks in the PROVISIONING state.")
}

func TestLaunchTypesWithoutMachines(t *testing.T) {
	s := running(t)
	s.instance(4096, 4096)
	s.refused("RunTask", `{"taskDefinition": "web", "launchType": "EXTERNAL"}`, "InvalidParameterException", "No Container Instances were found in your cluster.")
	s.refused("RunTask", `{"taskDefinition": "vpc", "launchType": "EXTERNAL", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}}`,
		"InvalidParameterException", "Task definition does not support launch_type EXTERNAL.")
	s.refused("RunTask", `{"taskDefinition": "web", "launchType": "MANAGED_INSTANCES"}`, "InvalidParameterException", "The launch type MANAGED_INSTANCES cannot be specified.")
	s.refused("RunTask", `{"taskDefinition": "web", "overrides": {"ephemeralStorage": {"sizeInGiB": 30}}}`, "InvalidParameterException", "Ephemeral storage can only be overridden for tasks hosted on Fargate.")
}

func TestPlatformVersions(t *testing.T) {
	s := running(t)
	run := func(more string) string {
		return `{"taskDefinition": "batch", "launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}, ` + more + `}`
	}
	for asked, want := range map[string]string{"LATEST": "1.4.0", "1.4.0": "1.4.0", "1.3.0": "1.3.0"} {
		out := s.do("RunTask", "%s", run(`"platformVersion": "`+asked+`"`))
		expect(t, asked, get(out, "tasks", 0, "platformVersion"), want)
	}
	s.refused("RunTask", run(`"platformVersion": "9.9.9"`), "PlatformUnknownException", "The specified platform does not exist.")
	s.refused("RunTask", run(`"platformVersion": "1.3.0", "overrides": {"ephemeralStorage": {"sizeInGiB": 30}}`), "PlatformTaskDefinitionIncompatibilityException", "One or more of the requested capabilities")
}

// unfit is the detail of a refusal for want of room.
func unfit(instance, lacks, resource string) string {
	return "Instance " + instance[strings.LastIndexByte(instance, '/')+1:] + " does not take it: " + lacks +
		". Hint: stop other tasks, ask for less " + resource + " in the task definition, or add an instance."
}
