package metrics

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
)

// schemaVersion is what checkSchema writes in a new store. A change of key.go or
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
		Logger:                      pebbleLog{o.Log},
	})
}

// pebbleLog passes pebble's errors on and keeps its chatter at debug level.
type pebbleLog struct{ log *slog.Logger }

func (l pebbleLog) Infof(format string, args ...any) {
	l.log.Debug("pebble: " + fmt.Sprintf(format, args...))
}

func (l pebbleLog) Errorf(format string, args ...any) {
	l.log.Error("pebble: " + fmt.Sprintf(format, args...))
}

// Fatalf must not return: pebble calls it when it can no longer keep what it
// acknowledged.
func (l pebbleLog) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	panic("metrics: " + fmt.Sprintf(format, args...))
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

func checkSchema(db *pebble.DB) error {
	value, closer, err := db.Get([]byte{kindSchema})
	if errors.Is(err, pebble.ErrNotFound) {
		return db.Set([]byte{kindSchema}, binary.BigEndian.AppendUint64(nil, schemaVersion), pebble.Sync)
	}
	if err != nil {
		return err
	}
	if v := takeUint64(value); v != schemaVersion {
		err = fmt.Errorf("it was written by a newer berth (schema %d, this one knows %d)", v, schemaVersion)
	}
	return errors.Join(err, closer.Close())
}
