package why_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/netip"
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
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/why"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
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

// world is a cluster with a definition, a machine and a task on it, as it is when
// all goes well so far.
type world struct {
	def       *workload.Definition
	instances []*cluster.Instance
	task      *task.Task
	rest      func(*store.Tx)
}

func instance(id string, cpu, memory int) *cluster.Instance {
	return &cluster.Instance{
		Scope: scope, ARN: scope.ContainerInstance("default", id), ID: id, ClusterARN: home.ARN, Status: cluster.InstanceActive,
		OffersEC2: true, OffersFargate: true, Connected: true, Registered: cluster.Resources{CPU: cpu, Memory: memory},
	}
}

func newWorld() *world {
	def := &workload.Definition{
		Scope: scope, ARN: scope.TaskDefinition("web", 1), Family: "web", Revision: 1, Status: workload.Active, NetworkMode: workload.Bridge,
		Containers: []workload.Container{{Name: "app", Image: "web:1", Essential: true, CPU: 256, Memory: new(512)}},
	}
	return &world{
		def: def, instances: []*cluster.Instance{instance(machine, 1024, 1024)},
		task: &task.Task{
			Scope: scope, ARN: scope.Task("default", taskID), ID: taskID, CreatedAt: began, Version: 1,
			Spec: task.Spec{
				ClusterARN: home.ARN, DefinitionARN: def.ARN, LaunchType: workload.EC2, Group: "family:web",
				Containers: []task.ContainerID{{Name: "app", ID: "1"}},
			},
			Desired:    task.Desired{Status: task.Running},
			Assignment: &task.Assignment{InstanceARN: scope.ContainerInstance("default", machine), At: began.Add(time.Second)},
		},
	}
}

// unplaced takes the task off its machine.
func (w *world) unplaced() { w.task.Assignment = nil }

// known is a task that the agent has begun to work on.
func (w *world) known(containers ...task.Container) {
	w.task.Observed = task.Observed{Status: task.Pending, ConnectivityAt: began, PullStartedAt: began.Add(2 * time.Second), Containers: containers}
}

// ended is a task that stopped by itself.
func (w *world) ended(code, reason string, containers ...task.Container) {
	w.known(containers...)
	w.task.Assignment.Released = true
	w.task.Observed.Status, w.task.Observed.StoppedAt = task.Stopped, began.Add(40*time.Second)
	w.task.Observed.StopCode, w.task.Observed.StoppedReason = code, reason
}

// side adds a second container.
func (w *world) side(c workload.Container) {
	w.def.Containers = append(w.def.Containers, c)
	w.task.Spec.Containers = append(w.task.Spec.Containers, task.ContainerID{Name: c.Name, ID: "2"})
}

