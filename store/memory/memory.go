// Package memory is a store that lives as long as its process: the contract of
// package store without a disk. Everything happens on the caller's goroutine.
package memory

import (
	"context"

	"github.com/berthhq/berth/store"
)

// Open makes an empty store.
func Open() *store.Leader {
	l, err := store.Lead(context.Background(), NewJournal())
	if err != nil {
		panic(err) // an empty map was not readable
	}
	return l
}

// Journal keeps what is committed in a map. A second Leader over it finds what
// the first one had made durable, as after a restart.
type Journal struct {
	records  map[key]store.Record
	sequence uint64
}

type key struct{ table, primary string }

// NewJournal makes an empty journal.
func NewJournal() *Journal { return &Journal{records: map[key]store.Record{}} }

// Encode keeps no bytes.
func (j *Journal) Encode(store.Descriptor, any) ([]byte, error) { return nil, nil }

// Admit has room for everything.
func (j *Journal) Admit(store.Weight) error { return nil }

// Append takes the batch at once.
func (j *Journal) Append(b *store.Batch) <-chan store.Receipt {
	for _, c := range b.Changes {
		k := key{c.Table.Name(), c.Key}
		if c.New == nil {
			delete(j.records, k)
		} else {
			j.records[k] = store.Record{Table: c.Table, Value: c.New}
		}
	}
	j.sequence = b.Sequence
	receipt := make(chan store.Receipt, 1)
	receipt <- store.Receipt{Revision: store.Revision(b.Sequence)}
	return receipt
}

// Load returns what was taken.
func (j *Journal) Load(context.Context) (*store.Contents, error) {
	c := &store.Contents{Revision: store.Revision(j.sequence), Sequence: j.sequence}
	for _, r := range j.records {
		c.Records = append(c.Records, r)
	}
	return c, nil
}

// Close keeps the contents for the next Leader.
func (j *Journal) Close() error { return nil }
