package history

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plane/database"
	"github.com/berthhq/berth/store"
)

// write makes tasks durable, in place of what was written of them before.
func (h *History) write(v *store.View, tasks []*task.Task) error {
	batch, bytes := h.db.NewBatch(), h.bytes
	defer batch.Close()
	for _, t := range tasks {
		freed, err := h.replace(batch, t.ARN)
		if err != nil {
			return err
		}
		entries, added, err := entriesOf(past(v, t))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := batch.Set(e.key, e.value, nil); err != nil {
				return err
			}
		}
		bytes += added - freed
	}
	return h.commit(batch, bytes)
}

// commit makes a batch durable, after which the tasks take so many bytes.
func (h *History) commit(batch *pebble.Batch, bytes int64) error {
	if err := batch.Set(keyBytes(), encodeInt(bytes), nil); err != nil {
		return err
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return err
	}
	h.bytes = bytes
	return nil
}

// replace takes out what is written of a task, if anything is.
func (h *History) replace(batch *pebble.Batch, arn string) (freed int64, err error) {
	p, err := h.Task(arn)
	if p == nil || err != nil {
		return 0, err
	}
	at := placeOf(p)
	value, err := database.Get(h.db, keyTime(at))
	if value == nil || err != nil {
		return 0, err
	}
	return remove(batch, at, value)
}

// remove takes out the task at a place of the index by time, where value is.
func remove(batch *pebble.Batch, at task.PastPlace, value []byte) (freed int64, err error) {
	return decodeInt(value), errors.Join(
		batch.Delete(keyTask(at.ARN), nil),
		batch.Delete(keyInCluster(string(value[8:]), at), nil),
		batch.Delete(keyTime(at), nil),
	)
}

// sweepAtOnce is how many tasks are forgotten in one batch.
const sweepAtOnce = 500

// sweep forgets the tasks that stopped too long ago, and the oldest beyond the
// quota.
func (h *History) sweep(ctx context.Context) error {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = h.sweepSome(h.Now().Add(-h.Keep)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (h *History) sweepSome(before time.Time) (more bool, err error) {
	batch, bytes, count, crowded := h.db.NewBatch(), h.bytes, 0, 0
	defer batch.Close()
	err = each(h.db, []byte{kindTime}, nil, func(key, value []byte) (bool, error) {
		at := placeInTime(key)
		old := at.StoppedAt <= before.UnixNano()
		if !old && bytes <= h.Quota || count == sweepAtOnce {
			return false, nil
		}
		if count++; !old {
			crowded++
		}
		freed, err := remove(batch, at, value)
		bytes -= freed
		return true, err
	})
	if err != nil || count == 0 {
		return false, err
	}
	if crowded > 0 {
		h.Log.Warn("forgot stopped tasks before their time: the history is full", "tasks", crowded, "quota", h.Quota)
	}
	return count == sweepAtOnce, h.commit(batch, bytes)
}
