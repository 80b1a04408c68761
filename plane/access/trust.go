package access

import (
	"fmt"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
)

// assumeRole is what becoming a role is called.
const assumeRole = "sts:AssumeRole"

// Trusts finds a role that a service of AWS, such as ecs-tasks.amazonaws.com, may
// become on behalf of source, an ARN. The error says why it may not.
func (a *Access) Trusts(r store.Reader, roleARN, service, source string) (*identity.Role, error) {
	parsed, err := arn.Parse(roleARN)
	if err != nil {
		return nil, err
	}
	role, ok := store.Roles.Get(r, store.NameKey(parsed.Account, parsed.Name()))
	if !ok || role.ARN != roleARN {
		return nil, fmt.Errorf("there is no role %s", roleARN)
	}
	trust, err := a.documents.read(role.Trust, policy.Trust)
	if err != nil {
		return nil, fmt.Errorf("the trust policy of %s cannot be read: %w", roleARN, err)
	}
	who := Caller{Principal: identity.ServicePrincipal(service)}
	q := question{
		who: &who, standing: &standing{}, action: assumeRole, resource: roleARN,
		given: map[string][]string{"aws:SourceArn": {source}, "aws:SourceAccount": {accountOf(source)}},
	}
	d := policy.Decide(&policy.Request{Principal: who.Principal, Action: assumeRole, Resource: roleARN, Keys: q.key}, &policy.Policies{
		Resource: &policy.Applied{Name: roleARN, Document: trust}, Owner: role.Account, Trusting: true,
	})
	if d.Effect != policy.Allow {
		return nil, fmt.Errorf("the trust policy of %s does not let %s assume it", roleARN, service)
	}
	return role, nil
}
