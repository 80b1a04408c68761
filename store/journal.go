package store

import (
	"context"
	"errors"
)

// Journal is where batches become durable. One Leader uses it; it calls Append
// in order and never Load while a batch is under way.
type Journal interface {
	// Encode makes the bytes of a record, once, for the batch that carries it;
	// a journal that keeps no bytes returns nil.
	Encode(d Descriptor, record any) ([]byte, error)
	// Admit refuses, with a fault, changes there is no room for.
	Admit(w Weight) error
	// Append begins to write a batch, durable only if all before it are, and
	// returns where its receipt will be: at once for a journal that is done.
	Append(b *Batch) <-chan Receipt
	// Load returns all that is committed, and first makes sure that no batch
	// whose receipt was an error can still come to be.
	Load(ctx context.Context) (*Contents, error)
	Close() error
}

// ErrNotWritten, wrapped in a receipt's error, says that the batch certainly was
// not written.
var ErrNotWritten = errors.New("the batch was not written")

// Receipt is the outcome of a batch. With an error other than ErrNotWritten,
// whether it was written is not known until the next Load.
type Receipt struct {
	Revision Revision
	Err      error
}

// Contents is everything committed.
type Contents struct {
	Revision Revision
	Sequence uint64 // of the last batch; 0 when there never was one
	Records  []Record
}

// Record is one record of a table.
type Record struct {
	Table Descriptor
	Value any
}

// Weight is what a transaction would add, for Admit.
type Weight struct {
	Creates, Updates, Deletes int
	Bytes                     int
}

// Batch is a group of changes that become durable together.
type Batch struct {
	Sequence uint64 // follows that of the batch before by one
	Changes  []*Change
	Bytes    int

	byRef map[ref]*Change
	after []*trees // the state once all of it is durable

	before  chan struct{} // closed when the batch before has settled; nil for the first
	settled chan struct{} // closed when this one has
	done    chan struct{} // closed when view or err is known
	view    *View
	err     error
}

// Change is one record's change. Old is nil for a creation, New for a deletion.
type Change struct {
	Table    Descriptor
	Key      string
	Old, New any
	Data     []byte // New, encoded
}

func newBatch() *Batch {
	return &Batch{byRef: map[ref]*Change{}, settled: make(chan struct{}), done: make(chan struct{})}
}

// add merges a transaction's changes into the batch: a record that changed before
// keeps its first old value and takes the last new one.
func (b *Batch) add(changes []*Change) {
	for _, c := range changes {
		b.Bytes += len(c.Data) + len(c.Key)
		r := ref{c.Table.id(), c.Key}
		if have, ok := b.byRef[r]; ok {
			b.Bytes -= len(have.Data) + len(have.Key)
			have.New, have.Data = c.New, c.Data
			continue
		}
		b.byRef[r] = c
		b.Changes = append(b.Changes, c)
	}
}

// seal fixes the batch: what came and went within it is dropped.
func (b *Batch) seal(sequence uint64, after []*trees) {
	kept := b.Changes[:0]
	for _, c := range b.Changes {
		if c.Old != nil || c.New != nil {
			kept = append(kept, c)
		}
	}
	b.Sequence, b.Changes, b.byRef, b.after = sequence, kept, nil, after
}
