package server

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/berthhq/berth/aws/api/s3"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/usage"
	"github.com/berthhq/berth/plan/audit"
	"github.com/berthhq/berth/store"
)

// Paths of what administrators ask about roles, each with ?role=NAME but AuditPath.
const (
	SuggestPath = "/_berth/iam/suggest" // GET: a usage.Document
	UnusedPath  = "/_berth/iam/unused"  // GET: []usage.Idle
	TrialPath   = "/_berth/iam/trial"   // GET: a Trial; POST: a TrialRequest
	AuditPath   = "/_berth/audit"       // GET: an audit.Report
)

// aboutRole answers an administrator about one of the account's roles.
func (s *Server) aboutRole(answer func(*http.Request, *gateway.Call, *identity.Role) (any, error)) http.Handler {
	return s.gateway.Signed("berth", func(w http.ResponseWriter, r *http.Request, call *gateway.Call) {
		role, err := s.askedRole(r, call)
		if err != nil {
			writeFault(w, err)
			return
		}
		out, err := answer(r, call, role)
		if err != nil {
			writeFault(w, err)
			return
		}
		writeJSON(w, http.StatusOK, out)
	})
}

func (s *Server) askedRole(r *http.Request, call *gateway.Call) (*identity.Role, error) {
	if call.Principal.Kind != identity.Root {
		return nil, fault.New(fault.AccessDenied, "Only the account's administrator asks about roles.")
	}
	name := r.URL.Query().Get("role")
	role, ok := store.Roles.Get(s.store.View(), store.NameKey(call.Principal.Account, name))
	if !ok {
		return nil, fault.New(fault.NoSuchEntity, "The role with name %s cannot be found.", name).
			WithHint("berth aws iam list-roles shows those there are")
	}
	return role, nil
}

func (s *Server) suggest(_ *http.Request, _ *gateway.Call, role *identity.Role) (any, error) {
	uses := s.witness.Uses(role.ARN, "")
	if len(uses) == 0 {
		return nil, fault.New(fault.ResourceNotFound, "The role %s has not been seen to ask for anything.", role.Name).
			WithHint("run what uses it under a policy that is wide enough, then ask again")
	}
	return usage.Suggest(uses), nil
}

func (s *Server) unused(_ *http.Request, _ *gateway.Call, role *identity.Role) (any, error) {
	grants := audit.Grants(s.store.View(), &role.Grants)
	return usage.Unused(grants, s.witness.Uses(role.ARN, ""), actions()), nil
}

func (s *Server) audited(w http.ResponseWriter, _ *http.Request, call *gateway.Call) {
	if call.Principal.Kind != identity.Root {
		writeFault(w, fault.New(fault.AccessDenied, "Only the account's administrator audits it."))
		return
	}
	writeJSON(w, http.StatusOK, audit.Look(s.store.View(), call.Principal.Account))
}

// maxPolicy is more than IAM takes for a managed policy.
const maxPolicy = 64 << 10

func readPolicy(r *http.Request) (string, error) {
	var in TrialRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, maxPolicy)).Decode(&in); err != nil {
		return "", fault.New(fault.Serialization, "The request cannot be read.")
	}
	return in.Document, nil
}

// actions are those that berth asks for: the operations' own, S3's, and those that
// are no operations.
func actions() []string {
	out := append(s3.Actions(), "ecs:Poll", "ecs:StartTelemetrySession", "iam:PassRole")
	for _, offer := range Coverage() {
		for operation := range offer.Handlers {
			out = append(out, gateway.ActionPrefix(offer.Service)+":"+operation)
		}
	}
	return out
}
