package ecs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// house is the API without a socket, over instances that never fill up.
type house struct {
	b        *testing.B
	handlers map[string]gateway.Handler
	call     gateway.Call
}

func build(b *testing.B, instances, tasks int) *house {
	st := memory.Open()
	h := &house{b: b, handlers: ecs.New(ecs.Config{Store: st}).Operations()}
	h.call = gateway.Call{Scope: scope, Principal: identity.RootPrincipal(scope.Account), Now: time.Now()}
	h.do("CreateCluster", &shape.CreateClusterRequest{})
	h.do("RegisterTaskDefinition", &shape.RegisterTaskDefinitionRequest{Family: new("web"), ContainerDefinitions: []shape.ContainerDefinition{
		{Name: new("app"), Image: new("nginx"), Memory: new(int32(128)), Cpu: new(int32(10))},
	}})
	for from := 0; from < instances; from += 1000 {
		_, err := st.Update(context.Background(), func(tx *store.Tx) error {
			for n := from; n < min(from+1000, instances); n++ {
				id := fmt.Sprintf("%032x", n)
				store.Instances.Put(tx, &cluster.Instance{
					Scope: scope, ARN: scope.ContainerInstance("default", id), ID: id, ClusterARN: scope.Cluster("default"), Status: cluster.InstanceActive,
					OffersEC2: true, Connected: true, Registered: cluster.Resources{CPU: 1 << 30, Memory: 1 << 30},
				})
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for range tasks / 10 {
		h.do("RunTask", &shape.RunTaskRequest{TaskDefinition: new("web"), Count: new(int32(10))})
	}
	return h
}

func (h *house) do(operation string, in any) any {
	out, err := h.handlers[operation](context.Background(), &h.call, in)
	if err != nil {
		h.b.Fatal(err)
	}
	return out
}

func BenchmarkRunTask(b *testing.B) {
	for _, instances := range []int{100, 5000} {
		b.Run(fmt.Sprintf("instances=%d", instances), func(b *testing.B) {
			h := build(b, instances, 1000)
			for b.Loop() {
				h.do("RunTask", &shape.RunTaskRequest{TaskDefinition: new("web")})
			}
		})
	}
	b.Run("spread", func(b *testing.B) {
		h := build(b, 100, 10000)
		spread := []shape.PlacementStrategy{{Type: "spread", Field: new("instanceId")}}
		for b.Loop() {
			h.do("RunTask", &shape.RunTaskRequest{TaskDefinition: new("web"), PlacementStrategy: spread})
		}
	})
}

func BenchmarkDescribe(b *testing.B) {
	h := build(b, 100, 10000)
	list := h.do("ListTasks", &shape.ListTasksRequest{}).(*shape.ListTasksResponse)
	b.Run("ListTasks", func(b *testing.B) {
		for b.Loop() {
			h.do("ListTasks", &shape.ListTasksRequest{})
		}
	})
	b.Run("DescribeTasks=1", func(b *testing.B) {
		for b.Loop() {
			h.do("DescribeTasks", &shape.DescribeTasksRequest{Tasks: list.TaskArns[:1]})
		}
	})
	b.Run("DescribeTasks=100", func(b *testing.B) {
		for b.Loop() {
			h.do("DescribeTasks", &shape.DescribeTasksRequest{Tasks: list.TaskArns})
		}
	})
	b.Run("DescribeClusters", func(b *testing.B) {
		for b.Loop() {
			h.do("DescribeClusters", &shape.DescribeClustersRequest{})
		}
	})
}

// BenchmarkDescribeService describes a service of 1,000 tasks.
func BenchmarkDescribeService(b *testing.B) {
	st := memory.Open()
	h := &house{b: b, handlers: ecs.New(ecs.Config{Store: st}).Operations()}
	h.call = gateway.Call{Scope: scope, Principal: identity.RootPrincipal(scope.Account), Now: time.Now()}
	h.do("CreateCluster", &shape.CreateClusterRequest{})
	h.do("RegisterTaskDefinition", &shape.RegisterTaskDefinitionRequest{Family: new("web"), ContainerDefinitions: []shape.ContainerDefinition{
		{Name: new("app"), Image: new("nginx"), Memory: new(int32(128)), Cpu: new(int32(10))},
	}})
	made := h.do("CreateService", &shape.CreateServiceRequest{ServiceName: new("web"), TaskDefinition: new("web"), DesiredCount: new(int32(1000))}).(*shape.CreateServiceResponse)
	_, err := st.Update(context.Background(), func(tx *store.Tx) error {
		for n := range 1000 {
			store.Tasks.Put(tx, &task.Task{
				Scope: scope, ARN: scope.Task("default", fmt.Sprintf("%032x", n)), Desired: task.Desired{Status: task.Running},
				Spec: task.Spec{ClusterARN: scope.Cluster("default"), Group: "service:web", StartedBy: *made.Service.Deployments[0].Id},
			})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h.do("DescribeServices", &shape.DescribeServicesRequest{Services: []string{"web"}})
	}
}
