package history

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/plane/database"
)

// schemaVersion is what a new history begins with. A change of key.go that an older
// berth could not read raises it.
const schemaVersion = 1

// openDatabase sizes pebble for what is written now and then and read rarely.
func openDatabase(dir string, log *slog.Logger) (*pebble.DB, error) {
	o := &pebble.Options{
		CacheSize:                  2 << 20,
		MemTableSize:               2 << 20,
		MaxOpenFiles:               64,
		FormatMajorVersion:         pebble.FormatNewest,
		CompactionConcurrencyRange: func() (lower, upper int) { return 1, 1 },
		Logger:                     database.Logger{Name: "history of tasks", Log: log},
	}
	// Tasks resemble each other, so several in a block compress well.
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionGood })
	for i := range o.Levels {
		o.Levels[i].BlockSize = 32 << 10
	}
	return pebble.Open(dir, o)
}

// load checks the layout and reads what is kept in memory.
func (h *History) load() error {
	version, err := database.Get(h.db, keySchema())
	if err != nil {
		return err
	}
	if version == nil {
		return h.db.Set(keySchema(), encodeInt(schemaVersion), pebble.Sync)
	}
	if v := decodeInt(version); v != schemaVersion {
		return fmt.Errorf("it was written by a newer berth (schema %d, this one knows %d)", v, schemaVersion)
	}
	bytes, err := database.Get(h.db, keyBytes())
	if bytes != nil {
		h.bytes = decodeInt(bytes)
	}
	return err
}

// each calls see for the keys with a prefix, from a key on when one is given, until
// it has seen enough. What see gets is pebble's.
func each(db *pebble.DB, prefix, from []byte, see func(key, value []byte) (more bool, err error)) (err error) {
	if from == nil {
		from = prefix
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for it.First(); it.Valid(); it.Next() {
		if more, err := see(it.Key(), it.Value()); !more || err != nil {
			return err
		}
	}
	return nil
}
