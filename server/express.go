package server

import (
	"context"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plan/express"
	"github.com/berthhq/berth/plane/access"
)

// expressSession ends the ARN of the principal that ECS is as an infrastructure role.
const expressSession = "ECSExpressGatewayServices"

// manages tells whether ECS may become an infrastructure role and make with it what an
// Express gateway service needs.
func (s *Server) manages(ctx context.Context, roleARN, source string, needs []express.Need) error {
	role, err := s.access.Trusts(s.store.View(), roleARN, ecsPrincipal, source)
	if err != nil {
		return fault.New(fault.AccessDenied, "Cannot assume role %s", roleARN).WithHint("%v", err)
	}
	of, err := arn.Parse(source)
	if err != nil {
		return err
	}
	who := access.Caller{Principal: identity.SessionOf(role, expressSession), Temporary: true, Region: of.Region, Secure: s.secure(), Now: s.Now()}
	keys := map[string][]string{"aws:RequestTag/" + express.Tag: {"true"}, "aws:ResourceTag/" + express.Tag: {"true"}, "aws:TagKeys": {express.Tag}}
	for _, need := range needs {
		if err := s.access.Check(ctx, who, need.Action, []string{need.Resource}, keys); err != nil {
			return err
		}
	}
	return nil
}
