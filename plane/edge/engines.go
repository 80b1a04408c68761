package edge

import "log/slog"

// Engines are all there are.
func Engines(log *slog.Logger) []Engine {
	return []Engine{NewFlows(asSeen{}, log)}
}
