// Package metrics is berth's own store of datapoints, behind the CloudWatch API:
// the metrics of every account and region in one pebble database.
//
// A datapoint that was put is on disk when Put returns. Those of a minute and unit
// are one record, which percentiles can be told from; records go after 15 days.
// Besides, each second of high resolution is a record for three hours. key.go has
// the layout.
//
// Whoever opens Metrics closes them, after their Run has ended.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/berthhq/berth/plane/database"
)

// Options of a store of metrics.
type Options struct {
	// DiskUse tells which part of the disk is in use, from 0 to 1; nil asks the
	// file system. Above 0.9 datapoints are refused.
	DiskUse func() float64
	Now     func() time.Time // nil for the clock
	Log     *slog.Logger     // nil for none

	fs vfs.FS // nil for the disk; tests hold its syncs up
}

// Metrics is an open store.
type Metrics struct {
	db   *pebble.DB
	log  *slog.Logger
	now  func() time.Time
	disk *database.Disk

	mu sync.Mutex // held from reading a record to changing it
}

// Open opens the store in dir, making it if there is none.
func Open(dir string, o Options) (*Metrics, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	db, err := openDatabase(dir, o)
	if err != nil {
		return nil, fmt.Errorf("open the metrics in %s: %w", dir, err)
	}
	if err := database.CheckSchema(db, []byte{kindSchema}, schemaVersion); err != nil {
		return nil, errors.Join(fmt.Errorf("read the metrics in %s: %w", dir, err), db.Close())
	}
	return &Metrics{db: db, log: o.Log, now: o.Now, disk: database.NewDisk(dir, o.DiskUse, o.Now)}, nil
}

// Close closes the database.
func (m *Metrics) Close() error { return m.db.Close() }

// Run drops what has expired until ctx ends.
func (m *Metrics) Run(ctx context.Context) error {
	const interval = 30 * time.Minute
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := m.Sweep(ctx); err != nil && ctx.Err() == nil {
			m.log.Error("sweep the metrics", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
