package archive

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// schemaVersion is what checkSchema writes in a new archive. A change of key.go or
// record.go that an older berth could not read raises it.
const schemaVersion = 1

// openDatabase sizes pebble for a server that idles within tens of megabytes.
func openDatabase(dir string, o Options) (*pebble.DB, error) {
	cacheBytes := o.CacheBytes
	if cacheBytes == 0 {
		cacheBytes = 8 << 20
	}
	return pebble.Open(dir, &pebble.Options{
		FS:        o.fs,
		CacheSize: cacheBytes,
		// A batch of 1 MiB and its index fit a memtable twice.
		MemTableSize:                4 << 20,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               32 << 20,
		MaxOpenFiles:                256,
		BytesPerSync:                1 << 20,
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
	l.log.Error("pebble: " + fmt.Sprintf(format, args...))
	panic("log archive: " + fmt.Sprintf(format, args...))
}

// get reads a key into a copy; nil when there is none.
func get(r pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(value)), value...)
	return out, closer.Close()
}

func checkSchema(db *pebble.DB) error {
	value, err := get(db, keySchema())
	if err != nil {
		return err
	}
	if value == nil {
		return db.Set(keySchema(), putUint64(nil, schemaVersion), pebble.Sync)
	}
	if v := takeUint64(value); v != schemaVersion {
		return fmt.Errorf("it was written by a newer berth (schema %d, this one knows %d)", v, schemaVersion)
	}
	return nil
}

// counter hands out numbers that never repeat, over restarts too: it reserves a
// stretch on disk before it hands out the first of it, and a crash skips the rest.
type counter struct {
	db *pebble.DB

	mu       sync.Mutex
	next     uint64
	reserved uint64 // exclusive
}

// reservation is the length of a stretch: one sync for so many events.
const reservation = 1 << 20

func openCounter(db *pebble.DB) (*counter, error) {
	value, err := get(db, keyCounter())
	if err != nil {
		return nil, err
	}
	c := &counter{db: db, next: 1}
	if value != nil {
		c.next = takeUint64(value)
	}
	c.reserved = c.next
	return c, nil
}

// take returns the first of n numbers in a row.
func (c *counter) take(n int) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next+uint64(n) > c.reserved {
		ceiling := c.next + uint64(n) + reservation
		if err := c.db.Set(keyCounter(), putUint64(nil, ceiling), pebble.Sync); err != nil {
			return 0, err
		}
		c.reserved = ceiling
	}
	first := c.next
	c.next += uint64(n)
	return first, nil
}
