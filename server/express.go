package server

import (
	"context"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/plan/express"
)

// expressSession ends the ARN of the principal that ECS is as an infrastructure role.
const expressSession = "ECSExpressGatewayServices"

// manages tells whether ECS may become an infrastructure role and make with it what an
// Express gateway service needs.
func (s *Server) manages(ctx context.Context, roleARN, source string, needs []express.Need) error {
	who, err := s.asRole(s.store.View(), roleARN, source, expressSession)
	if err != nil {
		return fault.New(fault.AccessDenied, "Cannot assume role %s", roleARN).WithHint("%v", err)
	}
	keys := map[string][]string{"aws:RequestTag/" + express.Tag: {"true"}, "aws:ResourceTag/" + express.Tag: {"true"}, "aws:TagKeys": {express.Tag}}
	for _, need := range needs {
		if err := s.access.Check(ctx, who, need.Action, []string{need.Resource}, keys); err != nil {
			return err
		}
	}
	return nil
}
