package engine

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/task"
)

// record is all that the engine knows of a task: what its journal holds. The
// task's keeper owns it.
type record struct {
	Local      task.Local
	Containers []detail // in the order's order
	Endpoints  map[string]network.Endpoint
	Sandbox    string // id of the container that holds the task's namespaces or sandbox; empty when none

	PullStartedAt, PullStoppedAt, ExecutionStoppedAt, StoppedAt time.Time
}

// detail is what the engine knows of a container beside its phase.
type detail struct {
	Image       string // name under which the image is kept here
	ImageDigest string
	RuntimeID   string // of the latest attempt; empty before the first
	CreatedAt   time.Time
	Remade      bool // an engine was killed while it made this attempt

	Reason       string // in AWS's words, for the container
	LogProblem   string // why its logs are not shipped now; empty when they are
	HealthSince  time.Time
	HealthCode   int
	HealthOutput string
}

func newRecord(o *task.Order) *record {
	r := &record{Local: *task.NewLocal(o), Containers: make([]detail, len(o.Containers))}
	r.Local.StopWanted = o.Desired == task.Stopped
	return r
}

// containerID names an attempt of a container: it follows from the three, so that
// whoever starts it again finds it made already. It looks like those of AWS.
func containerID(taskID, name string, attempt int) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	id := fmt.Sprintf("%s-%010d", taskID, h.Sum64()%1e10)
	if attempt > 0 {
		id += fmt.Sprintf("-%d", attempt)
	}
	return id
}

// sandboxID names the container that holds a task's namespaces or sandbox.
func sandboxID(taskID string) string { return taskID + "-sandbox" }
