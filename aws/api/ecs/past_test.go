package ecs_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plane/history"
	"github.com/berthhq/berth/store"
)

// remembering is a server with a history, whose time the returned function moves:
// it lets the history look so long from now.
func remembering(t *testing.T) (s *server, look func(after time.Duration)) {
	var h *history.History
	now := time.Now()
	s = &server{t: t, Server: gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		var err error
		if h, err = history.Open(t.TempDir(), history.Options{Store: st, Now: func() time.Time { return now }}); err != nil {
			t.Fatal(err)
		}
		return []gateway.Offer{{Service: shape.API, Handlers: ecs.New(ecs.Config{Store: st, History: h}).Operations()}}
	}, nil)}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	s.do("CreateCluster", `{}`)
	s.do("RegisterTaskDefinition", bridgeDefinition)
	return s, func(after time.Duration) {
		now = time.Now().Add(after)
		if err := h.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// end runs a task to its end.
func (s *server) end(startedBy string) string {
	s.t.Helper()
	key := get(s.do("RunTask", `{"taskDefinition": "web", "startedBy": %q, "tags": [{"key": "k", "value": "v"}]}`, startedBy), "tasks", 0, "taskArn").(string)
	s.do("SubmitTaskStateChange", `{"task": %q, "status": "RUNNING", "containers": [{"containerName": "app", "status": "RUNNING"}]}`, key)
	s.do("SubmitTaskStateChange", `{"task": %q, "status": "STOPPED", "containers": [{"containerName": "app", "status": "STOPPED", "exitCode": 3, "reason": "why"}]}`, key)
	return key
}

func TestAStoppedTaskIsDescribedAsEverLongAfter(t *testing.T) {
	s, look := remembering(t)
	i := s.instance(1024, 1024)
	key := s.end("ci")
	describe := func() any {
		return s.do("DescribeTasks", `{"tasks": [%q], "include": ["TAGS"]}`, key).object
	}
	before := describe()
	has(t, get(before, "tasks", 0).(object), object{"lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "availabilityZone": "eu-central-1a"})
	look(2 * time.Hour)
	s.update(func(tx *store.Tx) {
		if _, there := store.Tasks.Get(tx, key); there {
			t.Error("the store has the task still")
		}
		for d := range store.TaskDefinitions.All(tx) {
			store.TaskDefinitions.Delete(tx, d.ARN)
		}
		store.Instances.Delete(tx, i)
	})
	expect(t, "two hours later", describe(), before)
	look(8 * 24 * time.Hour)
	expect(t, "eight days later", get(s.do("DescribeTasks", `{"tasks": [%q]}`, key), "failures", 0, "reason"), "MISSING")
}

// A service whose tasks all stopped long ago is still known, and so are they.
func TestTasksOfAServiceLongAgo(t *testing.T) {
	s, look := remembering(t)
	s.instance(1024, 1024)
	key := s.end("ecs-svc/1")
	s.update(func(tx *store.Tx) {
		store.Services.Put(tx, &service.Service{Scope: scope, ARN: scope.Service("default", "web"), Name: "web", ClusterARN: scope.Cluster("default"), Status: service.Active})
		have, _ := store.Tasks.Get(tx, key)
		next := *have
		next.Spec.Group = service.Group("web")
		store.Tasks.Put(tx, &next)
	})
	for _, after := range []time.Duration{0, 2 * time.Hour} {
		look(after)
		expect(t, "stopped tasks", get(s.do("ListTasks", `{"serviceName": "web", "desiredStatus": "STOPPED"}`), "taskArns"), []any{key})
	}
	s.refused("ListTasks", `{"serviceName": "webs"}`, "ServiceNotFoundException", "Service not found.")
}

func TestListsGoOnWithWhatOnlyTheHistoryHas(t *testing.T) {
	s, look := remembering(t)
	i := s.instance(4096, 4096)
	var past, stored []string
	for n := range 4 {
		past = append(past, s.end([]string{"me", "you"}[n%2]))
	}
	look(2 * time.Hour)
	for n := range 3 {
		stored = append(stored, s.end([]string{"me", "you"}[n%2]))
	}
	lives := get(s.do("RunTask", `{"taskDefinition": "web"}`), "tasks", 0, "taskArn").(string)
	slices.Reverse(past) // the last that stopped first
	for _, c := range []struct {
		filter           string
		inStore, history []string
	}{
		{`"desiredStatus": "STOPPED"`, stored, past},
		{`"desiredStatus": "STOPPED", "startedBy": "me"`, []string{stored[0], stored[2]}, []string{past[1], past[3]}},
		{`"desiredStatus": "STOPPED", "family": "web"`, stored, past},
		{`"desiredStatus": "STOPPED", "family": "none"`, nil, nil},
		{`"desiredStatus": "STOPPED", "launchType": "FARGATE"`, nil, nil},
		{fmt.Sprintf(`"desiredStatus": "STOPPED", "containerInstance": %q`, i), stored, past},
		{`"desiredStatus": "RUNNING"`, []string{lives}, nil},
	} {
		for _, size := range []int{1, 2, 3, 7, 100} {
			var got []string
			for token, pages := "", 0; pages == 0 || token != ""; pages++ {
				out := s.do("ListTasks", `{%s, "maxResults": %d, "nextToken": %q}`, c.filter, size, token)
				token, _ = get(out, "nextToken").(string)
				list := get(out, "taskArns").([]any)
				if len(list) > size || len(list) == 0 && pages > 0 {
					t.Fatalf("%s: page %d of at most %d has %d", c.filter, pages, size, len(list))
				}
				for _, key := range list {
					got = append(got, key.(string))
				}
			}
			split := min(len(c.inStore), len(got))
			slices.Sort(got[:split])
			want := append(slices.Sorted(slices.Values(c.inStore)), c.history...)
			if !slices.Equal(got, want) {
				t.Errorf("%s in pages of %d\ngot  %v\nwant %v", c.filter, size, got, want)
			}
		}
	}
}
