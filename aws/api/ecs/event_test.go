package ecs_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// decoded is an event as a target reads it.
func decoded(t *testing.T, e event.Event) object {
	t.Helper()
	out := object{}
	if err := json.Unmarshal(e.JSON(), &out); err != nil {
		t.Fatalf("%s: %v", e.JSON(), err)
	}
	return out
}

func TestEventsOfATask(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	instance := s.instance(1024, 1024)
	s.do("RegisterTaskDefinition", `{"family": "f", "containerDefinitions": [{"name": "app", "image": "i:1", "memory": 64}]}`)
	_, watch := s.Store.Watch(store.Tasks.Topic(), store.Instances.Topic())
	defer watch.Close()
	arn, _ := get(s.do("RunTask", `{"taskDefinition": "f", "startedBy": "me"}`), "tasks", 0, "taskArn").(string)

	now := time.Date(2026, 3, 4, 12, 0, 0, 250e6, time.UTC)
	next := func() (tasks, instances []event.Event, v *store.View) {
		d := watch.Take()
		for _, c := range d.Events {
			tasks = append(tasks, ecs.TaskEvents(d.View, c, now)...)
			instances = append(instances, ecs.InstanceEvents(d.View, c, now)...)
		}
		return tasks, instances, d.View
	}
	tasks, instances, _ := next()
	if len(tasks) != 1 || len(instances) != 1 {
		t.Fatalf("%d events of tasks and %d of instances", len(tasks), len(instances))
	}
	e := decoded(t, tasks[0])
	has(t, e, object{"version": "0", "detail-type": "ECS Task State Change", "source": "aws.ecs", "account": scope.Account, "region": scope.Region,
		"time": "2026-03-04T12:00:00Z", "resources": []any{arn}})
	detail, _ := e["detail"].(object)
	has(t, detail, object{"taskArn": arn, "clusterArn": scope.Cluster("default"), "containerInstanceArn": instance, "lastStatus": "PENDING", "desiredStatus": "RUNNING",
		"group": "family:f", "startedBy": "me", "launchType": "EC2", "updatedAt": "2026-03-04T12:00:00.25Z", "overrides": object{"containerOverrides": []any{object{"name": "app"}}, "inferenceAcceleratorOverrides": []any{}}})
	if _, ok := detail["createdAt"].(string); !ok || detail["version"] == nil || detail["tags"] != nil {
		t.Errorf("detail %s", indented(detail))
	}
	expect(t, "container", get(detail, "containers", 0, "name"), "app")

	of, _ := decoded(t, instances[0])["detail"].(object)
	has(t, of, object{"containerInstanceArn": instance, "clusterArn": scope.Cluster("default"), "status": "ACTIVE", "updatedAt": "2026-03-04T12:00:00.25Z"})
	if of["remainingResources"] == nil || of["version"] == nil || of["runningTasksCount"] != nil {
		t.Errorf("detail %s", indented(of))
	}

	change := func(fn func(*task.Task)) {
		s.update(func(tx *store.Tx) {
			have, _ := store.Tasks.Get(tx, arn)
			changed := *have
			fn(&changed)
			store.Tasks.Put(tx, &changed)
		})
	}
	change(func(c *task.Task) { c.Version++; c.Observed.Acknowledged = true })
	if tasks, _, _ = next(); len(tasks) != 0 {
		t.Errorf("an event though nothing shown changed: %s", tasks[0].JSON())
	}
	stopped := time.Now().Add(time.Hour) // after its creation
	change(func(c *task.Task) {
		c.Version++
		c.Observed.Status, c.Observed.StoppedAt = task.Stopped, stopped
	})
	tasks, _, v := next()
	if len(tasks) != 1 {
		t.Fatalf("%d events of the end", len(tasks))
	}
	again := ecs.TaskEventsSince(v, stopped.Add(-time.Second))
	if len(again) != 1 || again[0].ID != tasks[0].ID || len(ecs.TaskEventsSince(v, stopped)) != 0 {
		t.Errorf("%d events after a restart, or with other ids", len(again))
	}
}
