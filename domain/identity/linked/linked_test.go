package linked

import (
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity/managed"
)

func TestEveryServiceHasItsRole(t *testing.T) {
	policies, err := managed.Policies(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for i := range policies {
		known[policies[i].ARN] = managed.Linked(&policies[i])
	}
	for _, k := range kinds() {
		r := Role(Wanted{Scope: arn.Scope{Account: "123456789012"}, Service: k.service, ID: "AROAX"})
		if r.ARN != "arn:aws:iam::123456789012:role/aws-service-role/"+k.service+"/"+k.name || r.Service != k.service || len(r.Grants.Attached) != 1 || !known[r.Grants.Attached[0]] {
			t.Errorf("%+v", r)
		}
	}
	if known, _ := Known("lambda.amazonaws.com"); known {
		t.Error("a service without a role has one")
	}
	if got := Name(AutoScaling, "mine"); got != "AWSServiceRoleForAutoScaling_mine" {
		t.Errorf("got %s", got)
	}
}
