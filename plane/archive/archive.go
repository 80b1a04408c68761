// Package archive is berth's own store of log events, behind the CloudWatch Logs
// API: groups, streams and events of every account and region in one pebble
// database, with retention, a quota, searches and live tails.
//
// An event that was put is on disk when Put returns. Events of a group lie in the
// order they are read in, by time and then by ingestion, whatever their stream, so
// that a search is one scan and retention drops whole stretches; an index by
// stream serves reads of one stream. key.go has the layout.
//
// Whoever opens an Archive closes it, after its Run has ended.
package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/plane/database"
)

// Full says what happens to new events when the quota is reached.
type Full int

const (
	// DropOldest makes room by dropping the oldest hours of events.
	DropOldest Full = iota
	// Refuse answers new events with ServiceUnavailableException.
	Refuse
)

// Options of an archive. The zero value has no quota.
type Options struct {
	// Quota bounds the events' bytes as AWS counts them (the message and 26); 0
	// has no bound. On disk they take about a third of it.
	Quota    int64
	WhenFull Full
	// DiskUse tells which part of the disk is in use, from 0 to 1; nil asks the
	// file system. Above 0.9 events are refused.
	DiskUse func() float64
	Now     func() time.Time // nil for the clock
	Log     *slog.Logger     // nil for none
	// CacheBytes bounds the cache of blocks; 0 for 8 MiB.
	CacheBytes int64

	fs vfs.FS // nil for the disk; tests hold its syncs up
}

// Archive is an open store.
type Archive struct {
	db      *pebble.DB
	options Options
	log     *slog.Logger
	now     func() time.Time
	ids     *counter
	room    *room
	tails   tails
	sweeps  chan struct{} // wakes Run for a sweep

	mu     sync.RWMutex // guards groups
	groups map[arn.Scope]map[string]*group
}

// Open opens the archive in dir, making it if there is none.
func Open(dir string, o Options) (*Archive, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	db, err := openDatabase(dir, o)
	if err != nil {
		return nil, fmt.Errorf("open the log archive in %s: %w", dir, err)
	}
	a := &Archive{
		db: db, options: o, log: o.Log, now: o.Now,
		room:   &room{quota: o.Quota, full: o.WhenFull, disk: database.NewDisk(dir, o.DiskUse, o.Now)},
		sweeps: make(chan struct{}, 1),
		groups: map[arn.Scope]map[string]*group{},
	}
	if err := a.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("read the log archive in %s: %w", dir, err), db.Close())
	}
	return a, nil
}

// load reads what the archive holds in memory: the counter and the groups.
func (a *Archive) load() (err error) {
	if err := database.CheckSchema(a.db, keySchema(), schemaVersion); err != nil {
		return err
	}
	if a.ids, err = openCounter(a.db); err != nil {
		return err
	}
	return a.loadGroups()
}

// Close ends all tails and closes the database.
func (a *Archive) Close() error {
	a.tails.closeAll()
	return a.db.Close()
}

// Run keeps retention and the quota until ctx ends.
func (a *Archive) Run(ctx context.Context) error {
	const interval = 10 * time.Minute
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := a.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("sweep the log archive", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-a.sweeps:
		}
	}
}

// millis is the time as events carry it.
func (a *Archive) millis() int64 { return a.now().UnixMilli() }

func noGroup() error {
	return fault.New(fault.ResourceNotFound, "The specified log group does not exist.")
}

func noStream() error {
	return fault.New(fault.ResourceNotFound, "The specified log stream does not exist.")
}

// StoredBytes is the size of all events of all groups, as AWS counts it.
func (a *Archive) StoredBytes() int64 { return a.room.stored.Load() }

// Dropped counts the events the quota took: refused ones, and bytes of old ones.
func (a *Archive) Dropped() (refused, droppedBytes int64) {
	return a.room.refused.Load(), a.room.dropped.Load()
}
