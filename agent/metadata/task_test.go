package metadata_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

func role() *task.Credentials {
	return &task.Credentials{
		ID: random(), RoleARN: "arn:aws:iam::000000000000:role/app", AccessKeyID: "ASIA1", SecretAccessKey: "secret", SessionToken: "token",
		Expiration: time.Date(2026, 11, 24, 18, 0, 0, 5, time.UTC),
	}
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, nil)
	o := awsvpc("172.31.0.5")
	o.TaskRole = role()
	app := w.run(t, o, "app")[0]
	thief := w.run(t, awsvpc("172.31.0.6"), "app")[0]
	elsewhere := w.run(t, bridge(), "app")[0]
	want := `{"RoleArn":"arn:aws:iam::000000000000:role/app","AccessKeyId":"ASIA1","SecretAccessKey":"secret","Token":"token","Expiration":"2026-11-24T18:00:00Z"}`
	for _, path := range []string{"/v2/credentials/" + o.TaskRole.ID, "/v2/credentials/" + o.TaskRole.ID + "/", "/v1/credentials?id=" + o.TaskRole.ID} {
		status, body := get(app.client(), url(app, path))
		if status != http.StatusOK {
			t.Errorf("%s: got %d %s", path, status, body)
		}
		same(t, body, want)
	}
	refused := `{"code":"InvalidIdInRequest","message":"CredentialsV2Request: Credentials not found","HTTPErrorCode":400}`
	for name, from := range map[string]inside{"another task": thief, "a task of another router": elsewhere} {
		status, body := get(from.client(), url(app, "/v2/credentials/"+o.TaskRole.ID))
		if status != http.StatusBadRequest {
			t.Errorf("%s with a stolen id: got %d %s", name, status, body)
		}
		same(t, body, refused)
	}
	status, body := get(app.client(), url(app, "/v2/credentials/"))
	if status != http.StatusBadRequest || !strings.Contains(body, "NoIdInRequest") {
		t.Errorf("no id: got %d %s", status, body)
	}
}

func TestTheShapeOfVersion4(t *testing.T) {
	w := newWorld(t, nil)
	o := awsvpc("172.31.0.5")
	o.CPU, o.Memory, o.ServiceName = 256, 512, "front"
	app := w.run(t, o, "app")[0]
	view := w.tasks[app.arn]
	memory, exit := 128, 3
	o.Containers[0].CPU, o.Containers[0].Memory = 10, &memory
	view.PullStartedAt, view.Tags = noon(), map[string]string{"team": "a"}
	view.Containers[0] = metadata.Container{
		Name: "app", RuntimeID: "run-app", RuntimeName: "ecs-web-7-app-1", Image: "web:1", ImageID: "sha256:1", DesiredStatus: "RUNNING", KnownStatus: "RUNNING",
		ExitCode: &exit, CreatedAt: noon(), StartedAt: noon(), LogDriver: "awslogs", LogOptions: map[string]string{"awslogs-group": "/x"},
		Labels: map[string]string{"mine": "1"}, Volumes: []metadata.Volume{{Name: "v", Source: "/s", Destination: "/d"}},
		Health: &metadata.Health{Status: "HEALTHY", Since: noon(), Output: "fine"},
	}
	container := `{"DockerId":"run-app","Name":"app","DockerName":"ecs-web-7-app-1","Image":"web:1","ImageID":"sha256:1",
		"Labels":{"com.amazonaws.ecs.cluster":"default","com.amazonaws.ecs.container-name":"app","com.amazonaws.ecs.task-arn":"` + app.arn + `",
		"com.amazonaws.ecs.task-definition-family":"web","com.amazonaws.ecs.task-definition-version":"7","mine":"1"},
		"DesiredStatus":"RUNNING","KnownStatus":"RUNNING","ExitCode":3,"Limits":{"CPU":10,"Memory":128},"CreatedAt":"2026-11-24T12:00:00Z",
		"StartedAt":"2026-11-24T12:00:00Z","Type":"NORMAL","Health":{"status":"HEALTHY","statusSince":"2026-11-24T12:00:00Z","output":"fine"},
		"Volumes":[{"DockerName":"v","Source":"/s","Destination":"/d"}],"LogDriver":"awslogs","LogOptions":{"awslogs-group":"/x"},
		"ContainerARN":"` + app.arn + `/app","Snapshotter":"overlayfs",
		"Networks":[{"NetworkMode":"awsvpc","IPv4Addresses":["172.31.0.5"],"AttachmentIndex":0,"MACAddress":"02:00:ac:1f:00:05","IPv4SubnetCIDRBlock":"172.31.0.0/20",
		"DomainNameServers":["172.31.0.2"],"DomainNameSearchList":["ec2.internal"],"PrivateDNSName":"ip-172-31-0-5.ec2.internal","SubnetGatewayIpv4Address":"172.31.0.1/20"}]}`
	wholeTask := func(tags string) string {
		return `{"Cluster":"default","TaskARN":"` + app.arn + `","Family":"web","Revision":"7","DesiredStatus":"RUNNING","KnownStatus":"RUNNING",
		"Limits":{"CPU":0.25,"Memory":512},"PullStartedAt":"2026-11-24T12:00:00Z","AvailabilityZone":"us-east-1a",` + tags + `"LaunchType":"EC2",
		"Containers":[` + container + `],"VPCID":"vpc-1","ServiceName":"front","FaultInjectionEnabled":false}`
	}
	for path, want := range map[string]string{
		"/v4/ID": container, "/v4/ID/": container, "/v4/ID/task": wholeTask(""), "/v4/ID/taskWithTags": wholeTask(`"TaskTags":{"team":"a"},`),
		"/v4/ID/associations/gpu": `{"Associations":[]}`,
	} {
		status, body := get(app.client(), url(app, path))
		if status != http.StatusOK {
			t.Errorf("%s: got %d %s", path, status, body)
			continue
		}
		same(t, body, want)
	}
}

