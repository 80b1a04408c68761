package trail

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// attribute is under which a record is handed to the logger.
const attribute = "record"

// Attr hands a record to the logger. It is made only when the line is written.
func Attr(record func() *Record) slog.Attr { return slog.Any(attribute, valuer(record)) }

type valuer func() *Record

// LogValue implements slog.LogValuer.
func (v valuer) LogValue() slog.Value { return slog.AnyValue(v()) }

// NewLogger writes records from a level on, a line of JSON each, and nothing else.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(&handler{level: level, mu: &sync.Mutex{}, to: json.NewEncoder(w)})
}

type handler struct {
	level slog.Leveler
	mu    *sync.Mutex
	to    *json.Encoder
}

func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }
func (h *handler) WithAttrs([]slog.Attr) slog.Handler           { return h }
func (h *handler) WithGroup(string) slog.Handler                { return h }

func (h *handler) Handle(_ context.Context, line slog.Record) (err error) {
	line.Attrs(func(a slog.Attr) bool {
		if a.Key != attribute {
			return true
		}
		record, ok := a.Value.Resolve().Any().(*Record)
		if !ok {
			err = fmt.Errorf("the audit was given a %s", a.Value.Kind())
			return false
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		err = h.to.Encode(record)
		return false
	})
	return err
}
