package server

import (
	"net/http"

	"github.com/berthhq/berth/plane/edge/signin"
	"github.com/berthhq/berth/store"
)

// ClaimsPath is where everybody gets the key that verifies the X-Amzn-Oidc-Data of a
// balancer's requests, in PEM, by the kid that its header names. On AWS it is at
// https://public-keys.auth.elb.REGION.amazonaws.com/KID.
const ClaimsPath = "/_berth/public-keys/{kid}"

// claims finds the balancer whose key it is. A key follows from its balancer's secret.
func (s *Server) claims(w http.ResponseWriter, r *http.Request) {
	v, kid := s.store.View(), r.PathValue("kid")
	for b := range store.Balancers.All(v) {
		if len(b.Secret) == 0 {
			continue
		}
		secret, err := s.keyring.Open(v, b.Scope, b.ARN, b.Secret)
		if err != nil {
			continue // edges say so
		}
		if id, text := signin.Key(secret); id == kid {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write(text) // the asker may have gone
			return
		}
	}
	http.NotFound(w, r)
}
