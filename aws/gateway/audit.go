package gateway

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

// audit writes who asked for what, and what came of it. Parameters are there for
// what may have changed something, without secrets.
func (x *exchange) audit(took time.Duration) {
	log, ctx := x.gateway.Audit, context.Background() // the request's own may have ended
	level := slog.LevelInfo
	reads := x.fault == nil && readsOnly(x.call.Operation)
	if reads {
		level = slog.LevelDebug
	}
	if !log.Enabled(ctx, level) {
		return
	}
	line := []slog.Attr{
		slog.String("request", x.call.ID),
		slog.String("service", x.call.Service),
		slog.String("operation", x.call.Operation),
		slog.String("principal", x.call.Principal.ARN),
		slog.String("key", x.call.KeyID),
		slog.String("account", x.call.Scope.Account),
		slog.String("region", x.call.Scope.Region),
		slog.String("source", x.call.Source.String()),
		slog.Int("status", x.w.status),
		slog.Float64("ms", milliseconds(took)),
	}
	if x.fault != nil {
		line = append(line, slog.String("code", x.fault.Kind.Code(fault.JSON)), slog.String("message", x.fault.Message))
	}
	if x.in != nil && !reads {
		line = append(line, slog.Any("parameters", Redacted(x.in)))
	}
	log.LogAttrs(ctx, level, "request", line...)
}

// readsOnly tells by the name, as CloudTrail's readOnly does.
func readsOnly(operation string) bool {
	for _, verb := range []string{"Describe", "List", "Get", "BatchGet", "BatchCheck", "Filter", "Discover"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}
