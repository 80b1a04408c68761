package server

import (
	"crypto/rand"
	"net/http"
	"path/filepath"

	"github.com/berthhq/berth/dispatch/edges"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/protocol/keyfile"
	"github.com/berthhq/berth/store"
)

// serveEdges are the paths that edges call.
func (s *Server) serveEdges(mux *http.ServeMux) {
	e := edges.New(edges.Config{Store: s.store, Log: s.Log, Now: s.Now, Unseal: s.unsealSnapshot, Measure: s.metrics.Put, Keep: s.keepLines})
	mux.Handle("GET "+edges.SnapshotPath, s.gateway.Signed("berth", as(e.ServeSnapshot)))
	mux.Handle("POST "+edges.ReportPath, s.gateway.Signed("berth", as(e.ServeReport)))
	mux.Handle("POST "+edges.CountsPath, s.gateway.Signed("berth", as(e.ServeCounts)))
	mux.Handle("POST "+edges.LinesPath, s.gateway.Signed("berth", as(e.ServeLines)))
}

// unsealSnapshot opens the secrets of a snapshot, and adds the one that seals cookies.
func (s *Server) unsealSnapshot(v *store.View, snap *balancer.Snapshot) {
	s.keyring.Unseal(v, snap)
	secret, err := keyfile.ReadOrMake(filepath.Join(s.Data, "cookies.key"), func() ([]byte, error) { return []byte(rand.Text() + rand.Text()), nil })
	if err != nil {
		s.Log.Error("the key of load balancers' cookies; each edge has its own", "err", err)
	}
	snap.Secret = secret
}
