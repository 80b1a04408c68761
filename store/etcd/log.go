package etcd

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// quietLogger passes etcd's log on, one step less loud: what etcd calls a warning
// (a slow disk, mostly) is worth a line only to who looks for it.
func quietLogger(to *slog.Logger) *zap.Logger {
	return zap.New(&bridge{to: to.Handler().WithAttrs([]slog.Attr{slog.String("part", "etcd")})})
}

type bridge struct{ to slog.Handler }

func softer(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.DPanicLevel:
		return slog.LevelError
	case l >= zapcore.ErrorLevel:
		return slog.LevelWarn
	case l >= zapcore.WarnLevel:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

func (b *bridge) Enabled(l zapcore.Level) bool {
	return b.to.Enabled(context.Background(), softer(l))
}

func (b *bridge) With(fields []zapcore.Field) zapcore.Core {
	return &bridge{b.to.WithAttrs(attributes(fields))}
}

func (b *bridge) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) {
		return c.AddCore(e, b)
	}
	return c
}

func (b *bridge) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(e.Time, softer(e.Level), e.Message, 0)
	r.AddAttrs(attributes(fields)...)
	return b.to.Handle(context.Background(), r)
}

func (b *bridge) Sync() error { return nil }

func attributes(fields []zapcore.Field) []slog.Attr {
	m := zapcore.NewMapObjectEncoder()
	out := make([]slog.Attr, 0, len(fields))
	for _, f := range fields {
		f.AddTo(m)
		out = append(out, slog.Any(f.Key, m.Fields[f.Key]))
	}
	return out
}
