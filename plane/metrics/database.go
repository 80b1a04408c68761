package metrics

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/plane/database"
)

// schemaVersion is what a new store begins with. A change of key.go or
// record.go that an older berth could not read raises it.
const schemaVersion = 1

// openDatabase sizes pebble for a server that idles within few megabytes.
func openDatabase(dir string, o Options) (*pebble.DB, error) {
	return pebble.Open(dir, &pebble.Options{
		FS:                          o.fs,
		CacheSize:                   4 << 20,
		MemTableSize:                2 << 20,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               16 << 20,
		MaxOpenFiles:                128,
		FormatMajorVersion:          pebble.FormatNewest,
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, 1 },
		Logger:                      database.Logger{Name: "metrics", Log: o.Log},
	})
}

// get calls see with the value of a key, which is valid until see returns; nil when
// there is none.
func (m *Metrics) get(key []byte, see func(value []byte) error) error {
	value, closer, err := m.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return see(nil)
	}
	if err != nil {
		return err
	}
	return errors.Join(see(value), closer.Close())
}

// errEnough ends a scan early.
var errEnough = errors.New("enough")

// scan calls see for the keys from one on and before another, until see fails.
// errEnough is not an error of the scan.
func (m *Metrics) scan(from, to []byte, see func(key, value []byte) error) error {
	it, err := m.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = see(it.Key(), value)
		}
		if errors.Is(err, errEnough) {
			break
		}
		if err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return it.Close()
}
