package engine

import (
	"time"

	"github.com/berthhq/berth/agent/logs"
	"github.com/berthhq/berth/domain/task"
)

// watchLogs has containers say why their logs are not shipped, as long as that is
// so: nobody else would notice before the lines are missed.
func (e *Engine) watchLogs() {
	tick := time.NewTicker(e.config.LogsEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-tick.C:
			e.lookAtLogs()
		}
	}
}

func (e *Engine) lookAtLogs() {
	e.mu.Lock()
	keepers := make([]*keeper, 0, len(e.keepers))
	for _, k := range e.keepers {
		if k.snapshot.Status == task.Running {
			keepers = append(keepers, k)
		}
	}
	e.mu.Unlock()
	for _, k := range keepers {
		k.lookAtLogs()
	}
}

func (k *keeper) lookAtLogs() {
	k.e.mu.Lock()
	known := k.snapshot.record.Containers
	k.e.mu.Unlock()
	for i := range known {
		id, problem := known[i].RuntimeID, k.e.logProblem(known[i].RuntimeID)
		if problem != known[i].LogProblem {
			k.tell(func() {
				if d := &k.record.Containers[i]; d.RuntimeID == id && k.record.Local.Containers[i].Phase == task.PhaseRunning {
					d.LogProblem = problem
				}
			})
		}
	}
}

// logProblem says why a container's logs are not shipped. It tells no numbers: they
// would be news each time.
func (e *Engine) logProblem(id string) string {
	s, ok := e.config.Logs.Status(id)
	switch {
	case !ok || s.Problem == "":
		return ""
	case s.Lost != logs.Status{}.Lost:
		return "LogDriverError: the container's logs cannot be shipped, and its buffer is full, so that lines are dropped: " + s.Problem
	}
	return "LogDriverError: the container's logs cannot be shipped, and wait on disk: " + s.Problem
}
