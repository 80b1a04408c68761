package server

import (
	"net/http"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plan/why"
	"github.com/berthhq/berth/store"
)

// WhyPath is where administrators ask why a task or a service is as it is: with
// ?target=TASK|SERVICE and &cluster=NAME, which may be left out. The answer is the
// tree of a why.Node.
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
	target, name := asked.Get("target"), asked.Get("cluster")
	if target == "" {
		return nil, fault.New(fault.InvalidParameter, "target cannot be empty.").WithHint("give the id of a task or the name of a service")
	}
	if name == "" {
		name = DefaultCluster
	}
	v := s.store.View()
	c, ok := store.Clusters.Get(v, call.Scope.Cluster(name))
	if !ok {
		return nil, fault.New(fault.ClusterNotFound, "Cluster not found.").WithHint("berth aws ecs list-clusters shows those there are")
	}
	q := &why.Inquiry{View: v, History: s.history, Now: s.Now(), Registry: []string{s.Listen}}
	return q.About(c, target)
}
