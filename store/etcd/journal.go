package etcd

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/berthhq/berth/store"
)

const (
	recordPrefix = "/berth/"
	headKey      = "/berth.head"
	formatKey    = "/berth.format"

	// maxOperations and maxRequestBytes are above what one batch may hold.
	maxOperations   = 1 << 13
	maxRequestBytes = 32 << 20

	// appendPatience is how long a batch may be under way before its outcome
	// counts as unknown: beyond etcd's own seven seconds.
	appendPatience = 15 * time.Second
	// loadPage is how many records one read asks for.
	loadPage = 2000
)

var errFenced = fmt.Errorf("another leader has taken over the store: %w", store.ErrNotWritten)

// journal is the store's way to disk.
type journal struct {
	client *clientv3.Client
	codec  codec
	room   *room
	stop   func()

	epoch    uint64        // of this leader; set by Load, which is never concurrent with Append
	previous chan struct{} // closed when the batch before has its outcome
	written  atomic.Int64  // bytes since start, for upkeep
}

// Encode makes a record's value.
func (j *journal) Encode(d store.Descriptor, record any) ([]byte, error) {
	return j.codec.encode(d, record)
}

// Admit refuses what there is no room for.
func (j *journal) Admit(w store.Weight) error { return j.room.admit(w) }

// Append starts the batch's transaction.
func (j *journal) Append(b *store.Batch) <-chan store.Receipt {
	out := make(chan store.Receipt, 1)
	before, decided := j.previous, make(chan struct{})
	j.previous = decided
	j.written.Add(int64(b.Bytes))
	go func() {
		defer close(decided)
		out <- j.write(b, before)
	}()
	return out
}

func (j *journal) write(b *store.Batch, before chan struct{}) store.Receipt {
	ctx, cancel := context.WithTimeout(context.Background(), appendPatience)
	defer cancel()
	then := make([]clientv3.Op, 0, len(b.Changes)+1)
	for _, c := range b.Changes {
		if key := recordKey(c.Table, c.Key); c.New == nil {
			then = append(then, clientv3.OpDelete(key))
		} else {
			then = append(then, clientv3.OpPut(key, string(c.Data)))
		}
	}
	then = append(then, clientv3.OpPut(headKey, head{j.epoch, b.Sequence}.String()))
	for {
		answer, err := j.client.Txn(ctx).
			If(clientv3.Compare(clientv3.Value(headKey), "=", head{j.epoch, b.Sequence - 1}.String())).
			Then(then...).Commit()
		switch {
		case err != nil:
			return store.Receipt{Err: err}
		case answer.Succeeded:
			return store.Receipt{Revision: store.Revision(answer.Header.Revision)}
		case before == nil:
			return store.Receipt{Err: errFenced}
		}
		// It may have overtaken the batch before it, which is then still
		// under way: go again behind that one.
		select {
		case <-before:
			before = nil
		case <-ctx.Done():
			return store.Receipt{Err: ctx.Err()}
		}
	}
}

// Load begins a new epoch, which shuts out every batch still under way, and reads
// what is committed. A leader that was itself shut out does not come back.
func (j *journal) Load(ctx context.Context) (*store.Contents, error) {
	h, revision, err := j.takeOver(ctx)
	if err != nil {
		return nil, err
	}
	j.epoch, j.previous = h.epoch, nil
	c := &store.Contents{Revision: store.Revision(revision), Sequence: h.sequence}
	tables := map[string]store.Descriptor{}
	for _, d := range store.Tables() {
		tables[d.Name()] = d
	}
	from, end := recordPrefix, clientv3.GetPrefixRangeEnd(recordPrefix)
	for {
		page, err := j.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithRev(revision), clientv3.WithLimit(loadPage))
		if err != nil {
			return nil, err
		}
		for _, kv := range page.Kvs {
			r, err := j.record(tables, string(kv.Key), kv.Value)
			if err != nil {
				return nil, err
			}
			c.Records = append(c.Records, r)
			from = string(kv.Key) + "\x00"
		}
		if !page.More {
			return c, nil
		}
	}
}

func (j *journal) record(tables map[string]store.Descriptor, key string, value []byte) (store.Record, error) {
	noun, _, _ := strings.Cut(strings.TrimPrefix(key, recordPrefix), "/")
	d, ok := tables[noun]
	if !ok {
		return store.Record{}, fmt.Errorf("there are records of %q, which this berth does not know: start the newer berth that wrote them", noun)
	}
	v, err := j.codec.decode(d, value)
	return store.Record{Table: d, Value: v}, err
}

func (j *journal) takeOver(ctx context.Context) (head, int64, error) {
	for {
		have, err := j.client.Get(ctx, headKey)
		if err != nil {
			return head{}, 0, err
		}
		var h head
		unchanged := clientv3.Compare(clientv3.CreateRevision(headKey), "=", 0)
		if len(have.Kvs) > 0 {
			if h, err = parseHead(have.Kvs[0].Value); err != nil {
				return head{}, 0, err
			}
			if j.epoch != 0 && j.epoch != h.epoch {
				return head{}, 0, errFenced
			}
			unchanged = clientv3.Compare(clientv3.ModRevision(headKey), "=", have.Kvs[0].ModRevision)
		}
		h.epoch++
		answer, err := j.client.Txn(ctx).If(unchanged).Then(clientv3.OpPut(headKey, h.String())).Commit()
		if err != nil {
			return head{}, 0, err
		}
		if answer.Succeeded {
			return h, answer.Header.Revision, nil
		}
	}
}

// Close closes the database and unlocks the folder.
func (j *journal) Close() error {
	j.stop()
	return nil
}

func recordKey(d store.Descriptor, primary string) string {
	return recordPrefix + d.Name() + "/" + primary
}

// head is the value of the head key.
type head struct{ epoch, sequence uint64 }

func (h head) String() string {
	b := binary.BigEndian.AppendUint64(nil, h.epoch)
	return string(binary.BigEndian.AppendUint64(b, h.sequence))
}

func parseHead(b []byte) (head, error) {
	if len(b) != 16 {
		return head{}, fmt.Errorf("the head of the store is damaged: %d bytes instead of 16", len(b))
	}
	return head{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, nil
}
