package etcd

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

func cpuTime() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchStore(b *testing.B) *Store {
	b.Helper()
	s, err := Open(context.Background(), Options{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// Durable updates of one task each, by so many callers at once.
func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := benchStore(b)
			fillTasks(b, s, 10_000)
			var n atomic.Int64
			b.SetParallelism((writers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			cpu := cpuTime()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					t := sampleTask(int(n.Add(1)) % 10_000)
					t.Version = n.Load()
					if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
						store.Tasks.Put(tx, t)
						return nil
					}); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
			b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func fillTasks(b *testing.B, s store.Store, tasks int) {
	b.Helper()
	for n := 0; n < tasks; n += 1000 {
		if _, err := s.Update(context.Background(), func(tx *store.Tx) error {
			for i := range min(1000, tasks-n) {
				store.Tasks.Put(tx, sampleTask(n+i))
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	s := benchStore(b)
	fillTasks(b, s, 50_000)
	one := sampleTask(31415)
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := store.Tasks.Get(s.View(), one.ARN); !ok {
				b.Fatal("missing")
			}
		}
	})
	b.Run("by instance, 10 tasks", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for range store.Tasks.By(s.View(), store.TasksByInstance, one.Assignment.InstanceARN) {
				n++
			}
			if n != 10 {
				b.Fatal(n)
			}
		}
	})
	b.Run("page of 100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for range store.Tasks.ByAfter(s.View(), store.TasksByCluster, store.ClusterTasks(one.Spec.ClusterARN, task.Running), store.Position{Key: one.ARN}) {
				if n++; n == 100 {
					break
				}
			}
		}
	})
}

// Heap for a task, its record and its place in every index, once with etcd's own
// part of it and once as a memory store would hold it; and what a restart costs.
func BenchmarkFiftyThousandTasks(b *testing.B) {
	const tasks = 50_000
	for b.Loop() {
		before := heap()
		dir := b.TempDir()
		s, err := Open(context.Background(), Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		empty := heap()
		fillTasks(b, s, tasks)
		b.ReportMetric(float64(heap()-empty)/tasks, "heap-B/task")
		b.ReportMetric(float64(empty-before)/(1<<20), "heap-MB-empty")
		s.Close()
		began := time.Now()
		if s, err = Open(context.Background(), Options{Dir: dir}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s-reopen")
		b.ReportMetric(float64(heap()-before)/tasks, "heap-B/task-reopened")
		if n := store.Tasks.Len(s.View()); n != tasks {
			b.Fatalf("%d tasks came back", n)
		}
		s.Close()
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
