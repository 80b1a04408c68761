package server

import (
	"net/http"

	"github.com/berthhq/berth/dispatch/edges"
)

// serveEdges are the paths that edges call.
func (s *Server) serveEdges(mux *http.ServeMux) {
	e := edges.New(edges.Config{Store: s.store, Log: s.Log, Now: s.Now, Unseal: s.keyring.Unseal, Measure: s.metrics.Put, Keep: s.keepLines})
	mux.Handle("GET "+edges.SnapshotPath, s.gateway.Signed("berth", as(e.ServeSnapshot)))
	mux.Handle("POST "+edges.ReportPath, s.gateway.Signed("berth", as(e.ServeReport)))
	mux.Handle("POST "+edges.CountsPath, s.gateway.Signed("berth", as(e.ServeCounts)))
	mux.Handle("POST "+edges.LinesPath, s.gateway.Signed("berth", as(e.ServeLines)))
}