func (w *world) inquiry(t *testing.T) *why.Inquiry {
	t.Helper()
	v, err := memory.Open().Update(context.Background(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, home)
		store.TaskDefinitions.Put(tx, w.def)
		for _, i := range w.instances {
			store.Instances.Put(tx, i)
		}
		store.Tasks.Put(tx, w.task)
		if w.rest != nil {
			w.rest(tx)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return &why.Inquiry{View: v, Now: began.Add(time.Minute), Registry: []string{"127.0.0.1:4566"}}
}

func stopped(name string, exit int, reason string) task.Container {
	return task.Container{Name: name, Status: "STOPPED", ImageDigest: "sha256:1", ExitCode: new(exit), Reason: reason}
}

func refusedStart(name, reason string) task.Container {
	return task.Container{Name: name, Status: "STOPPED", Reason: reason}
}

// stories are tasks in all their troubles. The printed tree of each is in testdata.
var stories = map[string]func(*world){
	"no-room": func(w *world) {
		w.unplaced()
		w.def.Containers[0].Memory = new(4096)
		w.instances[0].Used = cluster.Usage{CPU: 1000, Memory: 600, Tasks: 3}
		w.instances = append(w.instances, instance(other, 4096, 8192))
		w.instances[1].Connected = false
	},
	"port-taken": func(w *world) {
		w.unplaced()
		w.def.Containers[0].PortMappings = []workload.PortMapping{{ContainerPort: 80, HostPort: new(8080), Protocol: "tcp"}}
		w.instances[0].Used = cluster.Usage{Tasks: 1, PortsTCP: []int{8080}}
	},
	"constraint": func(w *world) {
		w.unplaced()
		w.task.Spec.Constraints = []workload.Constraint{{Type: "memberOf", Expression: "attribute:gpu == yes"}}
	},
	"unreadable-constraint": func(w *world) {
		w.unplaced()
		w.task.Spec.Constraints = []workload.Constraint{{Type: "memberOf", Expression: "attribute:gpu ="}}
	},
	"no-instance":   func(w *world) { w.unplaced(); w.instances = nil },
	"no-fargate":    func(w *world) { w.unplaced(); w.instances = nil; w.task.Spec.LaunchType = workload.Fargate },
	"about-to-be":   func(w *world) { w.unplaced() },
	"no-definition": func(w *world) { w.unplaced(); w.def.ARN = scope.TaskDefinition("other", 1) },
	"no-address": func(w *world) {
		w.unplaced()
		w.task.Spec.NetworkConfiguration = &task.NetworkConfiguration{Subnets: []string{"subnet-1"}}
		subnet := &network.Subnet{Scope: scope, ID: "subnet-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/28"), Zone: "z"}
		w.rest = func(tx *store.Tx) {
			store.Subnets.Put(tx, subnet)
			for a := subnet.CIDR.Addr(); subnet.CIDR.Contains(a); a = a.Next() {
				store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-" + a.String(), VPCID: "vpc-1", SubnetID: "subnet-1", PrivateIP: a})
			}
		}
	},
	"unacknowledged": func(*world) {},
	"agent-away": func(w *world) {
		w.instances[0].Connected, w.instances[0].DisconnectedAt = false, began.Add(-time.Hour)
	},
	"pulling": func(w *world) { w.known(task.Container{Name: "app", Status: "PENDING"}) },
	"depends": func(w *world) {
		w.side(workload.Container{Name: "db", Image: "000000000000.dkr.ecr.us-east-1.amazonaws.com/db:2"})
		w.def.Containers[0].DependsOn = []workload.Dependency{{ContainerName: "db", Condition: workload.ConditionHealthy}}
		w.known(task.Container{Name: "app", Status: "PENDING", ImageDigest: "sha256:1"},
			task.Container{Name: "db", Status: "RUNNING", ImageDigest: "sha256:2", Health: task.UnknownHealth})
	},
	"unhealthy": func(w *world) {
		w.known(task.Container{Name: "app", Status: "RUNNING", ImageDigest: "sha256:1", Health: task.Unhealthy, HealthSince: began.Add(50 * time.Second), RestartCount: 2})
		w.task.Observed.Status, w.task.Observed.StartedAt = task.Running, began.Add(5*time.Second)
	},
	"stopping": func(w *world) {
		w.known(task.Container{Name: "app", Status: "RUNNING", ImageDigest: "sha256:1"})
		w.task.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopUserInitiated, StoppedReason: "tired of it", StoppingAt: began.Add(58 * time.Second)}
	},
	"no-image": func(w *world) {
		w.def.Containers[0].Image = "nobody:7"
		reason := "CannotPullContainerError: image not found: nobody:7 is not in berth's registry: push it, or run berth image load FILE nobody:7; failed to pull docker.io/library/nobody:7"
		w.ended(task.StopTaskFailedToStart, reason, refusedStart("app", reason))
	},
	"registry-away": func(w *world) {
		w.def.Containers[0].Image = "registry.example:5000/team/app:1"
		reason := "CannotPullContainerError: failed to pull registry.example:5000/team/app:1: dial tcp: lookup registry.example: no such host"
		w.ended(task.StopTaskFailedToStart, reason, refusedStart("app", reason))
	},
	"bad-image-name": func(w *world) {
		w.def.Containers[0].Image = "Web:1"
		reason := `CannotPullContainerError: image "Web:1": "Web" is not a repository name (lower case letters, digits, and single . _ - between them)`
		w.ended(task.StopTaskFailedToStart, reason, refusedStart("app", reason))
	},
	"exit-3": func(w *world) {
		w.side(workload.Container{Name: "log", Image: "log:1"})
		w.ended(task.StopEssentialContainerExited, "Essential container in task exited", stopped("log", 0, ""), stopped("app", 3, ""))
	},
	"out-of-memory": func(w *world) {
		w.task.Spec.Memory = "1024"
		w.ended(task.StopEssentialContainerExited, "Essential container in task exited", stopped("app", 137, "OutOfMemoryError: Container killed due to memory usage"))
	},
	"no-command": func(w *world) {
		reason := `CannotStartContainerError: exec: "wbe": executable file not found in $PATH`
		w.ended(task.StopTaskFailedToStart, reason, refusedStart("app", reason))
	},
	"privileged": func(w *world) {
		w.ended(task.StopTaskFailedToStart, "ResourceInitializationError: container app is privileged, which this machine refuses: start berth with --allow-privileged", refusedStart("app", ""))
	},
	"killed-when-asked": func(w *world) {
		w.ended("", "", stopped("app", 137, ""))
		w.task.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopUserInitiated, StoppedReason: "Task stopped by user", StoppingAt: began.Add(10 * time.Second)}
	},
	"scaled-in": func(w *world) {
		w.ended("", "", stopped("app", 143, ""))
		w.task.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopServiceSchedulerInitiated, StoppedReason: "Scaling activity initiated by (deployment ecs-svc/1)", StoppingAt: began.Add(10 * time.Second)}
	},
	"never-fits": func(w *world) {
		w.unplaced()
		w.task.Desired = task.Desired{
			Status: task.Stopped, StopCode: task.StopTaskFailedToStart, StoppingAt: began,
			StoppedReason: "Capacity is unavailable at this time. Please try again later or in a different availability zone (aaaa: RESOURCE:CPU CPU needs 4096, has 1024)",
		}
	},
}

