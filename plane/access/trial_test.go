package access_test

import (
	"testing"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/store"
)

// A policy on trial refuses nothing; what it alone would have refused is seen, and
// nothing that is refused anyhow.
func TestAPolicyOnTrialRefusesNothing(t *testing.T) {
	h := build(t)
	who := h.role(identity.Grants{Inline: inline(allow("ecs:*"))})
	tight := &identity.ManagedPolicy{ARN: iam + "policy/tight", Default: "v2", Versions: []identity.PolicyVersion{{ID: "v2", Document: allow("ecs:Describe*")}}}
	h.put(func(tx *store.Tx) {
		store.ManagedPolicies.Put(tx, tight)
		role, _ := store.Roles.Get(tx, store.NameKey(account, "worker"))
		tagged := *role
		tagged.Tags = []workload.Tag{{Key: access.TrialTag, Value: tight.ARN}}
		store.Roles.Put(tx, &tagged)
	})
	check := func(action string) bool { return h.Check(h.Context(), who, action, []string{cluster}, nil) == nil }
	if !check("ecs:DescribeClusters") || !check("ecs:DeleteCluster") || check("s3:GetObject") {
		t.Error("the trial changed what is allowed")
	}
	var trials []access.Observation
	for _, o := range h.seen {
		if o.Trial != "" {
			trials = append(trials, o)
		}
	}
	if len(h.seen) != 4 || len(trials) != 1 || trials[0].Trial != tight.ARN+"@v2" || trials[0].Action != "ecs:DeleteCluster" || trials[0].Effect == policy.Allow {
		t.Errorf("saw %+v", h.seen)
	}
}
