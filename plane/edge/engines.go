package edge

import "log/slog"

// Engines are all there are.
func Engines(_ *Journal, log *slog.Logger) []Engine {
	return []Engine{NewFlows(asSeen{}, log)}
}
