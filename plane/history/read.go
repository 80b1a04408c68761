package history

import (
	"iter"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plane/database"
)

// Task finds an ended task by ARN; nil when there is none, or none any more.
func (h *History) Task(arn string) (*task.Past, error) {
	value, err := database.Get(h.db, keyTask(arn))
	if value == nil || err != nil {
		return nil, err
	}
	return decodePast(arn, value)
}

// List yields the ended tasks that a query asks for, the last that stopped first.
// After an error it yields no more.
func (h *History) List(q task.PastQuery) iter.Seq2[task.PastPlace, error] {
	return func(yield func(task.PastPlace, error) bool) {
		prefix, want := keyCluster(q.ClusterARN), asked(&q)
		var from []byte
		if q.After != (task.PastPlace{}) {
			from = append(keyInCluster(q.ClusterARN, q.After), 0)
		}
		err := each(h.db, prefix, from, func(key, value []byte) (bool, error) {
			return !want.match(value) || yield(placeInCluster(key), nil), nil
		})
		if err != nil {
			yield(task.PastPlace{}, err)
		}
	}
}
