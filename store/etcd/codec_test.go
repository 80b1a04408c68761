package etcd

import (
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func sampleTask(n int) *task.Task {
	s := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	id := fmt.Sprintf("%032x", n)
	now := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	return &task.Task{
		Scope: s, ARN: s.Task("default", id), ID: id, Version: 4, CreatedAt: now,
		Spec: task.Spec{
			ClusterARN: s.Cluster("default"), DefinitionARN: s.TaskDefinition("train", 7), LaunchType: workload.EC2,
			Group: "family:train", StartedBy: "me", CPU: "256", Memory: "512",
			Containers: []task.ContainerID{{Name: "main", ID: "01234567-89ab-cdef-0123-456789abcdef"}},
		},
		Desired: task.Desired{Status: task.Running},
		Assignment: &task.Assignment{
			InstanceARN: s.ContainerInstance("default", fmt.Sprintf("%032x", n%5000)), At: now,
			Held: cluster.Held{CPU: 256, Memory: 512, PortsTCP: []int{8080}},
		},
		Observed: task.Observed{
			Status: task.Running, PullStartedAt: now, PullStoppedAt: now, StartedAt: now, ConnectivityAt: now, Acknowledged: true,
			Containers: []task.Container{{Name: "main", Status: "RUNNING", RuntimeID: id + id, ImageDigest: "sha256:" + id + id}},
		},
	}
}

func BenchmarkCodec(b *testing.B) {
	c, err := newCodec()
	if err != nil {
		b.Fatal(err)
	}
	t := sampleTask(1)
	data, err := c.encode(store.Tasks, t)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportMetric(float64(len(data)), "bytes")
		b.ReportAllocs()
		for b.Loop() {
			c.encode(store.Tasks, t)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.decode(store.Tasks, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
