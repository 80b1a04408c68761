package rollout_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func TestTagsOfTasks(t *testing.T) {
	ours, theirs := workload.Tag{Key: "of", Value: "service"}, workload.Tag{Key: "of", Value: "definition"}
	managed := []workload.Tag{{Key: "aws:ecs:clusterName", Value: "default"}, {Key: "aws:ecs:serviceName", Value: "web"}}
	for _, c := range []struct {
		propagate string
		managed   bool
		want      []workload.Tag
	}{
		{"", false, nil},
		{"NONE", true, managed},
		{"SERVICE", false, []workload.Tag{ours}},
		{"SERVICE", true, append([]workload.Tag{ours}, managed...)},
		{"TASK_DEFINITION", false, []workload.Tag{theirs}},
	} {
		w := play(t, service.Configuration{}, 1)
		w.change(func(tx *store.Tx, s *service.Service) {
			s.Tags, s.Spec.PropagateTags, s.Spec.ManagedTags = []workload.Tag{ours}, c.propagate, c.managed
			def, _ := store.TaskDefinitions.Get(tx, "one")
			next := *def
			next.Tags = []workload.Tag{theirs}
			store.TaskDefinitions.Put(tx, &next)
		})
		w.settle()
		if got := w.tasks()[0].Tags; !slices.Equal(got, c.want) {
			t.Errorf("%q, managed %v: %v, want %v", c.propagate, c.managed, got, c.want)
		}
	}
}

// A service may ask for LATEST; its tasks have the version that this means.
func TestTasksHaveAPlatformVersion(t *testing.T) {
	for asked, want := range map[string]string{"LATEST": "1.4.0", "1.3.0": "1.3.0", "": ""} {
		w := play(t, service.Configuration{}, 1)
		w.change(func(tx *store.Tx, s *service.Service) {
			have, _ := store.ServiceRevisions.Get(tx, s.Deployments[0].RevisionARN)
			next := *have
			next.Template.PlatformVersion = asked
			store.ServiceRevisions.Put(tx, &next)
		})
		w.settle()
		if got := w.tasks()[0].Spec.PlatformVersion; got != want {
			t.Errorf("%q became %q, want %q", asked, got, want)
		}
	}
}

func TestStrategiesSpreadByBaseAndWeight(t *testing.T) {
	w := play(t, service.Configuration{}, 9)
	w.change(func(_ *store.Tx, s *service.Service) {
		s.Spec.Template.LaunchType = ""
		s.Spec.Template.Providers = []cluster.CapacityProviderStrategyItem{{Provider: "FARGATE", Base: 1, Weight: 1}, {Provider: "FARGATE_SPOT", Weight: 3}}
	})
	spread := func() map[string]int {
		out := map[string]int{}
		for _, x := range w.tasks() {
			if x.DesiredStatus() != task.Stopped {
				out[x.Spec.CapacityProvider]++
			}
		}
		return out
	}
	w.settle()
	if got, want := spread(), map[string]int{"FARGATE": 3, "FARGATE_SPOT": 6}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Desired = 17 })
	w.settle()
	if got, want := spread(), map[string]int{"FARGATE": 5, "FARGATE_SPOT": 12}; !maps.Equal(got, want) {
		t.Errorf("scaled out: %v, want %v", got, want)
	}
}

// onInstances makes the service one on instances, of tasks with a port.
func (w *stage) onInstances(instances ...cluster.Instance) {
	w.t.Helper()
	w.change(func(tx *store.Tx, s *service.Service) {
		s.Spec.Template.LaunchType = workload.EC2
		rev, _ := store.ServiceRevisions.Get(tx, "revision/one")
		next := *rev
		next.Template = s.Spec.Template
		store.ServiceRevisions.Put(tx, &next)
		store.TaskDefinitions.Put(tx, &workload.Definition{ARN: "one", Family: "one", Revision: 1, NetworkMode: workload.Bridge, Containers: []workload.Container{{
			Name: "app", Essential: true, CPU: 256, Memory: new(512), PortMappings: []workload.PortMapping{{ContainerPort: 80, HostPort: new(8080), Protocol: "tcp"}},
		}}})
		for i := range instances {
			x := &instances[i]
			x.Scope, x.ID, x.ClusterARN, x.OffersEC2 = scope, "i"+string(rune('1'+i)), scope.Cluster("default"), true
			x.ARN, x.Status = scope.ContainerInstance("default", x.ID), cluster.InstanceActive
			store.Instances.Put(tx, x)
		}
	})
}

func TestTasksWithoutAPlaceAreSaidInAWSWords(t *testing.T) {
	const begins, ends = "(service web) was unable to place a task because no container instance met all of its requirements. ", " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	room := cluster.Resources{CPU: 1024, Memory: 1024}
	for _, c := range []struct {
		name      string
		instances []cluster.Instance
		want      string
	}{
		{"no instance", nil, "Reason: No Container Instances were found in your cluster." + ends},
		{"no CPU", []cluster.Instance{{Connected: true, Registered: cluster.Resources{CPU: 128, Memory: 1024}}},
			"The closest matching (container-instance i1) has insufficient CPU units available." + ends + " (CPU needs 256, has 128)"},
		{"no memory", []cluster.Instance{{Connected: true, Registered: cluster.Resources{CPU: 1024, Memory: 128}}},
			"The closest matching (container-instance i1) has insufficient memory available." + ends + " (MEMORY needs 512, has 128)"},
		{"the port is taken", []cluster.Instance{{Connected: true, Registered: cluster.Resources{CPU: 1024, Memory: 1024, PortsTCP: []int{8080}}}},
			"The closest matching (container-instance i1) is already using a port required by your task." + ends + " (PORTS [8080] in use)"},
		{"no agent", []cluster.Instance{{Registered: room}},
			"The closest matching (container-instance i1) encountered error \"AGENT\"." + ends + " (the agent is not connected)"},
		{"the one that lacks the least is named", []cluster.Instance{{Registered: room}, {Connected: true, Registered: cluster.Resources{CPU: 128, Memory: 128}}, {Connected: true, Registered: cluster.Resources{CPU: 128, Memory: 1024}}},
			"The closest matching (container-instance i3) has insufficient CPU units available." + ends + " (CPU needs 256, has 128)"},
	} {
		w := play(t, service.Configuration{}, 1)
		w.onInstances(c.instances...)
		w.settle()
		if !w.said(begins + c.want) {
			t.Errorf("%s: not said", c.name)
			for e := range store.ServiceEvents.Prefix(w.s.View(), store.ServiceEventPrefix(w.arn())) {
				t.Log(e.Message)
			}
		}
	}
}

func TestANoticeIsNotRepeatedForSixHoursUnlessItsReasonHadGone(t *testing.T) {
	w := play(t, service.Configuration{}, 1)
	w.onInstances()
	w.settle()
	line := "(service web) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {time.Second, 1}, {6*time.Hour - 2*time.Second, 1}, {time.Second, 2}, {time.Hour, 2}} {
		w.pass(c.after)
		if n := w.times(line); n != c.want {
			t.Errorf("at %v said %d times, want %d", w.now.Sub(began), n, c.want)
		}
	}
	w.onInstances(cluster.Instance{Connected: true, Registered: cluster.Resources{CPU: 1024, Memory: 1024}})
	w.pass(time.Second)
	if w.is("SUCCESSFUL, one 1/1 0/0"); len(w.service().Notices) > 0 {
		t.Errorf("still noted: %v", w.service().Notices)
	}
}
