package authority

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/join"
)

// maxRequest bounds what an unknown machine may send.
const maxRequest = 4 << 10

// Door serves join.Path. It needs no signature: the token is the proof.
type Door struct {
	Gate *Gate
	Log  *slog.Logger
}

func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		answer(w, http.StatusMethodNotAllowed, join.Refusal{Message: "Machines join by POST."})
		return
	}
	if r.TLS == nil && !fromLoopback(r) {
		answer(w, http.StatusForbidden, join.Refusal{Message: "Machines join over TLS only.", Hint: "use the server's https:// address"})
		return
	}
	var request join.Request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&request); err != nil || request.Secret == "" {
		answer(w, http.StatusBadRequest, join.Refusal{Message: "The join request cannot be read.", Hint: "use `berth agent` of this version"})
		return
	}
	response, err := d.Gate.Exchange(r.Context(), request.Secret, request.Machine)
	if err != nil {
		f := fault.Of(err)
		d.Log.Warn("refused a machine that wants to join", "from", r.RemoteAddr, "name", request.Name, "why", f.Message, "cause", f.Cause)
		answer(w, f.Kind.Status(), join.Refusal{Message: f.Message, Hint: f.Hint})
		return
	}
	d.Log.Info("a machine joined", "from", r.RemoteAddr, "name", request.Name, "instance", response.InstanceID, "cluster", response.ClusterARN)
	answer(w, http.StatusOK, response)
}

func fromLoopback(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller who left does not want it
}
