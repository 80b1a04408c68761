package placement

import (
	"slices"

	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// unattended is the refusal of an instance that waits for a daemon.
const unattended = "DAEMON"

// attend closes the instances on which a critical daemon of the cluster is to run
// and does not: it comes before other tasks.
func (b *Board) attend(r store.Reader, clusterARN string) {
	for d := range store.Daemons.By(r, store.DaemonsByCluster, clusterARN) {
		if !d.Spec.Critical || d.Status != daemon.Active {
			continue
		}
		runs := map[string]bool{}
		for t := range store.Tasks.By(r, store.TasksOfDaemon, store.InCluster(clusterARN, daemon.Group(d.Name))) {
			if t.LastStatus() == task.Running {
				runs[t.Assignment.InstanceARN] = true
			}
		}
		for i, inst := range b.instances {
			if b.placeable[i] == "" && !runs[inst.ARN] && slices.Contains(d.Spec.Providers, inst.CapacityProvider) {
				b.placeable[i], b.memory[i] = unattended, -1
			}
		}
	}
}
