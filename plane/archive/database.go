package archive

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/plane/database"
)

// schemaVersion is what a new archive begins with. A change of key.go or
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
		Logger:                      database.Logger{Name: "log archive", Log: o.Log},
	})
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
	value, err := database.Get(db, keyCounter())
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
