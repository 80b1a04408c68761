package bus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/api/events"
	"github.com/berthhq/berth/aws/gateway"
	ecsshape "github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/archive"
	"github.com/berthhq/berth/plane/bus"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}

const logGroup = "/aws/events/test"

// house is a store with a cluster, a log group and a task definition, and what
// runs tasks.
type house struct {
	t     *testing.T
	store store.Store
	logs  *archive.Archive
	run   map[string]gateway.Handler
}

func build(t *testing.T) *house {
	h := &house{t: t, store: memory.Open()}
	var err error
	if h.logs, err = archive.Open(t.TempDir(), archive.Options{DiskUse: func() float64 { return 0 }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.logs.Close() })
	if err := h.logs.CreateGroup(scope, telemetry.Group{Name: logGroup}); err != nil {
		t.Fatal(err)
	}
	h.run = ecs.New(ecs.Config{Store: h.store}).Operations()
	h.update(func(tx *store.Tx) {
		store.Clusters.Put(tx, &cluster.Cluster{Scope: scope, ARN: scope.Cluster("default"), Name: "default", Status: cluster.Active})
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/16")})
		store.Subnets.Put(tx, &network.Subnet{Scope: scope, ID: "subnet-a", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.1.0/24"), Zone: "eu-central-1a"})
		store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: scope, ID: "sg-default", VPCID: "vpc-1", Name: "default"})
	})
	_, err = h.run["RegisterTaskDefinition"](t.Context(), h.call("RegisterTaskDefinition"), &ecsshape.RegisterTaskDefinitionRequest{
		Family: new("job"), NetworkMode: "awsvpc", Cpu: new("256"), Memory: new("512"), RequiresCompatibilities: []ecsshape.Compatibility{"FARGATE"},
		ContainerDefinitions: []ecsshape.ContainerDefinition{{Name: new("app"), Image: new("i:1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) call(operation string) *gateway.Call {
	return &gateway.Call{Service: "ecs", Operation: operation, Scope: scope, Principal: identity.RootPrincipal(scope.Account), Now: time.Now()}
}

func (h *house) update(fn func(*store.Tx)) {
	h.t.Helper()
	if _, err := h.store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		h.t.Fatal(err)
	}
}

// open runs a bus until the returned function is called.
func (h *house) open(change ...func(*bus.Config)) (b *bus.Bus, end func()) {
	c := bus.Config{
		Store: h.store, Logs: h.logs, Sources: []bus.Source{{Table: store.Tasks, Name: event.ECSSource, Type: event.TaskStateChange, Events: ecs.TaskEvents, Since: ecs.TaskEventsSince}},
		Tasks: &events.Launcher{RunTask: h.run["RunTask"], StopTask: h.run["StopTask"], Now: time.Now},
	}
	for _, fn := range change {
		fn(&c)
	}
	b = bus.New(c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.Run(ctx) // says that ctx ended
	}()
	return b, func() { cancel(); <-ended }
}

func (h *house) rule(r event.Rule) {
	h.t.Helper()
	r.Scope, r.Bus, r.ARN, r.Start = scope, event.DefaultBus, scope.Of("events", "rule/"+r.Name), time.Now()
	if err := r.Plan(time.Now()); err != nil {
		h.t.Fatal(err)
	}
	h.update(func(tx *store.Tx) { store.Rules.Put(tx, &r) })
}

func toLog() event.Target {
	return event.Target{ID: "log", ARN: scope.Of("logs", "log-group:"+logGroup)}
}

// toTasks runs a task of the family on Fargate.
func toTasks(family string) event.Target {
	return event.Target{RoleARN: scope.Global("iam", "role/events"), ID: "run", ARN: scope.Cluster("default"), ECS: &event.ECSParameters{
		TaskDefinitionARN: family, Count: 1, LaunchType: "FARGATE", Network: &event.Network{Subnets: []string{"subnet-a"}},
	}}
}

// task stores a task that runs.
func (h *house) task(id string, version int64, change func(*task.Task)) {
	t := &task.Task{
		Scope: scope, ARN: scope.Task("default", id), ID: id, Version: version, CreatedAt: time.Now(), Desired: task.Desired{Status: task.Running},
		Spec: task.Spec{ClusterARN: scope.Cluster("default"), DefinitionARN: scope.TaskDefinition("job", 1), LaunchType: workload.Fargate},
	}
	if change != nil {
		change(t)
	}
	h.update(func(tx *store.Tx) { store.Tasks.Put(tx, t) })
}

func stop(t *task.Task) {
	t.Desired = task.Desired{Status: task.Stopped, StoppedReason: "over", StoppingAt: time.Now()}
}

// tasks are those that rules started, as startedBy and status, in order of their
// creation.
func (h *house) tasks() (out []string) {
	all := slices.SortedFunc(store.Tasks.All(h.store.View()), func(a, b *task.Task) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, t := range all {
		out = append(out, fmt.Sprint(t.Spec.StartedBy, " ", t.LastStatus()))
	}
	return out
}

// lines are the events in the log group.
func (h *house) lines() (out []map[string]any) {
	h.t.Helper()
	found, err := h.logs.Search(context.Background(), scope, logGroup, telemetry.SearchQuery{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range found.Records {
		e := map[string]any{}
		if err := json.Unmarshal([]byte(r.Message), &e); err != nil {
			h.t.Fatalf("%q: %v", r.Message, err)
		}
		out = append(out, e)
	}
	return out
}
