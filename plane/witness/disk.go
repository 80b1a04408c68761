package witness

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/fxamacker/cbor/v2"

	"github.com/berthhq/berth/domain/identity/usage"
	"github.com/berthhq/berth/plane/database"
)

// Keys on disk: "u" with principal, trial, action and resource, "k" with an access
// key's id, each part ended by a zero; "schema" for the version of this layout.
const (
	schemaVersion = 1
	useMark       = "u"
	keyMark       = "k"
	end           = "\x00"
)

func (f fact) diskKey() []byte {
	if f.key != "" {
		return []byte(keyMark + f.key)
	}
	return []byte(strings.Join([]string{useMark + f.principal, f.trial, f.action, f.resource}, end))
}

func (w *Witness) load() error {
	if err := database.CheckSchema(w.db, []byte("schema"), schemaVersion); err != nil {
		return err
	}
	rows, err := w.db.NewIter(nil)
	if err != nil {
		return err
	}
	for ok := rows.First(); ok && err == nil; ok = rows.Next() {
		err = w.take(string(rows.Key()), rows.Value())
	}
	return errors.Join(err, rows.Error(), rows.Close())
}

// take reads one row into memory.
func (w *Witness) take(key string, value []byte) error {
	switch key[:1] {
	case keyMark:
		var last LastUse
		if err := cbor.Unmarshal(value, &last); err != nil {
			return fmt.Errorf("the last use of a key: %w", err)
		}
		w.keys[key[1:]] = last
	case useMark:
		parts := strings.Split(key[1:], end)
		if len(parts) != 4 {
			return fmt.Errorf("a use has %d parts", len(parts))
		}
		u := &usage.Use{}
		if err := cbor.Unmarshal(value, u); err != nil {
			return fmt.Errorf("a use: %w", err)
		}
		by := who{parts[0], parts[1]}
		if w.principals[by] == nil {
			w.principals[by] = map[what]*usage.Use{}
		}
		w.principals[by][what{parts[2], parts[3]}] = u
	}
	return nil
}

// flush writes what changed. What cannot be written stays to be written.
func (w *Witness) flush() error {
	batch := w.db.NewBatch()
	defer batch.Close()
	taken, err := w.collect(batch)
	if err == nil && len(taken) > 0 {
		err = batch.Commit(pebble.NoSync)
	}
	if err != nil {
		w.putBack(taken)
	}
	return err
}

func (w *Witness) collect(batch *pebble.Batch) (map[fact]bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.fresh
	w.fresh = map[fact]bool{}
	for f := range taken {
		value, err := cbor.Marshal(w.valueOf(f))
		if err != nil {
			return taken, err
		}
		if err := batch.Set(f.diskKey(), value, nil); err != nil {
			return taken, err
		}
	}
	return taken, nil
}

func (w *Witness) valueOf(f fact) any {
	if f.key != "" {
		return w.keys[f.key]
	}
	return w.principals[f.who][f.what]
}

func (w *Witness) putBack(taken map[fact]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for f := range taken {
		w.fresh[f] = true
	}
}
