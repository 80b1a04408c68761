package history

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// recordVersion begins every task. A change of task.Past that an older berth would
// misread raises it; what it does not know it ignores.
const recordVersion = 1

func encodePast(p *task.Past) ([]byte, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode the ended task %s: %w", p.Task.ARN, err)
	}
	return append([]byte{recordVersion}, body...), nil
}

func decodePast(arn string, data []byte) (*task.Past, error) {
	if len(data) == 0 || data[0] > recordVersion {
		return nil, fmt.Errorf("the ended task %s was written by a newer berth", arn)
	}
	p := new(task.Past)
	if err := json.Unmarshal(data[1:], p); err != nil {
		return nil, fmt.Errorf("read the ended task %s: %w", arn, err)
	}
	return p, nil
}

func placeOf(p *task.Past) task.PastPlace {
	return task.PastPlace{StoppedAt: p.StoppedAt.UnixNano(), ARN: p.Task.ARN}
}

// words are what lists ask for, in one value beside the key of a list, so that a
// list reads no tasks.
type words [5]string

func wordsOf(t *task.Task) words {
	w := words{store.Family(t), t.Spec.Group, t.Spec.StartedBy, "", string(t.Spec.LaunchType)}
	if t.Assignment != nil {
		w[3] = t.Assignment.InstanceARN
	}
	return w
}

func asked(q *task.PastQuery) words {
	return words{q.Family, q.Group, q.StartedBy, q.InstanceARN, string(q.LaunchType)}
}

func (w words) encode() []byte { return []byte(strings.Join(w[:], "\x00")) }

// match tells whether encoded words are as asked.
func (w words) match(value []byte) bool {
	have := strings.SplitN(string(value), "\x00", len(w))
	for i, want := range w {
		if want != "" && (i >= len(have) || have[i] != want) {
			return false
		}
	}
	return true
}

// entry is a key and its value.
type entry struct{ key, value []byte }

// entriesOf are what is stored of a task, and their bytes.
func entriesOf(p *task.Past) ([]entry, int64, error) {
	value, err := encodePast(p)
	if err != nil {
		return nil, 0, err
	}
	at, cluster := placeOf(p), p.Task.Spec.ClusterARN
	list := []entry{
		{keyTask(at.ARN), value},
		{keyInCluster(cluster, at), wordsOf(&p.Task).encode()},
		{keyTime(at), nil},
	}
	bytes := int64(len(cluster) + 8)
	for _, e := range list {
		bytes += int64(len(e.key) + len(e.value))
	}
	list[2].value = append(encodeInt(bytes), cluster...)
	return list, bytes, nil
}
