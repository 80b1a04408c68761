package edge

import "log/slog"

// Engines are all there are. journal is nil for no access logs.
func Engines(journal *Journal, log *slog.Logger) []Engine {
	return []Engine{NewFlows(log), NewWebs(journal, log)}
}
