package store

// Tx is a transaction: the newest state, with the changes made so far.
type Tx struct {
	head *head
	undo []undo
}

// undo is a record as it was before the transaction touched it.
type undo struct {
	table Descriptor
	key   string
	old   any // nil when there was none
}

func (tx *Tx) now(id tableID) *trees { return tx.head.tables[id] }
func (tx *Tx) at(id tableID) *trees  { return tx.head.freeze(id) }

func (tx *Tx) put(d Descriptor, key string, record any) {
	tx.undo = append(tx.undo, undo{d, key, tx.head.set(d, key, record)})
}

func (tx *Tx) delete(d Descriptor, key string) bool {
	if _, ok := tx.now(d.id()).rows.Get(key); !ok {
		return false
	}
	tx.undo = append(tx.undo, undo{d, key, tx.head.set(d, key, nil)})
	return true
}

// Try runs fn as a part of the transaction that may fail by itself: when fn
// returns an error, what it changed is undone and the rest of the transaction
// stays as it was.
func (tx *Tx) Try(fn func(*Tx) error) error {
	mark, kept := len(tx.undo), false
	defer func() {
		if !kept {
			tx.rollback(mark)
		}
	}()
	err := fn(tx)
	kept = err == nil
	return err
}

// rollback leaves the head as it was after so many changes.
func (tx *Tx) rollback(mark int) {
	for i := len(tx.undo) - 1; i >= mark; i-- {
		tx.head.set(tx.undo[i].table, tx.undo[i].key, tx.undo[i].old)
	}
	tx.undo = tx.undo[:mark]
}

// changes lists what the transaction did, one change a record. What ends as it
// began is left out.
func (tx *Tx) changes() []*Change {
	seen := make(map[ref]bool, len(tx.undo))
	var out []*Change
	for _, u := range tx.undo {
		r := ref{u.table.id(), u.key}
		if seen[r] {
			continue
		}
		seen[r] = true
		next, _ := tx.now(r.table).rows.Get(u.key)
		if next == nil && u.old == nil {
			continue
		}
		out = append(out, &Change{Table: u.table, Key: u.key, Old: u.old, New: next})
	}
	return out
}

// ref names a record of any table.
type ref struct {
	table tableID
	key   string
}
