package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/arn"
)

// reference is a Secrets Manager secret as containers name it: its ARN, or
// ARN:json-key:version-stage:version-id, of which any of the last three may be
// empty.
type reference struct {
	id, key, stage, version string
	region                  string
}

var errReference = errors.New("an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again.")

// parseReference reads a reference as ECS does: either none or all of the three
// colons follow the ARN.
func parseReference(text string) (reference, error) {
	a, err := arn.Parse(text)
	if err != nil {
		return reference{}, errReference
	}
	parts := strings.Split(a.Resource, ":")
	if parts[0] != "secret" || len(parts) != 2 && len(parts) != 5 || parts[1] == "" {
		return reference{}, errReference
	}
	r := reference{region: a.Region}
	if len(parts) == 5 {
		r.key, r.stage, r.version = parts[2], parts[3], parts[4]
	}
	a.Resource = parts[0] + ":" + parts[1]
	r.id = a.String()
	return r, nil
}

func inSecretsManager(valueFrom string) bool {
	parts := strings.SplitN(valueFrom, ":", 4)
	return len(parts) == 4 && parts[0] == "arn" && parts[2] == "secretsmanager"
}

// secret fetches the value that a reference leads to.
func (r *role) secret(ctx context.Context, valueFrom string) (string, error) {
	ref, err := parseReference(valueFrom)
	if err != nil {
		return "", err
	}
	text, tries, err := r.secretText(ctx, ref)
	if err != nil {
		return "", retried(tries, fmt.Errorf("failed to fetch secret %s from secrets manager: %w", ref.id, err))
	}
	if ref.key == "" {
		return text, nil
	}
	value, err := member(text, ref.key)
	return value, retried(tries, err)
}

func (r *role) secretText(ctx context.Context, ref reference) (text string, tries int, err error) {
	in := map[string]string{"SecretId": ref.id}
	if ref.stage != "" {
		in["VersionStage"] = ref.stage
	}
	if ref.version != "" {
		in["VersionId"] = ref.version
	}
	var out struct{ SecretString string }
	tries, err = r.patience.call(ctx, func() error { return r.get(ctx, client.SecretsManager, ref.region, "GetSecretValue", in, &out) })
	return out.SecretString, tries, err
}

// get calls a service and leaves out which operation failed, as AWS's words do.
func (r *role) get(ctx context.Context, api client.API, region, operation string, in, out any) error {
	err := r.in(region).Call(ctx, api, operation, in, out)
	if refused, ok := errors.AsType[*client.Error](err); ok {
		return refused
	}
	return err
}

// member is a value of a secret that is a JSON object. What is no string is given
// as the secret writes it.
func member(text, key string) (string, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return "", errors.New("the secret's value is not a JSON object") // the decoder's words could quote it
	}
	raw, ok := object[key]
	if !ok {
		return "", fmt.Errorf("retrieved secret from Secrets Manager did not contain json key %s", key)
	}
	var s string
	if json.Unmarshal(raw, &s) == nil && !bytes.Equal(raw, []byte("null")) {
		return s, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return "", fmt.Errorf("json key %s of the secret cannot be read", key)
	}
	return compact.String(), nil
}
