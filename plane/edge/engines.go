package edge

import (
	"log/slog"
	"path/filepath"

	"github.com/berthhq/berth/plane/edge/probe"
)

// Engines are all there are; data is the edge's folder.
func Engines(data string, j *Journal, log *slog.Logger) []Engine {
	ofFlows, ofRequests := &probe.Prober{}, &probe.Prober{}
	flows, requests := NewFlows(ofFlows, j, log), NewRequests(ofRequests, j, log)
	ofFlows.Changed, ofRequests.Changed = flows.Again, requests.Again
	return []Engine{flows, requests, NewProxies(filepath.Join(data, "haproxy"), log)}
}
