package server

import (
	"context"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/signin"
	"github.com/berthhq/berth/plane/keyring"
	"github.com/berthhq/berth/store"
)

// Whoever has a token of a balancer gets the key that verifies it, by its name alone.
func TestEverybodyGetsTheKeysOfClaims(t *testing.T) {
	s := &Server{Config: Config{Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: time.Now}}
	if err := s.openStore(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	s.keyring = &keyring.Keyring{Vault: s.vault, Log: s.Log}
	scope := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	put(t, s.store, func(tx *store.Tx) {
		for _, name := range []string{"one", "two"} {
			sealed, err := s.keyring.Seal(tx, scope, name, []byte("secret of "+name), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: name, Name: name, Kind: balancer.Application, Secret: sealed})
		}
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ClaimsPath, s.claims)
	get := func(kid string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, strings.Replace(ClaimsPath, "{kid}", kid, 1), nil))
		return w
	}
	kid, want := signin.Key([]byte("secret of two"))
	if got := get(kid); got.Code != http.StatusOK || got.Body.String() != string(want) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if block, _ := pem.Decode(want); block == nil || block.Type != "PUBLIC KEY" {
		t.Errorf("no key: %s", want)
	}
	if got := get("00000000-0000-0000-0000-000000000000"); got.Code != http.StatusNotFound {
		t.Errorf("another's: %d %s", got.Code, got.Body)
	}
}
