package history

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// list reads all of a query in pages of three.
func (b *bench) list(q task.PastQuery) []task.PastPlace {
	b.t.Helper()
	q.ClusterARN = scope.Cluster("c")
	var all []task.PastPlace
	for {
		page := 0
		for at, err := range b.List(q) {
			must(b.t, err)
			if page++; page > 3 {
				break
			}
			all, q.After = append(all, at), at
		}
		if page <= 3 {
			return all
		}
	}
}

func TestListsAreFilteredTheLastStoppedFirst(t *testing.T) {
	b := open(t, Options{})
	var want []*task.Task
	for n := range 60 {
		x := ended(n, time.Duration(n/2)*time.Second) // two at each moment
		x.Spec.DefinitionARN = scope.TaskDefinition([]string{"job", "web"}[n%2], n)
		x.Spec.Group = []string{"family:job", "service:web", "service:webs"}[n%3]
		x.Spec.StartedBy = []string{"", "me", "you", "m"}[n%4]
		x.Spec.LaunchType = []workload.LaunchType{workload.EC2, workload.Fargate}[n/30]
		if x.Assignment = nil; n%5 > 0 {
			x.Assignment = &task.Assignment{InstanceARN: fmt.Sprint("instance", n%5), Released: true}
		}
		x.Desired = task.Desired{Status: task.Stopped, StoppingAt: x.Observed.StoppedAt}
		want = append(want, x)
	}
	b.add(want...)
	elsewhere := ended(100, time.Minute)
	elsewhere.Spec.ClusterARN = scope.Cluster("c2")
	b.add(elsewhere)
	b.step(2 * time.Hour)
	slices.SortFunc(want, func(x, y *task.Task) int {
		if c := y.Observed.StoppedAt.Compare(x.Observed.StoppedAt); c != 0 {
			return c
		}
		return strings.Compare(x.ARN, y.ARN)
	})
	for name, c := range map[string]struct {
		q    task.PastQuery
		is   func(*task.Task) bool
		some int
	}{
		"all":        {task.PastQuery{}, func(*task.Task) bool { return true }, 60},
		"family":     {task.PastQuery{Family: "web"}, func(x *task.Task) bool { return store.Family(x) == "web" }, 30},
		"group":      {task.PastQuery{Group: "service:web"}, func(x *task.Task) bool { return x.Spec.Group == "service:web" }, 20},
		"started by": {task.PastQuery{StartedBy: "me"}, func(x *task.Task) bool { return x.Spec.StartedBy == "me" }, 15},
		"instance": {task.PastQuery{InstanceARN: "instance3"}, func(x *task.Task) bool {
			return x.Assignment != nil && x.Assignment.InstanceARN == "instance3"
		}, 12},
		"launch type": {task.PastQuery{LaunchType: workload.Fargate}, func(x *task.Task) bool { return x.Spec.LaunchType == workload.Fargate }, 30},
		"two words": {task.PastQuery{Group: "service:web", StartedBy: "m"}, func(x *task.Task) bool {
			return x.Spec.Group == "service:web" && x.Spec.StartedBy == "m"
		}, 5},
		"none": {task.PastQuery{Family: "webs"}, func(*task.Task) bool { return false }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, n := b.list(c.q), 0
			for _, x := range want {
				if !c.is(x) {
					continue
				}
				if n >= len(got) || got[n] != (task.PastPlace{StoppedAt: x.Observed.StoppedAt.UnixNano(), ARN: x.ARN}) {
					t.Fatalf("%d of %d is not %s", n, len(got), x.ARN)
				}
				n++
			}
			if n != len(got) || c.some > 0 && n != c.some {
				t.Errorf("%d listed, %d wanted", len(got), n)
			}
		})
	}
}
