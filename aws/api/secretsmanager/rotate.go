package secretsmanager

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// rotateSecret begins a rotation, or settles when the next is. The function's steps
// are called by plane/rotation.
func (a *API) rotateSecret(ctx context.Context, call *gateway.Call, in *shape.RotateSecretRequest) (*shape.RotateSecretResponse, error) {
	if in.ExternalSecretRotationMetadata != nil || in.ExternalSecretRotationRoleArn != nil {
		return nil, invalidRequest("berth does not rotate secrets that external partners manage.")
	}
	version := versionID(in.ClientRequestToken)
	immediately := in.RotateImmediately == nil || *in.RotateImmediately
	s, err := a.change(ctx, call, *in.SecretId, func(_ *store.Tx, s *secret.Secret) error {
		if err := a.setRotation(s, in, call.Now); err != nil || !immediately {
			return err
		}
		if have, ok := s.Version(version); ok && !have.Empty {
			return fault.New(fault.ResourceExists, "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", version, s.ARN)
		}
		*s = *s.Rotating(version, call.Now)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &shape.RotateSecretResponse{ARN: &s.ARN, Name: &s.Name}
	if immediately {
		out.VersionId = &version
	}
	return out, nil
}

// setRotation settles who rotates a secret, and when.
func (a *API) setRotation(s *secret.Secret, in *shape.RotateSecretRequest, now time.Time) error {
	r := &s.Rotation
	if in.RotationLambdaARN != nil {
		r.LambdaARN = *in.RotationLambdaARN
	}
	switch {
	case r.Run != nil:
		return invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.").WithHint("cancel-rotate-secret gives it up")
	case r.LambdaARN == "":
		return invalidRequest("No Lambda rotation function ARN is associated with this secret.")
	case !a.hooked(r.LambdaARN):
		return fault.New(fault.AccessDenied, "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.").
			WithHint("berth calls functions over HTTP: start it with --hook %s=URL", r.LambdaARN)
	case len(s.Versions) == 0:
		return invalidRequest("You can't rotate a secret that has no value.").WithHint("put one first")
	}
	if err := setRules(r, in.RotationRules); err != nil {
		return err
	}
	r.Enabled = true
	r.NextAt = r.NextAfter(now)
	return nil
}

func setRules(r *secret.Rotation, rules *shape.RotationRulesType) error {
	if rules == nil {
		return nil
	}
	r.AfterDays, r.Schedule, r.Duration = member.Value(rules.AutomaticallyAfterDays), member.Value(rules.ScheduleExpression), member.Value(rules.Duration)
	switch {
	case r.AfterDays != 0 && r.Schedule != "":
		return invalidParameter("You can't specify both AutomaticallyAfterDays and ScheduleExpression.")
	case r.Schedule == "":
		return nil
	}
	if _, err := event.ParseSchedule(r.Schedule); err != nil {
		return invalidParameter("The ScheduleExpression %s isn't valid.", r.Schedule).WithHint("%s", fault.Of(err).Hint)
	}
	return nil
}

func (a *API) cancelRotateSecret(ctx context.Context, call *gateway.Call, in *shape.CancelRotateSecretRequest) (*shape.CancelRotateSecretResponse, error) {
	var version *string
	s, err := a.change(ctx, call, *in.SecretId, func(_ *store.Tx, s *secret.Secret) error {
		if run := s.Rotation.Run; run != nil {
			version = &run.VersionID
		}
		s.Rotation.Enabled, s.Rotation.Run, s.Rotation.NextAt = false, nil, time.Time{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.CancelRotateSecretResponse{ARN: &s.ARN, Name: &s.Name, VersionId: version}, nil
}