func TestVersion3LeavesOutWhatCameLater(t *testing.T) {
	w := newWorld(t, nil)
	app := w.run(t, awsvpc("172.31.0.5"), "app")[0]
	for path, want := range map[string]bool{"/v3/ID/task": false, "/v2/metadata": false, "/v4/ID/task": true} {
		status, body := get(app.client(), url(app, path))
		later := strings.Contains(body, "LaunchType") || strings.Contains(body, "ContainerARN") || strings.Contains(body, "MACAddress")
		if status != http.StatusOK || later != want || !strings.Contains(body, `"TaskARN":"`+app.arn) {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
}

func TestATaskLearnsOnlyOfItself(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.run(t, bridge(), "one", "two"), w.run(t, bridge(), "one")[0]
	for _, in := range append(a, b) { // in bridge mode too, where each container has its own interface
		status, body := get(in.client(), url(in, "/v4/ID"))
		if status != http.StatusOK || !strings.Contains(body, `"Name":"`+in.name+`"`) {
			t.Errorf("%s: got %d %s", in.name, status, body)
		}
		if status, body := get(in.client(), url(in, "/v2/metadata")); status != http.StatusOK || !strings.Contains(body, in.arn) {
			t.Errorf("by source: got %d %s", status, body)
		}
		if status, body := get(in.client(), url(in, "/v2/metadata/run-"+in.name)); status != http.StatusOK || !strings.Contains(body, `"DockerId":"run-`+in.name) {
			t.Errorf("by source and runtime id: got %d %s", status, body)
		}
	}
	for _, path := range []string{"/v4/ID", "/v3/ID/task", "/v4/ID/task/stats", "/api/ID/task-protection/v1/state"} {
		if status, body := get(b.client(), url(a[0], path)); status != http.StatusNotFound {
			t.Errorf("%s of another task: got %d %s", path, status, body)
		}
	}
	if status, body := get(b.client(), url(inside{id: "guess"}, "/v4/ID")); status != http.StatusNotFound {
		t.Errorf("a guess: got %d %s", status, body)
	}
}

func TestStats(t *testing.T) {
	w := newWorld(t, nil)
	app := w.run(t, bridge(), "app", "new")[0]
	w.used["app"] = [2]*metadata.Sample{sample(noon(), 3*time.Second, 1000), sample(noon().Add(-2*time.Second), time.Second, 200)}
	cpu := func(total, system string) string {
		return `{"cpu_usage":{"total_usage":` + total + `,"usage_in_kernelmode":0,"usage_in_usermode":0},"system_cpu_usage":` + system + `,"online_cpus":2,
		"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}}`
	}
	want := `{"read":"2026-11-24T12:00:00Z","preread":"2026-11-24T11:59:58Z","pids_stats":{"current":3},
		"blkio_stats":{"io_service_bytes_recursive":[],"io_serviced_recursive":[]},"num_procs":0,"storage_stats":{},
		"cpu_stats":` + cpu("3000000000", "300000000000") + `,"precpu_stats":` + cpu("1000000000", "100000000000") + `,
		"memory_stats":{"usage":1048576,"stats":{"cache":5},"limit":4194304},"name":"","id":"run-app",
		"networks":{"eth0":{"rx_bytes":1000,"rx_packets":0,"rx_errors":0,"rx_dropped":0,"tx_bytes":2000,"tx_packets":0,"tx_errors":0,"tx_dropped":0}}RATES}`
	v4 := strings.ReplaceAll(want, "RATES", `,"network_rate_stats":{"rx_bytes_per_sec":400,"tx_bytes_per_sec":800}`)
	for path, want := range map[string]string{
		"/v4/ID/stats": v4, "/v3/ID/stats": strings.ReplaceAll(want, "RATES", ""), "/v2/stats/run-app": strings.ReplaceAll(want, "RATES", ""),
		"/v4/ID/task/stats": `{"run-app":` + v4 + `,"run-new":null}`,
	} {
		status, body := get(app.client(), url(app, path))
		if status != http.StatusOK {
			t.Errorf("%s: got %d %s", path, status, body)
			continue
		}
		same(t, body, want)
	}
}

func TestTheAgentAPIRefusesWhatIsNotThereYet(t *testing.T) {
	w := newWorld(t, nil)
	app := w.run(t, bridge(), "app")[0]
	status, body := get(app.client(), url(app, "/api/ID/task-protection/v1/state"))
	if status != http.StatusBadRequest {
		t.Errorf("got %d", status)
	}
	same(t, body, `{"error":{"Arn":"`+app.arn+`","Code":"UnsupportedFeatureException","Message":"Task scale-in protection is not available in this version of berth."}}`)
	for body, code := range map[string]string{`{"ProtectionEnabled":true,"ExpiresInMinutes":60}`: "UnsupportedFeatureException",
		`{"ExpiresInMinutes":60}`: "InvalidParameterException", `{"Nonsense":1}`: "InvalidParameterException", `nonsense`: "InvalidParameterException"} {
		status, answer := send(app.client(), http.MethodPut, url(app, "/api/ID/task-protection/v1/state"), body)
		if status != http.StatusBadRequest || !strings.Contains(answer, code) {
			t.Errorf("%s: got %d %s", body, status, answer)
		}
	}
	status, body = send(app.client(), http.MethodPost, url(app, "/api/ID/fault/v1/network-latency/start"), "{}")
	if status != http.StatusBadRequest || body != `{"Error":"enableFaultInjection is not enabled for task: `+app.arn+`"}` {
		t.Errorf("got %d %s", status, body)
	}
}

func TestATaskThatAsksTooMuchWaitsAlone(t *testing.T) {
	w := newWorld(t, nil)
	greedy, modest := w.run(t, bridge(), "app")[0], w.run(t, bridge(), "app")[0]
	statuses := map[int]int{}
	for range 70 { // the clock stands still
		status, _ := get(greedy.client(), url(greedy, "/v4/ID"))
		statuses[status]++
	}
	if statuses[http.StatusOK] != 60 || statuses[http.StatusTooManyRequests] != 10 {
		t.Errorf("got %v", statuses)
	}
	if status, _ := get(modest.client(), url(modest, "/v4/ID")); status != http.StatusOK {
		t.Errorf("its neighbour got %d", status)
	}
}

func TestHostTasksAskByIDAlone(t *testing.T) {
	w := newWorld(t, nil)
	o := &task.Order{NetworkMode: workload.Host, TaskRole: role()}
	app := w.run(t, o, "app")[0]
	file := t.TempDir() + "/port"
	l, err := metadata.ListenLoopback(t.Context(), file, 0)
	check(t, err)
	served := metadata.New(w.cfg).ServeHost(metadata.Host{Tasks: l})
	at := "http://" + l.Addr().String()
	for path, want := range map[string]string{"/v4/" + app.id: `"Name":"app"`, "/v2/credentials/" + o.TaskRole.ID: "ASIA1"} {
		if status, body := get(http.DefaultClient, at+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
	if status, body := get(http.DefaultClient, at+"/v2/metadata"); status != http.StatusBadRequest {
		t.Errorf("by source: got %d %s", status, body)
	}
	check(t, served.Close())
	again, err := metadata.ListenLoopback(t.Context(), file, 0)
	check(t, err)
	defer again.Close()
	if again.Addr().String() != l.Addr().String() {
		t.Errorf("the port changed from %s to %s", l.Addr(), again.Addr())
	}
}

func TestEnvironment(t *testing.T) {
	o := &task.Order{NetworkMode: workload.AWSVPC, LaunchType: workload.Fargate, Region: "eu-west-1", TaskRole: &task.Credentials{ID: "c1"}}
	want := map[string]string{
		"ECS_CONTAINER_METADATA_URI": "http://169.254.170.2/v3/m1", "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/m1",
		"ECS_AGENT_URI": "http://169.254.170.2/api/m1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-1",
		"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE", "AWS_ENDPOINT_URL": "http://169.254.170.2:4566", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/c1",
	}
	if got := metadata.Environment(o, "m1", 4566, metadata.Loopback{}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
	if a, b := metadata.ID([]byte("s"), "arn", "ab"), metadata.ID([]byte("s"), "arna", "b"); a == b || len(a) != 32 {
		t.Errorf("ids %s and %s", a, b)
	}
}
