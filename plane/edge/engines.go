package edge

import (
	"log/slog"
	"net/netip"
	"path/filepath"

	"github.com/berthhq/berth/plane/edge/probe"
)

// Engines are all there are; data is the edge's folder. inside is where identity
// providers may be that are on this machine or its link.
func Engines(data string, j *Journal, inside []netip.Prefix, log *slog.Logger) []Engine {
	ofFlows, ofRequests := &probe.Prober{}, &probe.Prober{}
	flows, requests := NewFlows(ofFlows, j, log), NewRequests(ofRequests, j, inside, log)
	ofFlows.Changed, ofRequests.Changed = flows.Again, requests.Again
	return []Engine{flows, requests, NewProxies(filepath.Join(data, "haproxy"), log)}
}
