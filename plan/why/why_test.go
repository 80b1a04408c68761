package why_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan/why"
	"github.com/berthhq/berth/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	home  = &cluster.Cluster{Scope: scope, ARN: scope.Cluster("default"), Name: "default", Status: cluster.Active}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

const (
	taskID  = "0123456789abcdef0123456789abcdef"
	machine = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	other   = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func TestStories(t *testing.T) {
	for name, change := range stories {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			change(w)
			root, err := w.inquiry(t).About(scope, "default", taskID)
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, root)
			golden(t, name, root)
		})
	}
}

func TestFronts(t *testing.T) {
	for name, change := range fronts {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			change(w)
			root, err := w.inquiry(t).About(scope, "default", "front-1.us-east-1.elb.amazonaws.com")
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, root)
			golden(t, name, root)
			if again, err := w.inquiry(t).About(scope, "default", balancerARN); err != nil || again.Says != root.Says {
				t.Errorf("by its ARN: %+v, %v", again, err)
			}
		})
	}
}

// golden compares the printed tree, and the short form below it.
func golden(t *testing.T, name string, root *why.Node) {
	t.Helper()
	var b bytes.Buffer
	if err := why.Print(&b, root); err != nil {
		t.Fatal(err)
	}
	got := b.String() + "\nin short: " + why.Short(root) + "\n"
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// wellFormed holds every node to a full sentence, and the tree to what JSON carries.
func wellFormed(t *testing.T, n *why.Node) {
	t.Helper()
	if n.Subject == "" || !unicode.IsUpper([]rune(n.Says)[0]) && n.State != "EVENT" || !strings.HasSuffix(n.Says, ".") || strings.HasSuffix(n.Says, "..") {
		t.Errorf("%q says %q", n.Subject, n.Says)
	}
	if strings.HasSuffix(n.Hint, ".") || strings.Contains(n.Says+n.Hint, "%!") {
		t.Errorf("%q: %q", n.Says, n.Hint)
	}
	data, err := json.Marshal(n)
	back := new(why.Node)
	if err != nil || json.Unmarshal(data, back) != nil || back.Says != n.Says || len(back.Children) != len(n.Children) {
		t.Errorf("%s %v", data, err)
	}
	for _, c := range n.Children {
		wellFormed(t, c)
	}
}

func TestNumbersAreData(t *testing.T) {
	for name, c := range map[string]struct {
		at   []int // children to walk down
		want map[string]any
	}{
		"no-room":       {nil, map[string]any{"instances": 2, "refusals": map[string]int{"RESOURCE:CPU": 1, "AGENT": 1}}},
		"port-taken":    {[]int{0}, map[string]any{"PORTS": map[string]any{"taken": []int{8080}}}},
		"exit-3":        {[]int{0}, map[string]any{"exitCode": 3}},
		"out-of-memory": {[]int{0}, map[string]any{"exitCode": 137, "memoryLimitMiB": 512, "taskMemoryMiB": 1024}},
		"depends":       {[]int{0}, map[string]any{"dependsOn": "db", "condition": "HEALTHY"}},
		"unhealthy":     {[]int{0}, map[string]any{"restarts": 2}},
		"no-image":      {[]int{0, 0}, map[string]any{"sources": []string{"berth/loaded/000000000000/docker.io/library/nobody:7", "docker.io/library/nobody:7"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			stories[name](w)
			n, err := w.inquiry(t).About(scope, "default", taskID)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range c.at {
				n = n.Children[i]
			}
			if !reflect.DeepEqual(n.Detail, c.want) {
				t.Errorf("%s\ngot  %v\nwant %v", n.Says, n.Detail, c.want)
			}
		})
	}
}

// past is a history of one task.
type past map[string]*task.Past

func (p past) Task(arn string) (*task.Past, error) { return p[arn], nil }

func TestATaskThatOnlyTheHistoryHas(t *testing.T) {
	w := newWorld()
	stories["exit-3"](w)
	q := w.inquiry(t)
	gone := *w.task
	gone.ARN = scope.Task("default", strings.Repeat("c", 32))
	q.History = past{gone.ARN: {Task: gone, Definition: task.Remembered(w.def)}}
	here, err := q.Task(w.task.ARN)
	if err != nil {
		t.Fatal(err)
	}
	there, err := q.About(scope, "default", gone.ARN)
	if err != nil {
		t.Fatal(err)
	}
	if there.Says != here.Says || !reflect.DeepEqual(there.Children, here.Children) {
		t.Errorf("%+v\n%+v", there, here)
	}
}

func TestTargets(t *testing.T) {
	w := newWorld()
	web := &service.Service{Scope: scope, ARN: scope.Service("default", "web"), Name: "web", ClusterARN: home.ARN, Status: service.Active}
	w.rest = func(tx *store.Tx) { store.Services.Put(tx, web) }
	q := w.inquiry(t)
	for target, want := range map[string]string{
		taskID: w.task.ARN, w.task.ARN: w.task.ARN, "web": web.ARN, web.ARN: web.ARN,
	} {
		if n, err := q.About(scope, "default", target); err != nil || n.Subject != want {
			t.Errorf("%s: %+v, %v", target, n, err)
		}
	}
	for target, kind := range map[string]fault.Kind{
		"nobody": fault.ServiceNotFound, "": fault.ServiceNotFound, strings.Repeat("f", 32): fault.InvalidParameter,
		scope.Cluster("default"): fault.InvalidParameter, "arn:aws:ecs:us-east-1:000000000000:": fault.InvalidParameter,
		arn.Scope{Account: "111111111111", Region: "us-east-1"}.Task("default", taskID): fault.AccessDenied,
	} {
		if n, err := q.About(scope, "default", target); !fault.IsKind(err, kind) {
			t.Errorf("%s: %+v, %v", target, n, err)
		}
	}
}

func TestAServiceIsItsTasksAndItsEvents(t *testing.T) {
	w := newWorld()
	stories["no-image"](w)
	w.task.Spec.Group, w.task.Spec.StartedBy = "service:web", "ecs-svc/7"
	runs := *newWorld().task
	runs.ARN, runs.Spec.Group = scope.Task("default", strings.Repeat("d", 32)), "service:web"
	runs.Observed = task.Observed{Status: task.Running, StartedAt: began}
	waits := runs
	waits.ID = strings.Repeat("e", 32)
	waits.ARN, waits.Assignment, waits.Observed = scope.Task("default", waits.ID), nil, task.Observed{}
	w.rest = func(tx *store.Tx) {
		web := &service.Service{
			Scope: scope, ARN: scope.Service("default", "web"), Name: "web", ClusterARN: home.ARN, Status: service.Active, Spec: service.Spec{Desired: 3},
			Deployments: []service.Deployment{{
				ID: "ecs-svc/7", RevisionARN: scope.ServiceRevision("default", "web", "42"), Status: service.Primary, State: service.InProgress,
				Reason: "ECS deployment ecs-svc/7 in progress.", Want: 3, Failed: 4, RetryAt: began.Add(90 * time.Second), CreatedAt: began,
			}},
		}
		web.Rollout = scope.ServiceDeployment("default", "web", "d1")
		store.Rollouts.Put(tx, &service.Rollout{
			ARN: web.Rollout, ServiceARN: web.ARN, Status: service.RolloutInProgress, Stage: service.PostScaleUp,
			Configuration: service.Configuration{Hooks: []service.Hook{{Type: service.HookPause}, {Type: service.HookLambda, Target: "arn:aws:lambda:us-east-1:000000000000:function:check"}}},
			Hooks: []service.HookRun{
				{ID: "ecs-pause-1", Hook: 0, Status: service.HookAwaiting, StartedAt: began, ExpiresAt: began.Add(time.Hour)},
				{ID: "done", Hook: 1, Status: service.HookSucceeded, StartedAt: began},
				{ID: "call-1", Hook: 1, Status: service.HookInProgress, StartedAt: began, ExpiresAt: began.Add(time.Hour)},
			},
		})
		store.Services.Put(tx, web)
		store.Tasks.Put(tx, &runs)
		store.Tasks.Put(tx, &waits)
		for n, says := range []string{"(service web) has started 1 tasks: (task x).", "", "(service web) is unable to consistently start tasks successfully."} {
			store.ServiceEvents.Put(tx, &service.Event{ServiceARN: web.ARN, Sequence: int64(n), ID: says[:min(3, len(says))] + "1", At: began, Message: says})
		}
	}
	root, err := w.inquiry(t).About(scope, "default", "web")
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, root)
	golden(t, "service", root)
}
