package server

import (
	"net/http"

	"github.com/berthhq/berth/dispatch/edges"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// Contexts that the secrets of load balancers are sealed with, beside the key that AWS
// manages for the service: the certificate's, or the listener's or rule's, ARN.
const (
	sealedCertificate = "aws:acm:arn"
	sealedOIDC        = "aws:elasticloadbalancing:arn"
)

// serveEdges are the paths that edges call.
func (s *Server) serveEdges(mux *http.ServeMux) {
	e := edges.New(edges.Config{Store: s.store, Log: s.Log, Now: s.Now, Unseal: s.unsealSnapshot, Measure: s.metrics.Put, Keep: s.keepLines})
	mux.Handle("GET "+edges.SnapshotPath, s.gateway.Signed("berth", as(e.ServeSnapshot)))
	mux.Handle("POST "+edges.ReportPath, s.gateway.Signed("berth", as(e.ServeReport)))
	mux.Handle("POST "+edges.CountsPath, s.gateway.Signed("berth", as(e.ServeCounts)))
	mux.Handle("POST "+edges.LinesPath, s.gateway.Signed("berth", as(e.ServeLines)))
}

// unsealSnapshot opens the keys of certificates and the secrets of OIDC clients. What
// does not open is left out: its listener then refuses handshakes, or sign-ins.
func (s *Server) unsealSnapshot(v *store.View, snap *balancer.Snapshot) {
	for n := range snap.Certificates {
		c := &snap.Certificates[n]
		c.Key = s.unseal(v, c.Scope, c.Key, map[string]string{sealedCertificate: c.ARN})
	}
	for n := range snap.Fronts {
		for m := range snap.Fronts[n].Listeners {
			l := &snap.Fronts[n].Listeners[m]
			s.unsealActions(v, l.Listener.Scope, l.Listener.ARN, l.Listener.Default)
			for _, r := range l.Rules {
				s.unsealActions(v, r.Scope, r.ARN, r.Actions)
			}
		}
	}
}

func (s *Server) unsealActions(v *store.View, scope arn.Scope, owner string, actions []balancer.Action) {
	for _, a := range actions {
		if a.OIDC != nil {
			a.OIDC.ClientSecret = s.unseal(v, scope, a.OIDC.ClientSecret, map[string]string{sealedOIDC: owner})
		}
	}
}

func (s *Server) unseal(v *store.View, scope arn.Scope, sealed []byte, context map[string]string) []byte {
	if len(sealed) == 0 {
		return nil
	}
	id, err := s.vault.KeyID(sealed)
	if err == nil {
		key, _ := store.FindCryptKey(v, scope, id)
		if key != nil {
			var plain []byte
			if plain, err = s.vault.Open(key, sealed, context); err == nil {
				return plain
			}
		}
	}
	s.Log.Error("a secret of a load balancer does not open", "context", context, "err", err)
	return nil
}
