package store

import (
	"sort"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/tidwall/btree"
)

// What a task of a service counts as.
const (
	pendingInCrew = iota
	runningInCrew
	leavingCrew
	crewStride
)

// crewRank keeps the tasks of each deployment together, by the number in its id, and
// those of one deployment by what they count as, so that they are counted without
// being read.
func crewRank(t *task.Task) int64 {
	number, _ := strconv.ParseInt(strings.TrimPrefix(t.Spec.StartedBy, service.IDPrefix), 10, 64)
	counts := int64(leavingCrew)
	switch last := t.LastStatus(); {
	case last < task.Running:
		counts = pendingInCrew
	case last == task.Running:
		counts = runningInCrew
	}
	return number*crewStride + counts
}

// CountCrews counts the tasks of a service by what started them, in time that does
// not grow with their number.
func CountCrews(r Reader, clusterARN, name string) map[string]service.Counts {
	key, out := InCluster(clusterARN, service.Group(name)), map[string]service.Counts{}
	crews := r.at(Tasks.ID).indexes[Tasks.position(TasksOfService)]
	for from := int64(minRank); ; {
		first := entry{index: key, rank: from}
		n := rankOf(crews, first)
		if e, ok := crews.GetAt(n); ok {
			first = e
		}
		if n == crews.Len() || first.index != key {
			return out
		}
		t, _ := Tasks.Get(r, first.key)
		number := first.rank - first.rank%crewStride
		count := func(what int64) int {
			return rankOf(crews, entry{index: key, rank: number + what + 1}) - rankOf(crews, entry{index: key, rank: number + what})
		}
		out[t.Spec.StartedBy] = service.Counts{Pending: count(pendingInCrew), Running: count(runningInCrew)}
		from = number + crewStride
	}
}

// rankOf is how many entries come before e.
func rankOf(ix *btree.BTreeG[entry], e entry) int {
	return sort.Search(ix.Len(), func(i int) bool {
		at, _ := ix.GetAt(i)
		return !less(at, e)
	})
}
