package store

import "iter"

// Reader is a state to read: a *View, or a *Tx with its own writes.
type Reader interface {
	now(tableID) *trees // to look up one record
	at(tableID) *trees  // to iterate: does not change meanwhile
}

// Table is one noun: its records, kept by primary key and by its indexes.
type Table[T any] struct {
	ID      tableID
	Noun    string          // names the table on disk: never changes
	Schema  byte            // version of T on disk, from 1; raised when T changes its meaning
	Primary func(*T) string // must never change for a record
	Indexes []*Index[T]

	// Upgrade reads a record written under an older schema; nil while there is
	// only one, or where the decoder alone can read the older ones.
	Upgrade func(schema byte, data []byte) (*T, error)
}

// Index finds records by a key other than the primary one. Set Key, or Keys for
// records that have several; an empty key leaves the record out.
type Index[T any] struct {
	Key  func(*T) string
	Keys func(*T) []string
	// Rank orders records of one key before their primary keys do; nil for all equal.
	Rank func(*T) int64
}

// Position is a place in an index, to go on after it on the next page.
type Position struct {
	Rank int64 // 0 in an index without Rank
	Key  string
}

// Get finds a record by primary key.
func (t *Table[T]) Get(r Reader, key string) (*T, bool) {
	record, ok := r.now(t.ID).rows.Get(key)
	if !ok {
		return nil, false
	}
	return record.(*T), true
}

// Len is the number of records.
func (t *Table[T]) Len(r Reader) int { return r.now(t.ID).rows.Len() }

// All yields every record in order of primary key.
func (t *Table[T]) All(r Reader) iter.Seq[*T] { return t.From(r, "") }

// Keys yields every primary key in order.
func (t *Table[T]) Keys(r Reader) iter.Seq[string] {
	return func(yield func(string) bool) {
		r.at(t.ID).rows.Ascend("", func(key string, _ any) bool { return yield(key) })
	}
}

// From yields the records whose primary key is at least key, in order.
func (t *Table[T]) From(r Reader, key string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		r.at(t.ID).rows.Ascend(key, func(_ string, record any) bool { return yield(record.(*T)) })
	}
}

// After yields the records whose primary key is greater than key: the next page
// after the one that ended with key, be that record still there or not.
func (t *Table[T]) After(r Reader, key string) iter.Seq[*T] { return t.From(r, key+"\x00") }

// Prefix yields the records whose primary key begins with prefix, in order.
func (t *Table[T]) Prefix(r Reader, prefix string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		r.at(t.ID).rows.Ascend(prefix, func(key string, record any) bool {
			return len(key) >= len(prefix) && key[:len(prefix)] == prefix && yield(record.(*T))
		})
	}
}

// By yields the records with the index key, in order of rank, then primary key.
func (t *Table[T]) By(r Reader, ix *Index[T], key string) iter.Seq[*T] {
	return t.scan(r, ix, entry{index: key, rank: minRank})
}

// ByAfter is By from the first record after a position.
func (t *Table[T]) ByAfter(r Reader, ix *Index[T], key string, after Position) iter.Seq[*T] {
	return t.scan(r, ix, entry{index: key, rank: after.Rank, key: after.Key + "\x00"})
}

// ByDescending yields the records with the index key in the opposite order.
func (t *Table[T]) ByDescending(r Reader, ix *Index[T], key string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		at := r.at(t.ID)
		at.indexes[t.position(ix)].Descend(entry{index: key, rank: maxRank, key: maxKey}, func(e entry) bool {
			return e.index == key && t.yield(at, e.key, yield)
		})
	}
}

// Has tells whether any record has the index key.
func (t *Table[T]) Has(r Reader, ix *Index[T], key string) bool {
	for range t.By(r, ix, key) {
		return true
	}
	return false
}

func (t *Table[T]) scan(r Reader, ix *Index[T], from entry) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		at := r.at(t.ID)
		at.indexes[t.position(ix)].Ascend(from, func(e entry) bool {
			return e.index == from.index && t.yield(at, e.key, yield)
		})
	}
}

func (t *Table[T]) yield(at *trees, key string, yield func(*T) bool) bool {
	record, _ := at.rows.Get(key)
	return yield(record.(*T))
}

func (t *Table[T]) position(ix *Index[T]) int {
	for i, have := range t.Indexes {
		if have == ix {
			return i
		}
	}
	panic("store: index of another table asked of " + t.Noun)
}

// Put stores the record under its primary key, in place of the one before.
func (t *Table[T]) Put(tx *Tx, record *T) { tx.put(t, t.Primary(record), record) }

// Delete removes the record; false when there was none.
func (t *Table[T]) Delete(tx *Tx, key string) bool { return tx.delete(t, key) }

// Of reads an event of this table: old is nil for a creation, next for a
// deletion. ok is false for events of other tables.
func (t *Table[T]) Of(e Event) (old, next *T, ok bool) {
	if e.Table != Descriptor(t) {
		return nil, nil, false
	}
	old, _ = e.Old.(*T)
	next, _ = e.New.(*T)
	return old, next, true
}

// Topic is every change of the table.
func (t *Table[T]) Topic() Topic { return Topic{table: t.ID, index: wholeTable} }

// TopicBy is the changes of records that have, or had, the index key.
func (t *Table[T]) TopicBy(ix *Index[T], key string) Topic {
	return Topic{table: t.ID, index: t.position(ix), key: key}
}
