package ssm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/secretsmanager"
	shape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
)

// showSealed is how a SecureString is shown to who does not ask for decryption.
func showSealed(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func (a *API) getParameter(ctx context.Context, call *gateway.Call, in *shape.GetParameterRequest) (*shape.GetParameterResult, error) {
	p, err := a.get(ctx, call, *in.Name, member.Value(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	return &shape.GetParameterResult{Parameter: p}, nil
}

// get finds what a name means: a parameter of the account, a public one, or a
// secret.
func (a *API) get(ctx context.Context, call *gateway.Call, asked string, decrypt bool) (*shape.Parameter, error) {
	if id, ok := strings.CutPrefix(asked, secret.SecretReference); ok {
		return a.getSecret(ctx, call, asked, id, decrypt)
	}
	name, s := split(asked)
	if strings.HasPrefix(name, publicPrefix) {
		return getPublic(call.Scope.Region, name)
	}
	r := a.store.View()
	p, err := find(r, call, name)
	if err != nil {
		return nil, err
	}
	e, err := choose(r, p, s)
	if err != nil {
		return nil, err
	}
	value, err := a.open(r, p, e, decrypt)
	if err != nil {
		return nil, err
	}
	return show(p, e, value, s), nil
}

func show(p *secret.Parameter, e *secret.Edition, value string, s secret.Selector) *shape.Parameter {
	return &shape.Parameter{
		Name: &p.Name, Type: shape.ParameterType(e.Type), Value: &value, Version: &e.Version, Selector: member.Present(s.String()),
		LastModifiedDate: &e.ChangedAt, ARN: &p.ARN, DataType: &e.DataType,
	}
}

// getSecret reads a secret through its reference.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
func (a *API) getSecret(ctx context.Context, call *gateway.Call, asked, id string, decrypt bool) (*shape.Parameter, error) {
	if !decrypt {
		return nil, invalid("WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	v, err := a.secrets.GetSecretValue(ctx, call, &secretsmanager.GetSecretValueRequest{SecretId: &id})
	switch {
	case fault.IsKind(err, fault.ResourceNotFound):
		return nil, fault.New(fault.ParameterNotFound, "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret %s not found.", asked)
	case err != nil:
		return nil, err
	case v.SecretString == nil:
		return nil, invalid("Secret %s is binary, which the Parameter Store does not show.", asked).WithHint("read it by GetSecretValue")
	}
	source, err := json.Marshal(map[string]any{
		"ARN": v.ARN, "createdDate": v.CreatedDate, "name": v.Name, "versionId": v.VersionId, "versionStages": v.VersionStages,
	})
	if err != nil {
		return nil, err
	}
	return &shape.Parameter{
		Name: &asked, Type: shape.ParameterTypeSecureString, Value: v.SecretString, Version: new(int64(0)), LastModifiedDate: v.CreatedDate,
		ARN: v.ARN, DataType: new(secret.Text), SourceResult: new(string(source)),
	}, nil
}

func (a *API) getParameters(ctx context.Context, call *gateway.Call, in *shape.GetParametersRequest) (*shape.GetParametersResult, error) {
	out := &shape.GetParametersResult{Parameters: []shape.Parameter{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		p, err := a.get(ctx, call, name, member.Value(in.WithDecryption))
		switch {
		case fault.IsKind(err, fault.ParameterNotFound) || fault.IsKind(err, fault.ParameterVersionNotFound):
			out.InvalidParameters = append(out.InvalidParameters, name)
		case err != nil:
			return nil, err
		default:
			out.Parameters = append(out.Parameters, *p)
		}
	}
	return out, nil
}
