// Package database holds what the data planes that keep things in a pebble database
// have in common: its log, a read of one key, the check of its layout, and the guard
// of the disk it is on.
package database

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
)

// Logger passes pebble's errors on and keeps its chatter at debug level.
type Logger struct {
	Name string // of what is kept, for people
	Log  *slog.Logger
}

// Infof implements pebble.Logger.
func (l Logger) Infof(format string, args ...any) {
	l.Log.Debug("pebble: " + fmt.Sprintf(format, args...))
}

// Errorf implements pebble.Logger.
func (l Logger) Errorf(format string, args ...any) {
	l.Log.Error("pebble: " + fmt.Sprintf(format, args...))
}

// Fatalf must not return: pebble calls it when it can no longer keep what it
// acknowledged.
func (l Logger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	panic(l.Name + ": " + fmt.Sprintf(format, args...))
}

// Get reads a key into a copy; nil when there is none.
func Get(r pebble.Reader, key []byte) ([]byte, error) {
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

// CheckSchema writes the version of the layout under the key of a new database, and
// refuses one of another version. A value cut short counts as version 0.
func CheckSchema(db *pebble.DB, key []byte, version uint64) error {
	value, err := Get(db, key)
	if err != nil {
		return err
	}
	if value == nil {
		return db.Set(key, binary.BigEndian.AppendUint64(nil, version), pebble.Sync)
	}
	var have uint64
	if len(value) >= 8 {
		have = binary.BigEndian.Uint64(value)
	}
	if have != version {
		return fmt.Errorf("it was written by a newer berth (schema %d, this one knows %d)", have, version)
	}
	return nil
}
