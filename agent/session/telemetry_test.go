package session

import (
	"testing"

	"github.com/berthhq/berth/protocol/acs"
)

func TestMetricsGoInFramesOfTen(t *testing.T) {
	for tasks, want := range map[int][]int{0: {0}, 1: {1}, 10: {10}, 21: {10, 10, 1}} {
		frames := rounds(acs.Metadata{Cluster: "c", Fin: true}, make([]acs.TaskMetric, tasks))
		if len(frames) != len(want) {
			t.Fatalf("%d tasks in %d frames", tasks, len(frames))
		}
		for i, f := range frames {
			last := i == len(want)-1
			if len(f.TaskMetrics) != want[i] || f.Metadata.Fin != last || f.Metadata.Idle != (tasks == 0) || f.Metadata.Cluster != "c" {
				t.Errorf("%d tasks, frame %d: %d tasks, %+v", tasks, i, len(f.TaskMetrics), f.Metadata)
			}
		}
	}
}
