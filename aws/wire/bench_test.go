package wire_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/shape/ecs"
)

const runTask = `{"cluster":"default","taskDefinition":"digits:3","count":1,"launchType":"EC2","startedBy":"bench",` +
	`"overrides":{"containerOverrides":[{"name":"main","environment":[{"name":"EPOCHS","value":"10"},{"name":"SEED","value":"7"}]}]},` +
	`"tags":[{"key":"team","value":"ml"}],"enableExecuteCommand":false}`

func BenchmarkDecodeRunTask(b *testing.B) {
	d := directory()
	r := ecsRequest("RunTask", "")
	body := []byte(runTask)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		q, err := d.Detect(r, body)
		if err == nil {
			_, err = q.Decode(r, body)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStandardLibraryRunTask is the same text read into a tree by
// encoding/json, for comparison.
func BenchmarkStandardLibraryRunTask(b *testing.B) {
	b.SetBytes(int64(len(runTask)))
	b.ReportAllocs()
	for b.Loop() {
		var tree map[string]any
		if err := json.Unmarshal([]byte(runTask), &tree); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeQuery(b *testing.B) {
	d := directory()
	r := request("POST", "/", "", "Content-Type", formType)
	body := []byte("Action=DescribeSecurityGroups&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&Filter.2.Name=group-name&Filter.2.Value.1=default&MaxResults=50")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		q, err := d.Detect(r, body)
		if err == nil {
			_, err = q.Decode(r, body)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func tasks(n int) *ecs.DescribeTasksResponse {
	out := &ecs.DescribeTasksResponse{Failures: []ecs.Failure{}}
	now := time.UnixMilli(1767225600123)
	for range n {
		out.Tasks = append(out.Tasks, ecs.Task{
			TaskArn: new("arn:aws:ecs:us-east-1:123456789012:task/default/0123456789abcdef0123456789abcdef"), ClusterArn: new("arn:aws:ecs:us-east-1:123456789012:cluster/default"),
			TaskDefinitionArn: new("arn:aws:ecs:us-east-1:123456789012:task-definition/digits:3"), LastStatus: new("RUNNING"), DesiredStatus: new("RUNNING"),
			Cpu: new("256"), Memory: new("512"), Version: new(int64(3)), CreatedAt: &now, StartedAt: &now, PullStartedAt: &now, LaunchType: ecs.LaunchTypeEc2,
			Attachments: []ecs.Attachment{}, Tags: []ecs.Tag{{Key: new("team"), Value: new("ml")}},
			Containers: []ecs.Container{{Name: new("main"), Image: new("digits"), LastStatus: new("RUNNING"), NetworkBindings: []ecs.NetworkBinding{}, ExitCode: new(int32(0)), Cpu: new("0")}},
		})
	}
	return out
}

// sink is a ResponseWriter that drops what it gets.
type sink struct {
	header http.Header
	n      int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}
func (s *sink) Write(b []byte) (int, error) {
	s.n += len(b)
	return len(b), nil
}

func BenchmarkRespondHundredTasks(b *testing.B) {
	q, err := directory().Detect(ecsRequest("DescribeTasks", ""), nil)
	if err != nil {
		b.Fatal(err)
	}
	out := tasks(100)
	b.ReportAllocs()
	for b.Loop() {
		w := &sink{header: http.Header{}}
		if err := q.Respond(w, "id", out); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(w.n))
	}
}

func BenchmarkValidateRunTask(b *testing.B) {
	q, in := mustRead(b, ecsRequest("RunTask", runTask))
	b.ReportAllocs()
	for b.Loop() {
		if err := q.Validate(in); err != nil {
			b.Fatal(err)
		}
	}
}
