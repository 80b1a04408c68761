package runtime

import (
	"context"
	"io"
	"log/slog"

	"github.com/containerd/log"
	"github.com/sirupsen/logrus"

	"github.com/berthhq/berth/agent/runtime/storage"
)

// quiet marks ctx as ours for containerd and leads what it logs to ours:
// warnings and errors only, for it tells of every step.
func (r *Runtime) quiet(ctx context.Context) context.Context {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	logger.SetLevel(logrus.WarnLevel)
	logger.AddHook(bridge{to: r.log, until: r.closed})
	return storage.Context(log.WithLogger(ctx, logrus.NewEntry(logger)))
}

// bridge hands logrus entries to slog.
type bridge struct {
	to    *slog.Logger
	until <-chan struct{} // closed with the runtime
}

func (bridge) Levels() []logrus.Level { return []logrus.Level{logrus.ErrorLevel, logrus.WarnLevel} }

func (b bridge) Fire(e *logrus.Entry) error {
	if e.Message == "copy shim log" { // said whenever a shim ends
		return nil
	}
	select {
	case <-b.until:
		return nil
	default:
	}
	attrs := make([]slog.Attr, 0, len(e.Data)+1)
	attrs = append(attrs, slog.String("part", "containerd"))
	for k, v := range e.Data {
		attrs = append(attrs, slog.Any(k, v))
	}
	b.to.LogAttrs(context.Background(), slog.LevelWarn, e.Message, attrs...)
	return nil
}
