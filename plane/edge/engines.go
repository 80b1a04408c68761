package edge

import (
	"log/slog"

	"github.com/berthhq/berth/plane/edge/probe"
)

// Engines are all there are.
func Engines(_ *Journal, log *slog.Logger) []Engine {
	prober := &probe.Prober{}
	flows := NewFlows(prober, log)
	prober.Changed = flows.Again
	return []Engine{flows}
}
