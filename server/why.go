package server

import (
	"cmp"
	"net/http"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plan/why"
)

// WhyPath is where administrators ask why a task, a service or a load balancer is as it
// is: with ?target=TASK|SERVICE|BALANCER and &cluster=NAME, which may be left out. The
// answer is the tree of a why.Node.
const WhyPath = "/_berth/why"

func (s *Server) explain(w http.ResponseWriter, r *http.Request, call *gateway.Call) {
	tree, err := s.whyTree(r, call)
	if err != nil {
		writeFault(w, err)
		return
	}
	writeJSON(w, http.StatusOK, tree)
}

func (s *Server) whyTree(r *http.Request, call *gateway.Call) (*why.Node, error) {
	if call.Principal.Kind != identity.Root {
		return nil, fault.New(fault.AccessDenied, "Only the account's administrator asks why.")
	}
	asked := r.URL.Query()
	target := asked.Get("target")
	if target == "" {
		return nil, fault.New(fault.InvalidParameter, "target cannot be empty.").WithHint("give the id of a task, the name of a service or the DNS name of a load balancer")
	}
	q := &why.Inquiry{View: s.store.View(), History: s.history, Now: s.Now(), Registry: []string{s.Listen}}
	return q.About(call.Scope, cmp.Or(asked.Get("cluster"), DefaultCluster), target)
}
