package server

import (
	"net/http"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

// VaultPath is where administrators have the vault make a new master key. The
// answer is a vault.Rotated.
const VaultPath = "/_berth/vault/rotate"

func (s *Server) rotateVault(w http.ResponseWriter, r *http.Request, call *gateway.Call) {
	if call.Principal.Kind != identity.Root {
		writeFault(w, fault.New(fault.AccessDenied, "Only the account's administrator rotates the vault's master key."))
		return
	}
	done, err := s.vault.Rotate(r.Context(), s.store, s.Now())
	if err != nil {
		s.Log.Error("the vault's master key was not rotated whole", "masterKey", done.MasterKey, "keys", done.Keys, "err", err)
		writeFault(w, err)
		return
	}
	s.Log.Info("the vault has a new master key", "masterKey", done.MasterKey, "keys", done.Keys)
	writeJSON(w, http.StatusOK, done)
}
