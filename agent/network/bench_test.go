package network_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/task"
)

// BenchmarkSetup is a task's way to a network and back, with 50 others there and
// none pausing between. The budget is 5 ms for set-up; teardown is what its
// caller waits for.
func BenchmarkSetup(b *testing.B) {
	ctx := context.Background()
	for name, order := range map[string]func(i int) *task.Order{
		"awsvpc": func(i int) *task.Order {
			return inVPC("vpc-default", "172.31.0.0/16", fmt.Sprintf("172.31.%d.%d", 1+i/200%250, 4+i%200))
		},
		"bridge": func(int) *task.Order { return inBridge(container("app", dynamic(80, "tcp"))) },
	} {
		b.Run(name, func(b *testing.B) {
			m := newMachine(b)
			n := open(b, m.config())
			for i := range 50 {
				setup(b, n, order(i))
			}
			var up, down []time.Duration
			for i := 50; b.Loop(); i++ {
				o := order(i)
				start := time.Now()
				setup(b, n, o)
				done := time.Now()
				check(b, n.Teardown(ctx, o.ARN))
				up, down = append(up, done.Sub(start)), append(down, time.Since(done))
			}
			report(b, "setup", up)
			report(b, "teardown", down)
		})
	}
}

func report(b *testing.B, what string, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100].Microseconds())/1000, fmt.Sprintf("ms-%s-p%d", what, p))
	}
}
