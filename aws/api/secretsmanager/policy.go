package secretsmanager

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

func (a *API) getResourcePolicy(_ context.Context, call *gateway.Call, in *shape.GetResourcePolicyRequest) (*shape.GetResourcePolicyResponse, error) {
	s, err := find(a.store.View(), call, *in.SecretId)
	if err != nil {
		return nil, err
	}
	return &shape.GetResourcePolicyResponse{ARN: &s.ARN, Name: &s.Name, ResourcePolicy: member.Present(s.Policy)}, nil
}

func (a *API) putResourcePolicy(ctx context.Context, call *gateway.Call, in *shape.PutResourcePolicyRequest) (*shape.PutResourcePolicyResponse, error) {
	if err := checkPolicy(*in.ResourcePolicy); err != nil {
		return nil, err
	}
	if member.Value(in.BlockPublicPolicy) && isPublic(*in.ResourcePolicy) {
		return nil, fault.New(fault.PublicPolicy, "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to the secret.")
	}
	s, err := a.setPolicy(ctx, call, *in.SecretId, *in.ResourcePolicy)
	if err != nil {
		return nil, err
	}
	return &shape.PutResourcePolicyResponse{ARN: &s.ARN, Name: &s.Name}, nil
}

func (a *API) deleteResourcePolicy(ctx context.Context, call *gateway.Call, in *shape.DeleteResourcePolicyRequest) (*shape.DeleteResourcePolicyResponse, error) {
	s, err := a.setPolicy(ctx, call, *in.SecretId, "")
	if err != nil {
		return nil, err
	}
	return &shape.DeleteResourcePolicyResponse{ARN: &s.ARN, Name: &s.Name}, nil
}

func (a *API) setPolicy(ctx context.Context, call *gateway.Call, id, text string) (*secret.Secret, error) {
	return a.change(ctx, call, id, func(_ *store.Tx, s *secret.Secret) error {
		s.Policy = text
		return nil
	})
}

// validateResourcePolicy tells in its answer what PutResourcePolicy would refuse.
func (a *API) validateResourcePolicy(_ context.Context, call *gateway.Call, in *shape.ValidateResourcePolicyRequest) (*shape.ValidateResourcePolicyResponse, error) {
	if in.SecretId != nil {
		if _, err := find(a.store.View(), call, *in.SecretId); err != nil {
			return nil, err
		}
	}
	if err := checkPolicy(*in.ResourcePolicy); err != nil {
		return nil, err
	}
	out := &shape.ValidateResourcePolicyResponse{PolicyValidationPassed: new(true), ValidationErrors: []shape.ValidationErrorsEntry{}}
	if isPublic(*in.ResourcePolicy) {
		out.PolicyValidationPassed = new(false)
		out.ValidationErrors = append(out.ValidationErrors, shape.ValidationErrorsEntry{
			CheckName: new("PUBLIC_POLICY"), ErrorMessage: new("The resource policy grants access to everyone."),
		})
	}
	return out, nil
}

func checkPolicy(text string) error {
	_, err := policy.Parse(text, policy.Resource)
	if err == nil {
		return nil
	}
	f := fault.Of(err)
	return fault.New(fault.MalformedPolicyDocument, "This resource policy contains an unsupported principal or invalid syntax: %s", f.Message).WithHint("%s", f.Hint)
}

// isPublic tells whether a policy that can be read allows everybody something
// without a condition.
func isPublic(text string) bool {
	type statement struct {
		Effect    string
		Principal any
		Condition map[string]any
	}
	var many struct{ Statement []statement }
	if json.Unmarshal([]byte(text), &many) != nil {
		var one struct{ Statement statement }
		if json.Unmarshal([]byte(text), &one) != nil {
			return false
		}
		many.Statement = []statement{one.Statement}
	}
	return slices.ContainsFunc(many.Statement, func(s statement) bool {
		return s.Effect == "Allow" && len(s.Condition) == 0 && everybody(s.Principal)
	})
}

func everybody(principal any) bool {
	switch p := principal.(type) {
	case string:
		return p == "*"
	case []any:
		return slices.ContainsFunc(p, everybody)
	case map[string]any:
		return everybody(p["AWS"])
	}
	return false
}
