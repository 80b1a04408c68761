package archive

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/domain/telemetry/pattern"
)

const benchLine = `2026-01-01T00:00:00.000Z level=info msg="request served" path=/orders/17 status=200 ms=12.5 id=%08d`

// BenchmarkPut stores lines of 100 bytes in batches of 500, each batch synced, by
// several writers at once, each with its own stream. One operation is one line.
func BenchmarkPut(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			a, c := fresh(b, Options{})
			var stream atomic.Int64
			const batch = 500
			b.SetParallelism(max(1, writers/runtime.GOMAXPROCS(0)))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				name := fmt.Sprint("s", stream.Add(1))
				must(b, a.CreateStream(here, "g", name))
				for more := true; more; {
					var events []telemetry.Event
					for len(events) < batch {
						if more = pb.Next(); !more {
							break
						}
						events = append(events, telemetry.Event{Timestamp: c.millis.Add(1) / 100, Message: fmt.Sprintf(benchLine, len(events))})
						events[len(events)-1].Timestamp += 1_700_000_000_000 * 99 / 100
					}
					if len(events) == 0 {
						return
					}
					if _, err := a.Put(here, "g", name, events, nil); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// BenchmarkSearch looks through lines of 100 bytes. One operation is one line
// looked at.
func BenchmarkSearch(b *testing.B) {
	a, c := fresh(b, Options{})
	const lines = 200_000
	for i := 0; i < lines; i += 1000 {
		var list []string
		for j := range 1000 {
			list = append(list, fmt.Sprintf(benchLine, i+j))
		}
		put(b, a, c, "a", list...)
	}
	rare, err := pattern.Parse(`"id=00000001"`)
	must(b, err)
	for name, q := range map[string]telemetry.SearchQuery{
		"rare":   {Pattern: rare},
		"stream": {Pattern: rare, Streams: telemetry.StreamSet{Names: []string{"a"}}},
	} {
		b.Run(name, func(b *testing.B) {
			for looked := 0; looked < b.N; looked += lines {
				for q := q; ; {
					found, err := a.Search(context.Background(), here, "g", q)
					must(b, err)
					if found.Next == nil {
						break
					}
					q.From = found.Next
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// BenchmarkIdleMemory opens an archive with 100,000 lines and reports its heap.
func BenchmarkIdleMemory(b *testing.B) {
	a, c := fresh(b, Options{})
	for range 100 {
		put(b, a, c, "a", strings.Split(strings.Repeat("a line of some length\n", 999), "\n")[:999]...)
	}
	for b.Loop() {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MB-heap")
	b.ReportMetric(float64(m.Sys-m.HeapReleased)/(1<<20), "MB-held")
}
