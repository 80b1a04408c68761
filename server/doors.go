package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/store"
)

// listen opens the one port: plain HTTP on loopback, TLS from our authority
// beyond it, and beyond it only when told so.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	if s.secure() && !s.Expose {
		return nil, fmt.Errorf("%s is beyond loopback: add --expose to serve there, over TLS", s.Listen)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: another program uses the address; choose another with --listen", err)
	}
	if s.secure() {
		l = tls.NewListener(l, s.authority.ServerTLS(s.names(), s.Now))
	}
	return l, nil
}

// names are those our certificate holds for: those configured, else the address we
// listen on; where that is every address, all that this machine has, and its name.
func (s *Server) names() []string {
	if len(s.Names) > 0 {
		return s.Names
	}
	host, _, _ := net.SplitHostPort(s.Listen)
	if ip, err := netip.ParseAddr(host); host != "" && (err != nil || !ip.IsUnspecified()) {
		return []string{host}
	}
	names := []string{"localhost"}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	addresses, _ := net.InterfaceAddrs() // none but the names, then
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			names = append(names, n.IP.String())
		}
	}
	return names
}

// health answers 200 once requests are served; with ?agents=N once so many
// agents are connected as well.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	connected := s.sessions.Connected()
	wanted, _ := strconv.Atoi(r.URL.Query().Get("agents"))
	status := http.StatusOK
	if connected < wanted {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, map[string]any{"status": http.StatusText(status), "agents": connected, "pid": os.Getpid()})
}

// TokenPath is where administrators make join tokens.
const TokenPath = "/_berth/tokens"

// TokenRequest asks for a join token.
type TokenRequest struct {
	Cluster string `json:"cluster"`
	Role    string `json:"role"` // name
}

// TokenResponse carries it.
type TokenResponse struct {
	Token string `json:"token"`
}

func (s *Server) createToken(w http.ResponseWriter, r *http.Request, call *gateway.Call) {
	made, err := s.makeToken(r, call.Principal)
	if err != nil {
		writeFault(w, err)
		return
	}
	writeJSON(w, http.StatusOK, made)
}

func (s *Server) makeToken(r *http.Request, who identity.Principal) (*TokenResponse, error) {
	if who.Kind != identity.Root {
		return nil, fault.New(fault.AccessDenied, "Only the account's administrator makes join tokens.")
	}
	var in TokenRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, 4<<10)).Decode(&in); err != nil {
		return nil, fault.New(fault.Serialization, "The token request cannot be read.")
	}
	scope := arn.Scope{Account: who.Account, Region: s.Home.Region}
	cluster := scope.Cluster(in.Cluster)
	if _, ok := store.Clusters.Get(s.store.View(), cluster); !ok {
		return nil, fault.New(fault.ClusterNotFound, "Cluster not found.").WithHint("create it: aws ecs create-cluster --cluster-name %s", in.Cluster)
	}
	role, ok := store.Roles.Get(s.store.View(), store.NameKey(who.Account, in.Role))
	if !ok {
		return nil, fault.New(fault.NoSuchEntity, "The role with name %s cannot be found.", in.Role).
			WithHint("create it, trusting ec2.amazonaws.com, or name another: berth token create --role NAME")
	}
	token, err := s.joins.CreateToken(r.Context(), scope, cluster, role.ARN)
	if err != nil {
		return nil, err
	}
	return &TokenResponse{Token: token.String()}, nil
}

func writeFault(w http.ResponseWriter, err error) {
	f := fault.Of(err)
	writeJSON(w, f.Kind.Status(), map[string]string{"__type": f.Kind.String(), "message": f.Message, "hint": f.Hint})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller who left does not want it
}

// as hands a proven caller to a session.
func as(serve func(http.ResponseWriter, *http.Request, identity.Principal)) gateway.SignedHandler {
	return func(w http.ResponseWriter, r *http.Request, call *gateway.Call) { serve(w, r, call.Principal) }
}

// keys tells the registry whether an access key still works.
type keys struct{ store store.Store }

// Active implements registry.Keys.
func (k keys) Active(id string, now time.Time) bool {
	key, ok := store.AccessKeys.Get(k.store.View(), id)
	return ok && key.Active && !key.Expired(now)
}

// repositories looks ECR repositories up in the store.
type repositories struct{ store store.Store }

// Repository finds one by ARN.
func (r repositories) Repository(arn string) (*image.Repository, bool) {
	return store.Repositories.Get(r.store.View(), arn)
}
