package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

// The administrator, and nobody else, has the vault make a new master key, with
// which all there is can still be read, here and after a restart.
func TestTheAdministratorRotatesTheVault(t *testing.T) {
	s := &Server{Config: Config{Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: time.Now}}
	if err := s.openStore(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	scope := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	_, err := s.store.Update(context.Background(), func(tx *store.Tx) error {
		_, err := s.vault.Managed(tx, scope, "ssm", time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who    identity.Principal
		status int
		keys   int
	}{
		{identity.RoleSession("arn:aws:iam::000000000000:role/admin", "me"), http.StatusBadRequest, 0},
		{identity.RootPrincipal("000000000000"), http.StatusOK, 1},
	} {
		w := httptest.NewRecorder()
		s.rotateVault(w, httptest.NewRequest(http.MethodPost, VaultPath, nil), &gateway.Call{Principal: c.who})
		var done vault.Rotated
		if err := json.Unmarshal(w.Body.Bytes(), &done); err != nil || w.Code != c.status || done.Keys != c.keys {
			t.Errorf("%s: %d %s %v", c.who.ARN, w.Code, w.Body, err)
		}
	}
	if _, err := vault.Open(s.Data, s.store.View(), time.Now()); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}