func TestStories(t *testing.T) {
	for name, change := range stories {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			change(w)
			root, err := w.inquiry(t).About(home, taskID)
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, root)
			golden(t, name, root)
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
			n, err := w.inquiry(t).About(home, taskID)
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
	there, err := q.About(home, gone.ARN)
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
		if n, err := q.About(home, target); err != nil || n.Subject != want {
			t.Errorf("%s: %+v, %v", target, n, err)
		}
	}
	for target, kind := range map[string]fault.Kind{
		"nobody": fault.ServiceNotFound, "": fault.ServiceNotFound, strings.Repeat("f", 32): fault.InvalidParameter,
		scope.Cluster("default"): fault.InvalidParameter, "arn:aws:ecs:us-east-1:000000000000:": fault.InvalidParameter,
		arn.Scope{Account: "111111111111", Region: "us-east-1"}.Task("default", taskID): fault.AccessDenied,
	} {
		if n, err := q.About(home, target); !fault.IsKind(err, kind) {
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
		store.Services.Put(tx, web)
		store.Tasks.Put(tx, &runs)
		store.Tasks.Put(tx, &waits)
		for n, says := range []string{"(service web) has started 1 tasks: (task x).", "", "(service web) is unable to consistently start tasks successfully."} {
			store.ServiceEvents.Put(tx, &service.Event{ServiceARN: web.ARN, Sequence: int64(n), ID: says[:min(3, len(says))] + "1", At: began, Message: says})
		}
	}
	root, err := w.inquiry(t).About(home, "web")
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, root)
	golden(t, "service", root)
}
